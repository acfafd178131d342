"""Conditions over the answers: `buyer == 'empresa' and budget >= 5000000`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.sandbox import SandboxedEnvironment


class _Unanswered(Undefined):
    """A question without an answer: every comparison with it is false."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    __ne__ = __eq__
    __lt__ = __le__ = __gt__ = __ge__ = __eq__  # type: ignore[assignment]
    __hash__ = Undefined.__hash__


def days_from(day: date, today: date) -> int:
    """`delivery|days_from(today) <= 7`."""
    return (day - today).days


_environment = SandboxedEnvironment(undefined=_Unanswered)
_environment.filters = {"days_from": days_from}
_environment.globals = {}
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.Name, nodes.Const, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
    nodes.Neg, nodes.Add, nodes.Sub, nodes.List, nodes.Tuple, nodes.Filter,
)  # fmt: skip


class ExpressionError(ValueError):
    """An expression cannot be compiled; the message says why."""


@dataclass(frozen=True, slots=True)
class Condition:
    source: str
    names: frozenset[str]
    """The questions it looks at."""
    _evaluate: Callable[..., Any] = field(compare=False, repr=False)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """False too where it compares an unanswered question, or things that do not compare."""
        try:
            return bool(self._evaluate(**values))
        except (TypeError, ArithmeticError, ValueError, TemplateError):
            return False


def compile_condition(source: str, names: Collection[str]) -> Condition:
    """`names` are the questions there are; `today` is there besides (ExpressionError)."""
    try:
        tree = _environment.parse("{{ " + source + " }}")
        used = _names(tree, names)
        # Compiling folds constants ("'a' * 10**9"): only what has passed may be compiled.
        return Condition(source, used, _environment.compile_expression(source, undefined_to_none=False))
    except TemplateSyntaxError as error:
        raise ExpressionError(f"cannot be read: {error.message}") from None


def _names(tree: nodes.Template, names: Collection[str]) -> frozenset[str]:
    used: set[str] = set()
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            raise ExpressionError(f"may only compare answers, not use {type(node).__name__.lower()}")
        if isinstance(node, nodes.Filter) and node.name not in _environment.filters:
            raise ExpressionError(f"unknown filter |{node.name}; there is: days_from(today)")
        if isinstance(node, nodes.Name) and node.name != "today":
            if node.name not in names:
                raise ExpressionError(f"names {node.name}, which is not a question; there are: {', '.join(sorted(names))}")
            used.add(node.name)
    return frozenset(used)
