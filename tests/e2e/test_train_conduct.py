"""A training that is recorded, saves elsewhere, and ends by its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.engine.lease import read_state

from .training import ENDLESS, SHORT, run, write_store

pytestmark = pytest.mark.e2e


def test_it_is_recorded_and_saves_elsewhere_and_what_follows_finds_it(tmp_path: Path) -> None:
    write_store(tmp_path / "stores" / "tiny")
    elsewhere = tmp_path / "far"
    keys = (
        *("trainer.profile=true", "trainer.profiler_dir=times", "trainer.max_steps=8"),
        *(f"trainer.ckpt_dir={elsewhere}", "trainer.log_model_structure=true"),
    )
    code, _, err = run(tmp_path, "train", *SHORT, *keys, "--run", "a")
    assert code == 0, err
    assert "profile of 5 updates: runs/a/times" in err
    log = (tmp_path / "runs" / "a" / "train.log").read_text()
    assert "generator: CodecNetwork(" in log and "discriminator: Jury(" in log
    assert (tmp_path / "runs" / "a" / "times" / "trace.json").stat().st_size > 10_000
    assert (elsewhere / "a" / "step-000000008" / "state.pt").is_file()
    code, out, err = run(tmp_path, "runs", "show", "a")
    assert "checkpoint step-000000008" in out, err
    more = ("trainer.max_steps=10", "trainer.profile=false")
    code, _, err = run(tmp_path, "train", "--run", "a", "--resume", *more)
    assert code == 0, err
    assert (elsewhere / "a" / "step-000000010").is_dir()
    code, _, err = run(tmp_path, "runs", "remove", "a", "--yes")
    assert code == 0, err
    assert not (elsewhere / "a").exists()
    code, _, err = run(tmp_path, "train", *SHORT, "trainer.ckpt_dir=/proc/none", "--run", "b")
    assert code == 3
    assert "codecctl: trainer.ckpt_dir: found '/proc/none', which cannot hold" in err
    assert not (tmp_path / "runs" / "b").exists()


def test_it_ends_by_its_time_and_goes_on_with_more(tmp_path: Path) -> None:
    write_store(tmp_path / "stores" / "tiny")
    keys = ("trainer.max_time=00:00:01", "trainer.num_sanity_val_steps=1", "--run", "a")
    code, _, err = run(tmp_path, "train", *ENDLESS, *keys)
    assert code == 0, err
    assert "checkpoint saved by trainer.max_time; continue with: codecctl train" in err
    state = read_state(tmp_path / "runs" / "a")
    assert state is not None
    assert (state.status, state.message) == (
        "stopped",
        "stopped by trainer.max_time, checkpoint saved",
    )
    first_log = (tmp_path / "runs" / "a" / "train.log").read_text()
    assert first_log.count(" loading torch\n") == first_log.count("continue with: codecctl ") == 1
    more = ("trainer.max_time=01:00:00", f"trainer.max_steps={state.step + 1}")
    code, _, err = run(tmp_path, "train", "--run", "a", "--resume", *more)
    assert code == 0, err
    again = read_state(tmp_path / "runs" / "a")
    assert again is not None
    assert (again.status, again.step) == ("finished", state.step + 1)
    log = (tmp_path / "runs" / "a" / "train.log").read_text()
    assert log.startswith(first_log)
    assert "resumed" not in first_log
    added = log.removeprefix(first_log)
    assert added.count(" loading torch\n") == added.count("next: codecctl dashboard") == 1
    assert f" step {again.step}/{again.step} epoch " in added
