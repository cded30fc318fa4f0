"""Words that are told again: painted when they change, arranged when their height does."""

from __future__ import annotations

import pytest
from rich.text import Text
from textual.app import App, ComposeResult

from codecctl.dashboard.still_text import StillText


class TextApp(App[None]):
    CSS = "StillText { height: auto; }"

    def compose(self) -> ComposeResult:
        yield StillText()


async def test_words_are_painted_when_they_change_and_grow_by_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = TextApp()
    async with app.run_test(size=(40, 6)) as pilot:
        text = app.query_one(StillText)
        text.tell("3 runs")
        await pilot.pause()
        asked: list[bool] = []
        update = text.update

        def watched(content: Text, *, layout: bool = True) -> None:
            asked.append(layout)
            update(content, layout=layout)

        monkeypatch.setattr(text, "update", watched)
        text.tell("3 runs")
        assert asked == []
        text.tell(Text("3 runs", "bold"))
        text.tell("4 runs, 2 lost")
        assert asked == [False, False]
        text.tell("4 runs\nsave asked")
        await pilot.pause()
        assert asked == [False, False, True]
        assert text.size.height == 2
        lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        assert lines[:2] == ["4 runs", "save asked"]
