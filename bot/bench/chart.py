"""Bars side by side as SVG, on a ground of its own, so that it reads on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_LABEL, _COLUMN, _ROW, _TOP, _NUMBER = 345, 190, 30, 60, 58
_OWN, _OTHER, _INK = "#0b7d69", "#9aa5b1", "#1c2733"


def bars(columns: Sequence[str], rows: Sequence[tuple[str, bool, Sequence[float | None]]]) -> str:
    """A row for each (label, ours, values) and a bar for each column, scaled to the column's largest; ours in another colour.
    None has no bar."""
    width, height = _LABEL + _COLUMN * len(columns) + 20, _TOP + _ROW * len(rows) + 10
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = f'font-family="system-ui, sans-serif" font-size="13" fill="{_INK}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(", ".join(columns))}" {font}>',
        f'<rect width="{width}" height="{height}" rx="8" fill="#fff"/>',
    ]
    for at, title in enumerate(columns):
        x = _LABEL + _COLUMN * at
        largest = max((values[at] or 0 for _, _, values in rows), default=0) or 1
        parts.append(f'<text x="{x}" y="34" font-weight="600">{escape(title)}</text>')
        for line, (_, own, values) in enumerate(rows):
            if (value := values[at]) is None:
                continue
            y, length = _TOP + _ROW * line, max(2, round((_COLUMN - _NUMBER) * value / largest))
            parts.append(f'<rect x="{x}" y="{y}" width="{length}" height="20" rx="3" fill="{_OWN if own else _OTHER}"/>')
            parts.append(f'<text x="{x + length + 6}" y="{y + 15}">{value:,.0f}</text>')
    for line, (label, _, _) in enumerate(rows):
        parts.append(f'<text x="{_LABEL - 12}" y="{_TOP + _ROW * line + 15}" text-anchor="end">{escape(label)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
