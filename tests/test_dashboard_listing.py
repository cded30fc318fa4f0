"""Tables: cells that are too long end in a sign, numbers stand below each other."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from codecctl.dashboard.listing import ListColumn, Listing, fitted
from codecctl.dashboard.wording import column_text


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("data/eigenscape.toml", 20, "data/eigenscape.toml"),
        ("data/eigenscape.toml", 18, "data/eigenscape.t…"),
        ("first\nsecond", 20, "first…"),
        ("first\nsecond", 4, "fir…"),
        ("", 4, ""),
    ],
)
def test_a_cell_that_is_too_long_says_so(text: str, width: int, shown: str) -> None:
    assert fitted(Text(text), width).plain == shown


def test_a_cut_cell_keeps_its_colors() -> None:
    cut = fitted(Text("abcdef", style="red"), 4)
    assert cut.plain == "abc…"
    assert cut.style == "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.278, "0.2780"),
        (-39.0, "-39.00"),
        (0.0, "0.000"),
        (1234.0, "1234"),
        (12345.0, "12345"),
        (0.0003, "3.00e-4"),
        (None, "-"),
        (float("nan"), "NaN"),
    ],
)
def test_values_of_a_column_keep_their_zeros(value: float | None, text: str) -> None:
    assert column_text(value) == text


class _Page(App[None]):
    def compose(self) -> ComposeResult:
        yield Listing((ListColumn("name", 0), ListColumn("number", 6, right=True)))


async def test_a_narrower_table_cuts_more_and_a_wider_one_less() -> None:
    app = _Page()
    async with app.run_test(size=(30, 5)) as pilot:
        table = app.query_one(Listing)
        table.show_rows({"a": ["a name of twenty-one", "1234567"], "b": ["b", "2"]})
        await pilot.pause()
        assert [cell.plain for cell in table.get_row("a")] == ["a name of twenty-o…", "12345…"]
        assert [cell.plain for cell in table.get_row("b")] == ["b", "     2"]
        table.show_rows({"a": ["another name of twenty", "7"], "b": ["b", "2"]})
        assert [cell.plain for cell in table.get_row("a")] == ["another name of tw…", "     7"]
        await pilot.resize_terminal(40, 5)
        await pilot.pause()
        assert table.get_row("a")[0].plain == "another name of twenty"


ROWS: dict[str, list[Text | str]] = {
    "plain": ["a name", "12"],
    "styled": [Text("bold", "bold red"), Text("7", "dim")],
    "spans": [Text.assemble(("re", "red"), "mix", ("gr", "on green")), Text("", "reverse")],
    "wide": ["漢字かな交じり文の長い名前", "→"],
    "markup": ["[bold]as it is[/bold]", "[1]"],
}


class _Styled(_Page):
    CSS_PATH = "../codecctl/dashboard/dashboard.tcss"


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "ansi-dark"])
@pytest.mark.parametrize("focused", [True, False])
async def test_rows_look_as_the_table_would_paint_them(theme: str, focused: bool) -> None:
    app = _Styled()
    async with app.run_test(size=(32, 12)) as pilot:
        app.theme = theme
        table = app.query_one(Listing)
        table.show_rows(ROWS)
        if focused:
            table.focus()
        await pilot.press("down")
        for hover in (None, 1, 2, -1):
            table._show_hover_cursor = hover is not None
            table.hover_coordinate = Coordinate(hover or 0, 0)
            await pilot.pause()
            table._pseudo_class_state = table.get_pseudo_class_state()
            for y in range(9):
                assert table.render_line(y) == DataTable.render_line(table, y).simplify(), (
                    y,
                    hover,
                )


async def test_a_changed_cell_paints_its_row_alone() -> None:
    app = _Page()
    async with app.run_test(size=(30, 8)) as pilot:
        table = app.query_one(Listing)
        table.show_rows({"a": ["a", "1"], "b": ["b", "2"], "c": ["c", "3"]})
        await pilot.pause()
        before = [table.render_line(y) for y in range(4)]
        with patch.object(
            Listing, "_painted", autospec=True, side_effect=Listing._painted
        ) as paint:
            table.show_rows({"a": ["a", "1"], "b": ["b", "4"], "c": ["c", "3"]})
            await pilot.pause()
        assert [call.args[1] for call in paint.call_args_list] == [1]
        after = [table.render_line(y) for y in range(4)]
        assert [one is other for one, other in zip(before, after, strict=True)] == [1, 1, 0, 1]
        assert "4" in after[2].text
