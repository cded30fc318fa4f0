"""The survey of whole arrays on the page of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codecctl.dashboard.array_pane import ArrayPane, array_lines
from codecctl.dashboard.run_screen import TABS
from codecctl.engine.array_report import latest_report

from .dashboard_runs import dashboard, make_run, screen_text, settle


def write_report(run: Path, step: int, *, probe: float) -> None:
    """Two groups of angles, of 2 and 1 pairs."""

    def groups(agreement: tuple[float, float]) -> list[dict[str, object]]:
        return [
            {
                "degrees": degrees,
                "pairs": pairs,
                "agreement": value,
                "chance": 0.125,
                "coherence": [0.9, 0.8, coherence, 0.1, 0.0],
            }
            for degrees, pairs, value, coherence in zip(
                (20.6, 90.0), (2, 1), agreement, (0.71, 0.32), strict=True
            )
        ]

    told = {"bits": 1.0, "shuffled": 0.1, "entropies": [3.0, 5.0]}
    found = {"chance": 0.031, "low": probe - 0.01, "high": probe + 0.01}
    report = {
        "schema": 1,
        "step": step,
        "items": 2,
        "first_matrix": [[1.0] * 32] * 32,
        "first_by_angle": groups((0.5, 0.2)),
        "second_by_angle": groups((0.1, 0.1)),
        "between_first": told,
        "of_capsule": [told, told],
        "probes": [{"accuracy": 0.04, **found}, {"accuracy": probe, **found}],
        "codes_kbps": 24.75,
        "apart_kbps": 48.0,
        "shared": {"mel": 0.4},
        "apart": {"mel": 0.3},
    }
    (run / "array").mkdir(exist_ok=True)
    (run / "array" / f"step-{step:09d}.json").write_text(json.dumps(report), encoding="utf-8")


def test_the_lines_set_agreement_beside_angle_chance_and_coherence(tmp_path: Path) -> None:
    write_report(tmp_path, 20, probe=0.25)
    report = latest_report(tmp_path)
    assert report is not None
    summary, *table, probe = array_lines(report)
    assert summary.startswith("step 20, all 32 capsules: first codes agree in 40.0% of frames")
    assert [line.split()[-2:] for line in table] == [
        ["21°", "90°"],
        ["0.50", "0.20"],
        ["0.12", "0.12"],
        ["0.71", "0.32"],
    ]
    assert len({len(line) for line in table}) == 1
    groups = report.first_by_angle
    many = report.model_copy(update={"first_by_angle": (groups * 6)[:11]})  # as of an em32
    assert max(len(line) for line in array_lines(many)[1:-1]) <= 78
    assert probe == "probe on second codes 0.250, 95% 0.240 to 0.260, chance 0.031"


@pytest.mark.long
async def test_the_validation_tab_follows_the_last_survey(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press(str(TABS.index("validation") + 1))
        await settle(app, pilot)
        assert not app.screen.query_one(ArrayPane).display
        write_report(run, 20, probe=0.25)
        await settle(app, pilot)
        assert "probe on second codes 0.250" in screen_text(app)
        write_report(run, 40, probe=0.5)
        await settle(app, pilot)
        text = screen_text(app)
        assert "step 40, all 32 capsules" in text
        assert "probe on second codes 0.500" in text
        assert " mel " in text  # the table is still there
