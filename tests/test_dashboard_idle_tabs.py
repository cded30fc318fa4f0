"""An open tab of a run costs no arranging of the page while nothing happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen

from codecctl.dashboard.run_screen import TABS

from .dashboard_runs import dashboard, make_run, settle
from .preview_files import write_item


@pytest.mark.long
async def test_no_tab_is_arranged_anew_by_a_reading_without_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, "run")
    write_item(run, 20, codes=[[[5, 6, 7] * 20, [1, 2, 3] * 20]] * 2)
    (run / "train.log").write_text("step 0: started\n", encoding="utf-8")
    arranged: list[str] = []
    idle = ""
    inner = Screen._refresh_layout

    def watched(screen: Screen[Any], *sizes: Any, **options: Any) -> None:
        if idle:
            arranged.append(idle)
        inner(screen, *sizes, **options)

    monkeypatch.setattr(Screen, "_refresh_layout", watched)  # listens
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(84, 26)) as pilot:
        await settle(app, pilot)
        for number, tab in enumerate(TABS, start=1):
            await pilot.press(str(number))
            await settle(app, pilot)
            await settle(app, pilot)
            idle = tab
            await settle(app, pilot)
            await settle(app, pilot)
            idle = ""
    assert arranged == []
