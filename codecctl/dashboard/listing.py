"""A table of rows with fixed columns that is changed cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import DataTable

from codecctl.dashboard.listing_rows import RowLook, row_strip

if TYPE_CHECKING:
    from typing_extensions import Self

Cell = Text | str
_SCROLLBAR = 1


@dataclass(frozen=True)
class ListColumn:
    """A column of a listing."""

    label: str
    width: int
    """In cells; 0 takes what the others leave."""
    from_width: int = 0
    """Only in listings at least this wide."""
    right: bool = False
    """Numbers: aligned to the right."""

    def align(self, text: Text) -> Text:
        """A cell or heading as it stands in this column."""
        if self.right and text.cell_len < self.width:
            text = text.copy()
            text.align("right", self.width)
        return text


class Listing(DataTable[Text]):
    """Rows by key; a row keeps its place and the cursor its row when values change.

    Rows are painted here: the table that this extends paints every cell in sight again when one
    changes, which cost more than the charts below it.

    Args:
        columns: From left to right.
        id: Of the widget.
    """

    _repaints_nothing = False

    def __init__(self, list_columns: Sequence[ListColumn], *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, cursor_type="row", zebra_stripes=False)
        self._list_columns = tuple(list_columns)
        self._shown_columns: tuple[int, ...] = ()
        self._widths: dict[int, int] = {}
        self._rows: dict[str, list[Text]] = {}
        self._given: Mapping[str, Sequence[Cell]] = {}
        """The rows before they were aligned."""
        self._strips: dict[tuple[int, bool, bool], Strip] = {}
        """Painted rows by number, under the cursor or not, under the mouse or not."""
        self._looks: dict[tuple[bool, bool, bool], RowLook] = {}

    @property
    def selected_key(self) -> str | None:
        """The key of the row under the cursor; None in an empty listing."""
        keys = list(self._rows)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def show_rows(self, rows: Mapping[str, Sequence[Cell]]) -> None:
        """Exchange the rows: key -> one cell for every column, visible or not."""
        new = {key: self._aligned(key, cells) for key, cells in rows.items()}
        old, self._rows = self._rows, new
        self._given = dict(rows)
        if not self._shown_columns:
            return
        if list(new) != list(old) or self.row_count != len(new):
            self._fill()
            return
        for row, (key, cells) in enumerate(new.items()):
            changed = [i for i in self._shown_columns if cells[i] is not old[key][i]]
            if changed:
                self._update_row(row, {index: self._fitted(key, index) for index in changed})

    def _update_row(self, row: int, cells: Mapping[int, Text]) -> None:
        """Exchange cells of a row; no other row is painted again."""
        key = list(self._rows)[row]
        self._repaints_nothing = True
        try:
            for index, text in cells.items():
                self.update_cell(key, str(index), text)
        finally:
            self._repaints_nothing = False
        for state in [state for state in self._strips if state[0] == row]:
            del self._strips[state]
        self.refresh_row(row)

    def _aligned(self, key: str, cells: Sequence[Cell]) -> list[Text]:
        """A row as it stands in the columns: what did not change stays the same objects."""
        given, shown = self._given.get(key, ()), self._rows.get(key, [])
        row = []
        for index, (column, cell) in enumerate(zip(self._list_columns, cells, strict=True)):
            if given and _alike(given[index], cell):
                row.append(shown[index])
            else:
                row.append(column.align(cell if isinstance(cell, Text) else Text(cell)))
        return row

    def refresh(
        self,
        *regions: Region,
        repaint: bool = True,
        layout: bool = False,
        recompose: bool = False,
    ) -> Self:
        """As in every widget, but for a cell that changes: see `_update_row`."""
        if self._repaints_nothing:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        """Forget what was painted in other styles."""
        super().notify_style_update()
        self._strips.clear()
        self._looks.clear()

    def render_line(self, y: int) -> Strip:
        """One line: the headings, or a row."""
        row = -1 if y < self.header_height else y - self.header_height + self.scroll_offset.y
        if row >= self.row_count:
            return Strip.blank(self.size.width, self.rich_style)
        state = (
            row,
            row == self.cursor_row >= 0,
            self._show_hover_cursor and row == self.hover_row,
        )
        if state not in self._strips:
            self._strips[state] = self._painted(*state)
        return self._strips[state]

    def _painted(self, row: int, under_cursor: bool, under_mouse: bool) -> Strip:
        look = (row < 0, under_cursor, under_mouse)
        if look not in self._looks:
            self._looks[look] = self._look(*look)
        columns = self.ordered_columns
        texts = [column.label for column in columns] if row < 0 else self.get_row_at(row)
        return row_strip(
            [(text, column.width) for text, column in zip(texts, columns, strict=True)],
            row=row,
            width=self.size.width,
            padding=self.cell_padding,
            look=self._looks[look],
            console=self.app.console,
        )

    def _look(self, is_header: bool, under_cursor: bool, under_mouse: bool) -> RowLook:
        """The styles of a row: the mouse first, the cursor over it."""
        names = ["datatable--hover"] * under_mouse
        names += ["datatable--header-hover"] * (under_mouse and is_header)
        names += ["datatable--cursor"] * under_cursor
        style = Style.combine([Style.null(), *map(self.get_component_rich_style, names)])
        ground = self.rich_style
        if is_header:
            ground = self.get_component_styles("datatable--header").rich_style
        return RowLook(ground + style, Style.from_color(style.color), ground + style)

    def rename_column(self, index: int, label: str) -> None:
        """Change a heading."""
        columns = list(self._list_columns)
        if columns[index].label != label:
            columns[index] = replace(columns[index], label=label)
            self._list_columns = tuple(columns)
            self._arrange(self.size.width)

    def select_key(self, key: str) -> None:
        """Put the cursor on a row, if it is there."""
        if key in self._rows:
            self.move_cursor(row=list(self._rows).index(key), animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Show the columns that have room."""
        if event.size.width:
            self._arrange(event.size.width)

    def _arrange(self, width: int) -> None:
        kept = self.selected_key
        visible = [
            index for index, column in enumerate(self._list_columns) if width >= column.from_width
        ]
        taken = sum(self._list_columns[index].width + 2 * self.cell_padding for index in visible)
        flexible = [index for index in visible if not self._list_columns[index].width]
        rest = max(4, (width - taken - _SCROLLBAR) // max(1, len(flexible)))
        self.clear(columns=True)
        self._strips.clear()
        for index in visible:
            column = self._list_columns[index]
            self._widths[index] = column.width or rest
            label = fitted(column.align(Text(column.label)), self._widths[index])
            self.add_column(label, width=self._widths[index], key=str(index))
        self._shown_columns = tuple(visible)
        self._fill()
        if kept is not None:
            self.select_key(kept)

    def _fill(self) -> None:
        keys = list(self._rows)
        kept = None
        if 0 <= self.cursor_row < self.row_count:
            kept = self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value
        self.clear()
        self._strips.clear()
        for key in keys:
            self.add_row(*(self._fitted(key, index) for index in self._shown_columns), key=key)
        if kept in self._rows:
            self.move_cursor(row=keys.index(kept), animate=False)

    def _fitted(self, key: str, index: int) -> Text:
        return fitted(self._rows[key][index], self._widths[index])


def fitted(text: Text, width: int) -> Text:
    """The first line of a text in so many cells; `…` stands where the rest was."""
    if text.cell_len <= width and "\n" not in text.plain:
        return text
    line, _, rest = text.plain.partition("\n")
    cut = text[: len(line)]
    if rest:
        cut.append("…")
    cut.truncate(width, overflow="ellipsis")
    return cut


def _alike(one: Cell, other: Cell) -> bool:
    """Whether cells look the same; texts that differ in color alone are equal to each other."""
    if isinstance(one, Text) and isinstance(other, Text):
        return one.plain == other.plain and one.spans == other.spans and one.style == other.style
    return isinstance(one, str) and one == other
