"""`codecctl dashboard --once`: text and JSON of all runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.commands import dashboard as command
from codecctl.dashboard.snapshot import read_everything, snapshot_rows, snapshot_text
from codecctl.engine.stages import plan, to_json
from codecctl.errors import NotFoundError, UsageError

NOW = 1_000.0  # long ago: nothing here is alive


def make_run(
    folder: Path, name: str, *, started: float = NOW, losses: tuple[object, ...] = ()
) -> None:
    run = folder / name
    run.mkdir(parents=True)
    (run / "profile.json").write_text('{"name": "paired", "profile": {"mode": "paired"}}')
    rows = [
        {"schema": 1, "step": step, "epoch": 1, "split": "train", "loss/mel": loss}
        for step, loss in enumerate(losses or tuple(1.0 / (1 + step) for step in range(50)))
    ]
    rows.append({"schema": 1, "step": 49, "epoch": 1, "split": "val", "val/mel": 0.5})
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    state = {
        "status": "finished",
        "heartbeat": NOW,
        "started": started,
        "step": 50,
        "max_steps": 50,
    }
    (run / "state.json").write_text(json.dumps(state))


def test_stages_are_listed_with_their_state_and_marked_in_the_curves(tmp_path: Path) -> None:
    make_run(tmp_path, "ss")
    plan_of_two = plan([("warmup", 20), ("adversarial", 80)])
    (tmp_path / "ss" / "stages.json").write_text(json.dumps(to_json(plan_of_two)))
    snapshot = read_everything(tmp_path)
    text = snapshot_text(tmp_path, snapshot, width=80, height=30)
    assert "stages: ✓ warmup 0-20  ▶ adversarial 20-100" in text.split("\n")
    rows = [row for row in text.split("\n") if "┊" in row]
    assert len(rows) > 3
    assert len({row.index("┊") for row in rows}) <= 2  # one upright line in each chart of a row
    assert any("┊adversarial" in row for row in rows)
    (described,) = snapshot_rows(snapshot)
    assert [stage["status"] for stage in described["stages"]] == ["done", "now"]  # type: ignore[attr-defined]  # JSON


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 50), (40, 10), (20, 3)])
def test_the_snapshot_fits_its_size(tmp_path: Path, width: int, height: int) -> None:
    make_run(tmp_path, "paired-20261120-140210")
    make_run(tmp_path, "paired-20261119-231544", started=NOW - 9)
    text = snapshot_text(tmp_path, read_everything(tmp_path), width=width, height=height)
    lines = text.split("\n")
    assert len(lines) <= max(height, 5)  # the table is never cut
    if width >= 80:
        assert max(len(line) for line in lines) <= width
        assert lines[1].split() == [
            "paired-20261120-140210", "✓", "finished", "50/50", "-", "0.5", "0.02"
        ]  # fmt: skip
        assert any(line.startswith("val/mel") for line in lines)
        assert any("⠉" <= character <= "⣿" for character in text)
    assert "\x1b" not in text


def test_scripts_get_one_object_for_each_run(tmp_path: Path) -> None:
    make_run(tmp_path, "b", losses=(1.0, "NaN"))
    make_run(tmp_path, "a", started=NOW - 5)
    rows = snapshot_rows(read_everything(tmp_path))
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert [row["run"] for row in rows] == ["b", "a"]
    assert rows[0]["status"] == "finished"
    train, validation = rows[0]["train"], rows[0]["validation"]
    assert isinstance(train, dict)
    assert isinstance(validation, dict)
    assert train["loss/mel"] == "NaN"
    assert validation["val/mel"] == 0.5


def test_the_command_prints_text_json_and_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    empty = runner.invoke(app, ["dashboard", "--once"])
    assert empty.exit_code == 0
    assert "codecctl train --profile paired" in empty.stdout
    make_run(tmp_path / "runs", "first")
    make_run(tmp_path / "elsewhere", "second")
    text = runner.invoke(app, ["dashboard", "--once", "--width", "80", "--height", "24"]).stdout
    assert re.search(r"^first +✓ finished", text, re.MULTILINE)
    assert (
        json.loads(runner.invoke(app, ["dashboard", "--once", "--json"]).stdout)[0]["run"]
        == "first"
    )
    for place in ("elsewhere", "elsewhere/second"):
        assert "second" in runner.invoke(app, ["dashboard", place, "--once"]).stdout
    assert runner.invoke(app, ["dashboard", "--once", "--json", "elsewhere"]).exit_code == 0


def test_what_cannot_be_shown_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match=r"nothing: no folder of runs and no run in runs"):
        command.dashboard("nothing", once=True)
    with pytest.raises(UsageError, match=r"--json: belongs to --once"):
        command.dashboard(json=True)
    with pytest.raises(UsageError, match=r"--steer: belongs to --web"):
        command.dashboard(steer=True)
    with pytest.raises(UsageError, match=r"--steer: contradicts --read-only"):
        command.dashboard(web=True, steer=True, read_only=True)
    with pytest.raises(UsageError, match=r"--port: belongs to --web"):
        command.dashboard(port=9000)
    with pytest.raises(UsageError, match=r"stdout is no terminal; use --once"):
        command.dashboard()


@pytest.mark.long
def test_neither_the_application_nor_the_snapshot_loads_anything_heavy(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    code = """
import asyncio, sys
from pathlib import Path
from codecctl.dashboard.snapshot import read_everything, snapshot_text
folder = Path(sys.argv[1])
print(snapshot_text(folder, read_everything(folder), width=80, height=24))
assert "textual" not in sys.modules, "the snapshot needs no screen"
from codecctl.dashboard.app import DashboardApp
async def watch():
    app = DashboardApp(folder)
    async with app.run_test() as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await pilot.pause()
asyncio.run(watch())
print("HEAVY", sorted({"torch", "h5py", "soundfile", "wandb", "pydantic"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("HEAVY []\n")
