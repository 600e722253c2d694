"""How rows of text are laid out in a terminal: a table where it fits, else one paragraph a row.

A word is never cut: ids, names of tables and codes are there to be copied. What is shown, and how a value reads, is not
decided here.
"""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_FRAME = 3
"""Characters that a column takes beside its text: two spaces and a line."""
_INDENT = (0, 0, 0, 2)
_SHORT = 40
"""In a paragraph a longer value stands on lines of its own."""


class Listing:
    """Rows under a title. `numbers` are the columns that stand to the right."""

    def __init__(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]
    ) -> None:
        self._title = title
        self._columns = columns
        self._numbers = numbers
        self._heads = [Text.from_markup(name) for name in columns]
        self._rows = [[Text.from_markup(value) for value in row] for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - _FRAME * len(self._columns) - 1
        cells = [[head, *(row[at] for row in self._rows)] for at, head in enumerate(self._heads)]
        least = [max(_longest_word(cell) for cell in column) for column in cells]
        if sum(least) > room and len(self._rows):
            yield from self._paragraphs()
        else:
            yield self._table(shared_out(least, [max(map(_longest_line, column)) for column in cells], room))

    def _table(self, widths: Sequence[int]) -> Table:
        made = Table(title=self._title, title_justify="left", header_style="bold")
        for name, is_number, width in zip(self._columns, self._numbers, widths, strict=True):
            made.add_column(name, justify="right" if is_number else "left", width=width, overflow="fold")
        for row in self._rows:
            made.add_row(*row)
        return made

    def _paragraphs(self) -> Iterator[Text | Padding]:
        """Each row as its first value, the short ones beneath it in a line, and each long one on its own."""
        yield Text(self._title, style="italic")
        for first, *others in self._rows:
            yield _in(first, "bold") if first.plain else Text("-")
            told = [(head, cell) for head, cell in zip(self._heads[1:], others, strict=True) if cell.plain]
            short = [Text.assemble(_in(head, "dim"), " ", cell) for head, cell in told if _longest_line(cell) <= _SHORT]
            if short:
                yield Padding(Text(", ").join(short), _INDENT)
            for head, cell in told:
                if _longest_line(cell) > _SHORT:
                    yield Padding(Text.assemble(_in(head, "dim"), ": ", cell), _INDENT)


def shared_out(least: Sequence[int], whole: Sequence[int], room: int) -> list[int]:
    """Widths of columns between what each needs at least and what it fills; the room that is over goes to the
    narrowest that could use it, so that what is short stays on one line."""
    widths = list(least)
    for _ in range(max(0, room - sum(least))):
        wanting = [at for at, width in enumerate(widths) if width < whole[at]]
        if not wanting:
            break
        widths[min(wanting, key=lambda at: (widths[at], at))] += 1
    return widths


def _in(text: Text, style: str) -> Text:
    styled = text.copy()
    styled.stylize(style)
    return styled


def _longest_word(text: Text) -> int:
    return max((Text(word).cell_len for word in text.plain.split()), default=0)


def _longest_line(text: Text) -> int:
    return max((Text(line).cell_len for line in text.plain.splitlines()), default=0)
