"""What goes wrong with `codecctl train` is one clear line, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest

from codecctl.engine.checked_file import CheckedFile
from codecctl.engine.checkpoint_files import write_checkpoint
from codecctl.engine.rundir import read_state, step_name

from .training import SHORT, STEPS, run, write_store

pytestmark = pytest.mark.e2e


def test_a_training_that_diverges_names_the_loss_and_the_windows(home: Path) -> None:
    change = "trainer.optimizer.config.lr=1e30"
    code, _, err = run(home, "train", *SHORT, change, "--run", "diverged")
    assert code == 1
    last = err.strip().splitlines()[-1]
    assert last.startswith("codecctl: step ")
    assert "is not finite" in last
    crash = (home / "runs" / "diverged" / "crash.txt").read_text(encoding="utf-8")
    assert "  1: " in crash
    assert ", from frame " in crash
    state = read_state(home / "runs" / "diverged")
    assert state is not None
    assert (state.status, "is not finite" in state.message) == ("failed", True)


def test_a_resume_that_cannot_read_its_checkpoint_keeps_the_step_of_the_run(home: Path) -> None:
    shutil.copytree(home / "runs" / "whole", home / "runs" / "foreign")

    def write(file: CheckedFile) -> None:
        file.write(pickle.dumps(os.system))

    folder = home / "runs" / "foreign" / "checkpoints"
    write_checkpoint(folder, step_name(STEPS), files={"state.pt": write}, meta={"step": STEPS})

    code, _, err = run(home, "train", "--run", "foreign", "--resume")

    assert (code, "state.pt: not a checkpoint of codecctl" in err) == (1, True)
    state = read_state(home / "runs" / "foreign")
    assert state is not None
    assert (state.status, state.step) == ("failed", STEPS)


def test_a_name_that_is_taken_is_refused_and_nothing_changes(home: Path) -> None:
    before = (home / "runs" / "whole" / "metrics.jsonl").read_bytes()
    code, out, err = run(home, "train", *SHORT, "--run", "whole")
    assert (code, out) == (2, "")
    assert "whole: a run of this name exists in runs; choose another with --run NAME" in err
    assert (home / "runs" / "whole" / "metrics.jsonl").read_bytes() == before


def test_no_store_two_stores_and_a_misfit_are_told_before_torch_is_loaded(tmp_path: Path) -> None:
    code, _, err = run(tmp_path, "train", *SHORT)
    assert (code, "stores: no store here; make one with: codecctl data ingest" in err) == (5, True)

    write_store(tmp_path / "stores" / "slow", rate=16000)
    code, _, err = run(tmp_path, "train", *SHORT)
    assert code == 4
    assert "found 16000 Hz, needed 24000 Hz" in err
    assert "codecctl data ingest FOLDER --name slow-24000 --rate 24000" in err

    for name in ("one", "two"):
        write_store(tmp_path / "stores" / name)
    code, _, err = run(tmp_path, "train", *SHORT)
    assert code == 2
    assert "found 2 stores that fit (one, two), needed one; choose with data.store=one" in err
    assert "loading torch" not in err
    assert not (tmp_path / "runs").exists()


def test_a_store_of_another_version_and_a_truncated_one_are_refused(tmp_path: Path) -> None:
    store = tmp_path / "stores" / "one"
    write_store(store)
    index = store / "index.json"
    written = index.read_text(encoding="utf-8")
    content = json.loads(written)
    key = next(key for key in content if "version" in key)
    index.write_text(json.dumps({**content, key: 999}), encoding="utf-8")
    code, _, err = run(tmp_path, "train", *SHORT)
    assert (code, "999" in err) == (4, True)

    index.write_text(written, encoding="utf-8")
    recording = store / "rec" / "Park.1.h5"
    os.truncate(recording, recording.stat().st_size // 2)
    code, _, err = run(tmp_path, "train", *SHORT)
    assert (code, "Park.1.h5" in err) == (4, True)
    assert len(err.strip().splitlines()[-1]) > 20
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "found no profile; name one with --profile"),
        (("--profile", "pared"), 5, "did you mean 'paired'"),
        (("--profile", "paired", "--run", "a/b"), 2, "no plain folder name"),
        (("--profile", "paired", "--speling", "1"), 2, "no option --speling"),
        (("--profile", "paired", "trainer.max_step=1"), 3, "did you mean 'max_steps'"),
    ],
)
def test_a_wrong_command_line_is_one_clear_error(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, out, err = run(tmp_path, "train", *arguments)
    assert (found, out) == (code, ""), err
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
