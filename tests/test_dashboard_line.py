"""What the footer and the help tell while one types, and how help is scrolled."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Footer, HelpPanel
from textual.widgets._footer import FooterKey

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.line import Line

from .dashboard_home import make_home
from .dashboard_runs import NOW, dashboard, make_run, settle


def shown_keys(app: DashboardApp) -> list[str]:
    """The footer, key by key."""
    footer = app.screen.query_one(Footer)
    return [f"{key.key_display} {key.description}" for key in footer.query(FooterKey)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("way", "page"),
    [(("F",), ""), (("slash",), ""), (("slash",), "run"), (("9", "slash"), "run")],
)
async def test_while_one_types_the_footer_shows_what_acts(
    tmp_path: Path, way: tuple[str, ...], page: str
) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path, only=page)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        for key in way:
            await pilot.press(key)
            await settle(app, pilot)
        assert shown_keys(app) == ["⏎ Done", "esc Cancel", "f1 Help"]
        await pilot.press("slash", "question_mark", "f1")
        await settle(app, pilot)
        assert len(app.screen.query(HelpPanel)) == 1
        await pilot.press("f1", "escape")
        await settle(app, pilot)
        assert "⏎ Done" not in shown_keys(app)
        assert "? Help" in shown_keys(app)


@pytest.mark.long
async def test_help_is_read_to_its_end_by_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_home(Path("h"))
    app = DashboardApp(Path("h/runs"), clock=lambda: NOW, stores=Path("h/stores"))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("question_mark")
        await settle(app, pilot)
        _, above, below = app.screen.query_one(HelpPanel).children

        async def press(*keys: str) -> tuple[float, float]:
            await pilot.press(*keys)
            await pilot.pause()
            return above.scroll_offset.y, below.scroll_offset.y

        assert await press("j", "down", "k", "j") == (2, 0)
        assert await press("up", "k") == (0, 0)
        end = (above.max_scroll_y, below.max_scroll_y)
        assert min(end) > 0
        assert await press(*["pagedown"] * (2 + end[1] // 10)) == end
        assert await press(*["pageup"] * (2 + end[1] // 10)) == (0, 0)
        await pilot.press("question_mark", "F", "j")  # types where one types
        await settle(app, pilot)
        assert app.screen.query_one("#run-filter", Line).value == "j"
