"""Pictures of a debrief as inline SVG: values in, markup out. No figures are computed here."""

from collections.abc import Mapping, Sequence
from datetime import date
from html import escape

INK, GRID, MISSED, FOUND = "#24303b", "#d5dbe1", "#c9d3dd", "#2f5d8a"
SERIES = ("#2f5d8a", "#4c8c4a", "#d9822b", "#9aa5b1")
MARK = "#b3362b"
_WIDTH = 900
_LEFT, _RIGHT = 130, 60


def grouped_bars(groups: Mapping[str, Mapping[str, float | None]], unit: str) -> str:
    """Shares (0 to 1) as horizontal bars: a group a team, a bar a yardstick, in the same colours everywhere."""
    names = list(dict.fromkeys(name for bars in groups.values() for name in bars))
    colours = dict(zip(names, SERIES, strict=False))
    top = max([value for bars in groups.values() for value in bars.values() if value], default=1.0)
    parts: list[str] = []
    y = 10
    for group, bars in groups.items():
        parts.append(_text(_LEFT - 10, y + 9 * len(bars) + 4, group, anchor="end", weight="bold"))
        for name, value in bars.items():
            width = (value or 0.0) / top * (_WIDTH - _LEFT - _RIGHT)
            parts.append(_bar(_LEFT, y, max(width, 1), 15, colours[name]))
            said = "–" if value is None else f"{value:.1%}"
            parts.append(_text(_LEFT + width + 6, y + 12, said))
            y += 18
        y += 14
    x = _LEFT
    for name in names:
        parts.append(_bar(x, y, 12, 12, colours[name]) + _text(x + 18, y + 11, name))
        x += 30 + 8 * len(name)
    return _picture(parts, y + 24, f"{unit} by team")


def parts_of(rows: Sequence[tuple[str, int, int]]) -> str:
    """Rows (name, found, in all) as bars, the found part filled."""
    top = max([whole for _, _, whole in rows], default=1)
    parts: list[str] = []
    for index, (name, found, whole) in enumerate(rows):
        y = 8 + index * 24
        scale = (_WIDTH - _LEFT - _RIGHT - 40) / max(top, 1)
        parts.append(_text(_LEFT - 10, y + 13, name, anchor="end"))
        parts.append(_bar(_LEFT, y, max(whole * scale, 1), 17, MISSED) + _bar(_LEFT, y, found * scale, 17, FOUND))
        parts.append(_text(_LEFT + whole * scale + 6, y + 13, f"{found} of {whole}"))
    return _picture(parts, 16 + 24 * len(rows), "found by kind")


def timeline(
    days: Sequence[tuple[date, int, int]], injects: Sequence[tuple[date, str]], happened: Sequence[tuple[date, str]]
) -> str:
    """Days (date, found, in all) as columns; numbered lines for injects, dashed ones for what happened unsaid."""
    if not days:
        return ""
    height, top, bottom = 300, 36, 250
    first, span = days[0][0], max((days[-1][0] - days[0][0]).days + 1, 1)
    step = (_WIDTH - 60) / span
    most = max([whole for _, _, whole in days] + [1])
    parts = [_line(50, y, _WIDTH - 10, y, GRID) for y in (top, (top + bottom) / 2, bottom)]
    parts += [_text(44, top + 4, str(most), anchor="end"), _text(44, bottom + 4, "0", anchor="end")]
    for day, found, whole in days:
        x = 50 + (day - first).days * step
        for value, colour in ((whole, MISSED), (found, FOUND)):
            tall = value / most * (bottom - top)
            parts.append(_bar(x + 1, bottom - tall, max(step - 2, 1), tall, colour))
        if (day - first).days % 7 == 0:
            parts.append(_text(x + step / 2, bottom + 16, f"{day:%d %b}", anchor="middle"))
    for number, (day, said) in enumerate(injects, start=1):
        x = 50 + ((day - first).days + 1) * step
        parts.append(f"<g><title>{escape(said)}</title>{_line(x, top - 8, x, bottom, INK)}</g>")
        parts.append(_text(x, top - 14, str(number), anchor="middle", weight="bold"))
    for day, said in happened:
        x = 50 + ((day - first).days + 1) * step
        parts.append(f"<g><title>{escape(said)}</title>{_line(x, top, x, bottom, MARK, dashes=True)}</g>")
    legend = ((FOUND, "found"), (MISSED, "not found"), (INK, "inject"), (MARK, "what happened"))
    for index, (colour, name) in enumerate(legend):
        parts.append(_bar(50 + index * 130, height - 22, 12, 12, colour) + _text(68 + index * 130, height - 11, name))
    return _picture(parts, height, "illicit events by day of delivery")


def _picture(parts: Sequence[str], height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img" aria-label="{escape(title)}" '
        f'font-family="system-ui, sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashes: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="1.5"{dash}/>'


def _text(x: float, y: float, said: str, *, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{INK}"'
    return f"<text {place}>{escape(said)}</text>"
