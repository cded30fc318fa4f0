"""How audio is read and shipped changes nothing that a training learns."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.datasets.store import Store

from .training import SHORT, assert_equal_runs, run, write_store

pytestmark = pytest.mark.e2e

OTHERWISE = (
    "data.expand_on_device=true",
    "data.io_threads=3",
    "data.check_reads=true",
    "data.prefetch_batches=0",
    "data.pin_memory=true",
)


def test_integers_threads_checks_and_depth_train_the_same_weights(home: Path) -> None:
    code, _, err = run(home, "train", *SHORT, *OTHERWISE, "--run", "otherwise")
    assert code == 0, err
    assert_equal_runs(home / "runs" / "whole", home / "runs" / "otherwise")


def test_a_training_that_checks_what_it_reads_stops_at_damage_and_names_it(tmp_path: Path) -> None:
    folder = tmp_path / "stores" / "noise"
    write_store(folder)
    with Store.open(folder) as store:
        offset = store.recording("Park.1").audio_offset
    with (folder / "rec" / "Park.1.h5").open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
    code, _, err = run(tmp_path, "train", *SHORT, "data.check_reads=true", "--run", "checked")
    assert code == 4
    assert "Park.1, channel 1, second 0: the audio is not what was written" in err
    assert "Traceback" not in err
