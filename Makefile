# Every command that a developer or an operator needs; `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PYTHON310 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.10.*/bin/python) python3.10)
UV_VERSION := 0.13
BIN := .venv/bin
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE # a start that compiles everything anew takes twice as long
.DEFAULT_GOAL := help
.PHONY: help run test check bench chaos test-rasa nlu-report lock format revision clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

run: .venv/run.stamp ## install, migrate, seed a demo company and serve it: open the addresses it prints (PORT=8080)
	@$(BIN)/mostrador demo $(if $(PORT),--port $(PORT))

test: .venv/dev.stamp ## run every test, on SQLite and PostgreSQL, with a real browser (ten minutes; ARGS="tests/dialogs")
	@. tests/services.sh && $(BIN)/pytest $(or $(ARGS),-n 2 --dist loadfile)

check: .venv/dev.stamp ## format, lint, types, and the arrows between the folders
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

bench: .venv/dev.stamp ## measure the service on this machine, beside other bots (12 minutes; ARGS="pipeline --seconds 3")
	@. tests/services.sh && $(BIN)/mostrador bench $(or $(ARGS),all --write docs)

chaos: .venv/dev.stamp ## break it on purpose, and count (as root; ARGS="--only kill-sqlite --rounds 10")
	@. tests/services.sh && $(BIN)/python -m tests.chaos $(ARGS)

test-rasa: .venv/dev.stamp .venv-rasa/stamp ## train a real Rasa on our corpus and ask it (2.5 GB, three minutes; needs Python 3.10)
	@$(BIN)/pytest tests/rasa/real.py $(ARGS)

nlu-report: .venv/dev.stamp .venv-rasa/stamp ## measure the understanding beside a real Rasa (half an hour; ARGS="--epochs 5 --data DIR --test DIR")
	@$(BIN)/python -m tests.rasa $(ARGS)

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
	@rm -rf .venv .venv-rasa var

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

.venv-rasa/stamp: tests/rasa/requirements.txt | .venv/uv.stamp
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv venv -q --clear -p $(PYTHON310) .venv-rasa || \
		{ echo "Rasa needs Python 3.10: make PYTHON310=/path/to/python3.10"; exit 1; }
	@echo "installing Rasa (once)…" && $(BIN)/uv pip install -q -p .venv-rasa/bin/python -r tests/rasa/requirements.txt
	@touch $@
