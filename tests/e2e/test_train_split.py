"""`data split`, `data stage` and `train` together, as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from .training import CODECCTL, TINY, environment, run, write_store

pytestmark = pytest.mark.e2e

FEW = (*TINY, "trainer.max_steps=2", "trainer.max_epochs=1", "trainer.save_every_n_steps=1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_store(tmp_path / "stores" / "noise", seconds=2.2)
    return tmp_path


def test_a_training_keeps_to_the_fold_that_it_is_given(home: Path) -> None:
    code, out, err = run(home, "data", "split", "noise", "--folds", "3", "--name", "three")
    assert (code, "data.split=three:1" in out) == (0, True), err
    code, _, err = run(home, "train", *FEW, "data.split=three:2", "--run", "second")
    assert code == 0, err
    assert "split three:2: training 2, validation 1, test 0 recordings" in err
    (validation,) = json.loads((home / "stores/noise/splits/three.json").read_bytes())["folds"][1][
        "validation"
    ]
    items = json.loads((home / "runs/second/validation_items.json").read_bytes())
    assert {item["recording"] for item in items} == {validation}
    kept = json.loads((home / "runs/second/split.json").read_bytes())
    assert (kept["name"], kept["sides"]["validation"]) == ("three:2", [validation])

    code, _, err = run(home, "train", "--run", "second", "--resume", "data.split=three:1")
    assert (code, "data.split: three:1 now, three:2 then" in err) == (3, True)
    code, _, err = run(home, "train", *FEW, "data.split=four")
    assert (code, "no split four; have: three; make one with" in err) == (5, True)
    code, _, err = run(home, "train", *FEW, "data.split=three:4", "--dry-run")
    assert (code, "no fold 4 of split three; have: three:1 to three:3" in err) == (5, True)


def test_a_leak_is_refused_and_the_split_that_it_names_has_none(home: Path) -> None:
    store = home / "stores" / "noise"
    write_store(store, seconds=2.2, copies=(("Woodland", "Beach"),))
    for dry in ((), ("--dry-run",)):
        code, out, err = run(home, "train", *FEW, *dry)
        assert (code, out, "loading torch" in err) == (4, "", False), err
        assert err.splitlines()[-1] == (
            "codecctl: store noise: training would hear what validation measures: Beach.1 and "
            "Woodland.1: same audio (training and validation); needed sides that share nothing; "
            "make some with: codecctl data split noise --by recording, and train with "
            "data.split=recording"
        )
    assert not (home / "runs").exists()
    code, out, err = run(home, "data", "split", "noise", "--by", "recording", "--json")
    assert code == 0, err
    (fold,) = json.loads(out)["folds"]
    assert sorted(len(side["recordings"]) for side in fold.values()) == [0, 1, 2]


def test_a_stage_that_was_killed_goes_on_and_two_at_once_make_one_copy(home: Path) -> None:
    write_store(home / "stores" / "noise", seconds=90.0)
    command = (str(CODECCTL), "data", "stage", "noise", str(home / "disk"))
    process = subprocess.Popen(command, cwd=home, env=environment(), stderr=subprocess.DEVNULL)
    staging = home / "disk/noise/.staging/rec"
    while not (staging.is_dir() and any(staging.iterdir())):
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.001)  # ends early only if it fails
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (home / "disk/noise/index.json").exists()

    processes = [
        subprocess.Popen(command, cwd=home, env=environment(), stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=60)[0].splitlines()[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert "recordings copied and verified" in said[0]
    assert "complete, all 3 recordings are there" in said[1]
    assert not staging.parent.exists()
