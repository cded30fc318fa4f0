"""Charts as CSV."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.curves import Source
from codecctl.dashboard.export import curves_csv, write_new
from codecctl.dashboard.table import Table

from .dashboard_runs import dashboard, make_run, screen_text, settle


def test_every_value_is_a_line() -> None:
    train = Table().add([{"step": 1, "a": 0.1}, {"step": 2, "a": "NaN"}, {"step": 3, "b": 7.0}])
    validation = Table().add([{"step": 2, "val/a": 1.5}])
    source = Source(train, validation, 0.0, 0, name="one, two")
    assert curves_csv([source], ["a", "val/a"], XAxis.STEP).split("\n") == [
        "run,metric,step,value",
        '"one, two",a,1,0.100000001',  # as kept: 32 bits
        '"one, two",a,2,nan',
        '"one, two",val/a,2,1.5',
        "",
    ]


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    names = [write_new(tmp_path, "a", ".csv", b"%d" % index).name for index in range(3)]
    assert names == ["a.csv", "a-2.csv", "a-3.csv"]
    assert [(tmp_path / name).read_text() for name in names] == ["0", "1", "2"]


async def test_a_key_writes_the_charts_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "run")
    monkeypatch.chdir(tmp_path)
    app = dashboard(tmp_path / "runs")
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(app, pilot)
        await pilot.press("f", "e")
        await settle(app, pilot)
        assert "exported to" in screen_text(app)
    with (tmp_path / "codecctl-curves.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["run", "metric", "step", "value"],
        ["run", "val/mel", "0", "2"],
        ["run", "val/mel", "20", "1"],
    ]
