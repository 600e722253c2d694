"""How a model card looks, in Markdown and in HTML: blocks in, text out. What it says is in `models.card`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from matplotlib.figure import Figure

from models.pictures import data_uri

_SPECIAL = re.compile(r"[|\\`*_<>\[\]]")


@dataclass(frozen=True)
class Text:
    """A paragraph, or an item of a list."""

    text: str
    is_item: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; headings that are empty are not shown."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Picture:
    """A figure, shown in place."""

    figure: Figure
    alt: str

    @cached_property
    def uri(self) -> str:
        """Drawn once, whatever pages it stands on."""
        return data_uri(self.figure)


Block = Text | Table | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole card."""

    title: str
    subtitle: str
    is_good: bool
    banner: str
    headline: Sequence[tuple[str, str, str]]
    """The figures that are read first: value, name, interval."""
    sections: Sequence[Section]


def markdown(page: Page) -> str:
    """The page as Markdown, as GitHub and Dagster show it."""
    lines = [f"# {_cell(page.title)}", "", _cell(page.subtitle), "", f"> **{_cell(page.banner)}**", ""]
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            lines += [*_as_markdown(block), *([] if isinstance(block, Text) and block.is_item else [""])]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _as_markdown(block: Block) -> list[str]:
    if isinstance(block, Text):
        return [f"- {_cell(block.text)}" if block.is_item else _cell(block.text)]
    if isinstance(block, Picture):
        return [f"![{block.alt}]({block.uri})"]
    head = f"| {' | '.join(block.columns)} |"
    return [head, f"|{'---|' * len(block.columns)}", *(f"| {' | '.join(map(_cell, row))} |" for row in block.rows)]


def _cell(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def html(page: Page) -> str:
    """The page as one HTML file: its style and pictures are inside, nothing is fetched."""
    tiles = "".join(
        f"<div class='tile'><b>{escape(value)}</b><span>{escape(name)}</span><small>95 %: {escape(interval)}</small>"
        "</div>"
        for value, name, interval in page.headline
    )
    sections = "".join(
        f"<section><h2>{escape(section.title)}</h2>{''.join(map(_as_html, section.blocks))}</section>"
        for section in page.sections
    )
    mood = "good" if page.is_good else "poor"
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><p class='kind'>Model card</p><h1>{escape(page.title)}</h1><p>{escape(page.subtitle)}</p></header>"
        f"<p class='banner {mood}'>{escape(page.banner)}</p><div class='tiles'>{tiles}</div>{sections}"
        "</main></body></html>\n"
    )


def _as_html(block: Block) -> str:
    if isinstance(block, Text):
        return f"<p class='{'item' if block.is_item else ''}'>{escape(block.text)}</p>"
    if isinstance(block, Picture):
        return f"<figure><img src='{block.uri}' alt='{escape(block.alt)}'></figure>"
    has_head = any(block.columns)
    head = f"<thead><tr>{_cells('th', block.columns)}</tr></thead>" if has_head else ""
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in block.rows)
    return f"<table class='{'' if has_head else 'facts'}'>{head}<tbody>{body}</tbody></table>"


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}{_mood(text)}>{escape(text)}</{tag}>" for text in texts)


def _mood(text: str) -> str:
    if text in ("yes", "NO"):
        return f" class='{'met' if text == 'yes' else 'unmet'}'"
    return " class='number'" if re.match(r"[+-]?[\d,.]+ ?%?( to [\d,.]+| \(.*\))?\Z", text) else ""


_STYLE = """
:root { color-scheme: light; --ink: #1f2933; --soft: #5f6c7b; --line: #e3e8ee; --blue: #2f5d8a; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f7fa; color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 900px; margin: 32px auto; padding: 36px 44px 44px; background: #fff; border: 1px solid var(--line);
  border-radius: 10px; }
header { border-bottom: 1px solid var(--line); margin-bottom: 20px; }
header p { color: var(--soft); margin: 4px 0 18px; }
header .kind { text-transform: uppercase; letter-spacing: .08em; font-size: 12px; margin: 0; color: var(--blue); }
h1 { font-size: 27px; margin: 2px 0 0; line-height: 1.25; }
h2 { font-size: 18px; margin: 34px 0 10px; color: var(--blue); }
.banner { padding: 10px 16px; border-radius: 6px; font-weight: 600; }
.banner.good { background: #e6f2e6; color: #2c6b2a; }
.banner.poor { background: #fdf0e0; color: #95530c; }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; display: flex; flex-direction: column; }
.tile b { font-size: 24px; font-variant-numeric: tabular-nums; }
.tile span { font-size: 13px; }
.tile small { color: var(--soft); }
table { width: 100%; border-collapse: collapse; margin: 10px 0 16px; font-size: 14px; }
th { text-align: left; color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); padding: 6px 8px; }
td { border-bottom: 1px solid var(--line); padding: 6px 8px; vertical-align: top; overflow-wrap: break-word; }
td:first-child { min-width: 116px; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.met { color: #2c6b2a; font-weight: 600; }
td.unmet { color: #b3362b; font-weight: 700; }
.facts td:first-child { width: 210px; color: var(--soft); }
.item { margin: 6px 0; padding-left: 18px; position: relative; }
.item::before { content: "\\2022"; position: absolute; left: 4px; color: var(--blue); }
figure { margin: 12px 0; } img { max-width: 100%; }
@media (max-width: 640px) { main { padding: 20px; margin: 0; border: 0; } .tiles { grid-template-columns: 1fr 1fr; } }
@media print { body { background: #fff; } main { border: 0; margin: 0; } section { break-inside: avoid; } }
"""
