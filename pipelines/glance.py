"""Small pictures that the Dagster UI shows in place.

The UI shows Markdown of up to 1,000 characters at once and hides longer Markdown behind a click, so a picture at
a glance is a handful of SVG in a data URI. The full pictures are in `pipelines.pictures`.
"""

from collections.abc import Sequence
from urllib.parse import quote

import dagster as dg

_LIMIT = 999
_WIDTH, _HEIGHT = 240, 48
_BARS = 40
_COLOUR = "4a86bd"
"""Neither light nor dark: it stands out on both of the UI's backgrounds."""


def bars(values: Sequence[float], caption: str, colours: Sequence[str] = (_COLOUR,)) -> dg.MarkdownMetadataValue:
    """Values as bars from left to right, at most 40 (neighbours are averaged); a colour each, in turn."""
    shown = _thinned(values)
    top = max([*shown, 1e-12])
    step = _WIDTH // max(len(shown), 1)
    heights = [round(value / top * _HEIGHT) for value in shown]
    if len(colours) == 1:
        strokes = "".join(f"M{index * step} {_HEIGHT}v-{height}" for index, height in enumerate(heights) if height)
        drawn = _path(strokes, colours[0], max(step - 1, 1))
    else:
        drawn = "".join(
            _path(f"M{index * step} {_HEIGHT}v-{height}", colours[index % len(colours)], step - 2)
            for index, height in enumerate(heights)
        )
    return _markdown(drawn, caption, shift=step // 2)


def curve(points: Sequence[tuple[float, float]], caption: str) -> dg.MarkdownMetadataValue:
    """Points (x, y) on equal axes with the diagonal, as of a calibration curve."""
    top = max([max(x, y) for x, y in points], default=1.0) or 1.0
    line = "L".join(f"{round(x / top * _WIDTH)} {round(_HEIGHT - y / top * _HEIGHT)}" for x, y in points)
    diagonal = _path(f"M0 {_HEIGHT}L{_WIDTH} 0", "bbb", 1)
    return _markdown(diagonal + _path(f"M{line}", _COLOUR, 2), caption, shift=0)


def _thinned(values: Sequence[float]) -> list[float]:
    size = -(-len(values) // _BARS)
    parts = [values[start : start + size] for start in range(0, len(values), max(size, 1))]
    return [sum(part) / len(part) for part in parts]


def _path(strokes: str, colour: str, width: int) -> str:
    return f"<path d='{strokes}' fill='none' stroke='#{colour}' stroke-width='{width}'/>"


def _markdown(drawn: str, caption: str, shift: int) -> dg.MarkdownMetadataValue:
    box = f"-{shift} 0 {_WIDTH} {_HEIGHT}"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='{box}' width='{_WIDTH}' height='{_HEIGHT}'>{drawn}</svg>"
    text = f"![{caption}](data:image/svg+xml,{quote(svg, safe='/:=-')})\n\n{caption}"
    return dg.MetadataValue.md(text if len(text) <= _LIMIT else caption)
