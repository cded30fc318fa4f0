"""Event files, read back by TensorBoard itself."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from codecctl.engine.mirror import Job
from codecctl.engine.rundir import RunDirectory, read_json
from codecctl.engine.tensorboard_mirror import FOLDER, mirror
from codecctl.engine.tracking import TrackerSettings, start_trackers

pytest.importorskip("tensorboard", reason="an extra of the package")
if TYPE_CHECKING:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

SETTINGS = TrackerSettings("disabled", "p", "n", tensorboard=True)


def _run(folder: Path) -> RunDirectory:
    run = RunDirectory.create(folder / "a")
    run.write_json("profile.json", {"profile": {"mode": "toy", "data": {"rate": 24000}}})
    run.write_json("environment.json", {"sides": {"training": {"recordings": 46}}})
    return run


def _metric(run: RunDirectory, step: int, split: str, name: str, value: float) -> None:
    run.metric(step, split, {name: value}, epoch=1, seconds=1.0, audio_seconds=1.0)


def _read(run: Path) -> EventAccumulator:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (file,) = (run / FOLDER).iterdir()
    found = EventAccumulator(str(file))
    found.Reload()
    return found


def _curve(found: EventAccumulator, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in found.Scalars(tag)]


def _copy(run: RunDirectory, *, step: int, metrics_bytes: int = 0, events_bytes: int = 0) -> None:
    mirror(Job(run.path, step, metrics_bytes, events_bytes, arguments=(), ended=lambda: True))


def test_rows_become_curves_by_split_and_what_is_not_finite_stays(tmp_path: Path) -> None:
    run = _run(tmp_path)
    _metric(run, 1, "train", "loss/mel", 0.5)
    _metric(run, 2, "train", "loss/mel", math.nan)
    _metric(run, 3, "train", "loss/mel", math.inf)
    _metric(run, 3, "val", "val/mel", 0.25)
    _copy(run, step=0)

    found = _read(run.path)
    (first, nan, infinite) = _curve(found, "train/loss/mel")
    assert (first, nan[0], infinite) == ((1, 0.5), 2, (3, math.inf))
    assert math.isnan(nan[1])
    assert _curve(found, "val/mel") == [(3, 0.25)]
    assert _curve(found, "train/audio_seconds") == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert read_json(run.path / "tensorboard.json") == {
        "schema": 1,
        "error": "",
        "finished": True,
    }


def test_profile_and_environment_can_be_read_there(tmp_path: Path) -> None:
    run = _run(tmp_path)
    _copy(run, step=0)
    found = _read(run.path)
    texts = [
        found.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in ("profile", "environment")
    ]
    assert '"rate": 24000' in texts[0]
    assert '"recordings": 46' in texts[1]


def test_a_preview_is_audio_at_its_step_and_the_reference_comes_once(tmp_path: Path) -> None:
    run = _run(tmp_path)
    ramp = np.linspace(-0.5, 0.5, 100)
    for step in (0, 500):
        for name in ("reference", f"step-{step:09d}"):
            (run.path / "previews" / name).mkdir(exist_ok=True)
            file = run.path / "previews" / name / "item-000.wav"
            soundfile.write(file, np.stack([ramp, -ramp], 1), 24000, subtype="PCM_24")
        run.event("preview", step, "1 items")
    _copy(run, step=0)

    found = _read(run.path)
    assert [event.step for event in found.Audio("reference/item-000")] == [0]
    heard = found.Audio("preview/item-000")
    assert [event.step for event in heard] == [0, 500]
    audio, rate = soundfile.read(io.BytesIO(heard[1].encoded_audio_string))
    assert rate == heard[1].sample_rate == 24000
    np.testing.assert_allclose(audio, np.stack([ramp, -ramp], 1), atol=2**-15)


def test_a_resumed_run_is_one_curve_without_what_it_replaced(tmp_path: Path) -> None:
    run = _run(tmp_path)
    for step in range(1, 6):
        _metric(run, step, "train", "loss/mel", step / 8)
    _copy(run, step=0)
    size = (run.path / "metrics.jsonl").stat().st_size
    for step in range(4, 8):  # a checkpoint of step 3
        _metric(run, step, "train", "loss/mel", -step / 8)
    _copy(run, step=3, metrics_bytes=size)

    expected = [(step, (step if step < 4 else -step) / 8) for step in range(1, 8)]
    assert _curve(_read(run.path), "train/loss/mel") == expected


@pytest.mark.e2e
def test_it_runs_beside_a_training_and_says_how_to_look(tmp_path: Path) -> None:
    run = _run(tmp_path)
    trackers = start_trackers(run.path, SETTINGS)
    _metric(run, 1, "train", "loss/mel", 0.5)
    run.close()
    folder = run.path / FOLDER
    assert trackers.finish(60) == (f"tensorboard: look at it with: tensorboard --logdir {folder}",)
    assert _curve(_read(run.path), "train/loss/mel") == [(1, 0.5)]


@pytest.mark.e2e
def test_a_mirror_that_cannot_write_is_a_note(tmp_path: Path) -> None:
    run = _run(tmp_path)
    (run.path / FOLDER).write_text("a file where a folder has to be", encoding="utf-8")
    trackers = start_trackers(run.path, SETTINGS)
    run.close()
    (note,) = trackers.finish(60)
    assert note.startswith("tensorboard: failed (")
    assert note.endswith("tensorboard.log")


@pytest.mark.e2e
def test_it_needs_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from codecctl.engine.mirror import Job\n"
        "from codecctl.engine.tensorboard_mirror import mirror\n"
        "mirror(Job(Path(sys.argv[1]), 0, 0, 0, arguments=(), ended=lambda: True))\n"
        "print(sorted({'torch', 'tensorflow', 'wandb'} & set(sys.modules)))\n"
    )
    run = _run(tmp_path)
    run.close()
    said = subprocess.run(
        [sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
