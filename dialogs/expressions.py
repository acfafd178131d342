"""Conditions over the answers: `buyer == 'empresa' and budget >= 5000000`."""

from __future__ import annotations

import operator
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


_environment = SandboxedEnvironment()
_FILTERS: Mapping[str, Callable[..., Any]] = {"days_from": days_from}
_COMPARES: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gteq": operator.ge, "lt": operator.lt, "lteq": operator.le,
    "in": lambda one, many: one in many, "notin": lambda one, many: one not in many,
}  # fmt: skip
_Values = Mapping[str, Any]
_Evaluate = Callable[[_Values], Any]
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
    _evaluate: _Evaluate = field(compare=False, repr=False)

    def holds(self, values: _Values) -> bool:
        """False too where it compares an unanswered question, or things that do not compare."""
        try:
            return bool(self._evaluate(values))
        except (TypeError, ArithmeticError, ValueError, TemplateError):
            return False


def compile_condition(source: str, names: Collection[str]) -> Condition:
    """`names` are the questions there are; `today` is there besides (ExpressionError)."""
    try:
        tree = _environment.parse("{{ " + source + " }}")
    except TemplateSyntaxError as error:
        raise ExpressionError(f"cannot be read: {error.message}") from None
    used = _names(tree, names)
    match tree.body:
        case [nodes.Output(nodes=[node])]:
            return Condition(source, used, _evaluator(node))
    raise ExpressionError("cannot be read: it is more than one expression")


def _evaluator(node: nodes.Node) -> _Evaluate:
    """Put together by hand: many times as fast as Jinja2's own code, which makes a context for every evaluation."""
    match node:
        case nodes.Const():
            constant = node.value
            return lambda values: constant
        case nodes.Name():
            name, unanswered = node.name, _Unanswered(name=node.name)
            return lambda values: values.get(name, unanswered)
        case nodes.Compare():
            return _comparison(_evaluator(node.expr), [(_COMPARES[step.op], _evaluator(step.expr)) for step in node.ops])
        case nodes.And():
            left, right = _evaluator(node.left), _evaluator(node.right)
            return lambda values: left(values) and right(values)
        case nodes.Or():
            left, right = _evaluator(node.left), _evaluator(node.right)
            return lambda values: left(values) or right(values)
        case nodes.Add() | nodes.Sub():
            left, right = _evaluator(node.left), _evaluator(node.right)
            apply = operator.add if isinstance(node, nodes.Add) else operator.sub
            return lambda values: apply(left(values), right(values))
        case nodes.Not() | nodes.Neg():
            inner = _evaluator(node.node)
            change = operator.not_ if isinstance(node, nodes.Not) else operator.neg
            return lambda values: change(inner(values))
        case nodes.List() | nodes.Tuple():
            items = [_evaluator(item) for item in node.items]
            return lambda values: [item(values) for item in items]
        case nodes.Filter(node=nodes.Expr() as what):
            filtered, arguments = _FILTERS[node.name], [_evaluator(one) for one in (what, *node.args)]
            return lambda values: filtered(*(argument(values) for argument in arguments))
    raise ExpressionError(f"may only compare answers, not use {type(node).__name__.lower()}")


def _comparison(first: _Evaluate, steps: list[tuple[Callable[[Any, Any], Any], _Evaluate]]) -> _Evaluate:
    def evaluate(values: _Values) -> Any:
        holds, left = True, first(values)
        for compare, then in steps:
            right = then(values)
            holds = compare(left, right)
            if not holds:
                break
            left = right
        return holds

    return evaluate


def _names(tree: nodes.Template, names: Collection[str]) -> frozenset[str]:
    used: set[str] = set()
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            raise ExpressionError(f"may only compare answers, not use {type(node).__name__.lower()}")
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            raise ExpressionError(f"unknown filter |{node.name}; there is: days_from(today)")
        if isinstance(node, nodes.Name) and node.name != "today":
            if node.name not in names:
                raise ExpressionError(f"names {node.name}, which is not a question; there are: {', '.join(sorted(names))}")
            used.add(node.name)
    return frozenset(used)
