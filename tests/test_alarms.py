from __future__ import annotations

from pathlib import Path

from codecctl.engine.alarms import Alarms
from codecctl.engine.rundir import RunDirectory, read_rows


def test_a_codebook_that_collapses_is_told_once_until_it_recovers(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    alarms = Alarms(run)
    for step, usage in ((0, 0.0), (1, 0.5), (2, 0.05), (3, 0.01), (4, 0.4), (5, 0.02)):
        alarms.look(step, {"val/codebook/2/usage": usage, "val/codebook/1/usage": 0.9})
    alarms.look(6, {"codebook/1/usage": 0.0, "loss/mel": 0.0})
    run.close()

    warnings = read_rows(run.path / "events.jsonl")
    assert [(row["kind"], row["step"]) for row in warnings] == [("warning", 2), ("warning", 5)]
    assert str(warnings[0]["message"]).startswith("codebook 2 uses 5.0 % of its entries")
