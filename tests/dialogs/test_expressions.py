"""Conditions over the answers mean what they say."""

from __future__ import annotations

import pytest

from dialogs.expressions import ExpressionError, compile_condition


@pytest.mark.parametrize(
    ("source", "values", "holds"),
    [
        ("1 < number <= 5", {"number": 5}, True),
        ("1 < number <= 5", {"number": 1}, False),
        ("1 < number <= 5", {}, False),
        ("number - 2 == 3 and not other", {"number": 5}, True),
        ("-number < 0 or other", {"other": "x"}, False),
        ("number not in [1, other]", {"number": 2}, True),
        ("number + 'a' == 'ba'", {"number": "b"}, True),
        ("number + 1 > 0", {"number": "b"}, False),
    ],
)
def test_conditions_of_every_kind(source: str, values: dict[str, object], holds: bool) -> None:
    assert compile_condition(source, {"number", "other"}).holds(values) is holds


@pytest.mark.parametrize("source", ["number }}{{ other", "number }} {{ other", "number if other", "number.real", ""])
def test_a_condition_is_one_expression(source: str) -> None:
    with pytest.raises(ExpressionError):
        compile_condition(source, {"number", "other"})
