# Every command that a developer or an operator needs; `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13
BIN := .venv/bin
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE # a start that compiles everything anew takes twice as long
.DEFAULT_GOAL := help
.PHONY: help run test check bench chaos lock format revision clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

run: .venv/run.stamp ## install, migrate, seed a demo company and serve it: open the addresses it prints (PORT=8080)
	@$(BIN)/mostrador demo $(if $(PORT),--port $(PORT))

test: .venv/dev.stamp ## run every test, on SQLite and PostgreSQL, with a real browser
	@. tests/services.sh && $(BIN)/pytest $(ARGS)

check: .venv/dev.stamp ## format, lint, types, and the arrows between the folders
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

bench: .venv/dev.stamp ## measure the service on this machine, beside other bots (12 minutes; ARGS="pipeline --seconds 3")
	@. tests/services.sh && $(BIN)/mostrador bench $(or $(ARGS),all --write docs)

chaos: .venv/dev.stamp ## break it on purpose, and count (as root; ARGS="--only kill-sqlite --rounds 10")
	@. tests/services.sh && $(BIN)/python -m tests.chaos $(ARGS)

format: .venv/dev.stamp ## put the code into its form
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

lock: .venv/uv.stamp ## choose the versions anew
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" -q --upgrade -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" -q --upgrade -o requirements-dev.lock

revision: .venv/dev.stamp ## write a migration for changed tables: make revision MESSAGE="add quotes"
	@$(BIN)/python -m data.revision "$(MESSAGE)"

clean: ## forget what was installed and what the demo kept
	@rm -rf .venv var

.venv/uv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")'
	@echo "installing (once)…" && $(PYTHON) -m venv .venv && $(BIN)/pip install -q --disable-pip-version-check 'uv~=$(UV_VERSION)'
	@touch $@

.venv/run.stamp: requirements.lock pyproject.toml | .venv/uv.stamp
	@$(BIN)/uv pip install -p $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install -p $(BIN)/python --no-deps -q -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock pyproject.toml | .venv/uv.stamp
	@$(BIN)/uv pip install -p $(BIN)/python --require-hashes -r requirements-dev.lock
	@$(BIN)/uv pip install -p $(BIN)/python --no-deps -q -e .
	@touch $@ .venv/run.stamp
