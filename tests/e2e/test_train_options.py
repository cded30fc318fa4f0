"""`codecctl train` with options that no shipped profile has on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from .training import SHORT, run

pytestmark = pytest.mark.e2e


def test_averaged_weights_and_batches_in_parts_train_and_resume(home: Path) -> None:
    """Stopped after three steps, resumed in another number of parts."""
    options = ("trainer.ema.enabled=true", "trainer.ema.decay=0.5", "trainer.max_steps=3")
    code, _, err = run(home, "train", *SHORT, *options, "--run", "averaged")
    assert code == 0, err
    further = ("trainer.max_steps=5", "trainer.accumulate_grad_batches=2")
    again = (*SHORT, *options, *further, "--run", "averaged", "--resume")
    code, _, err = run(home, "train", *again)
    assert code == 0, err
    folder = home / "runs" / "averaged"
    checkpoint = folder / "checkpoints" / "step-000000005"
    meta = json.loads((checkpoint / "meta.json").read_text(encoding="utf-8"))
    assert meta["metrics_of"] == "ema.safetensors" and "val/mel" in meta["metrics"]
    averaged, last = (
        (checkpoint / name).read_bytes() for name in ("ema.safetensors", "weights.safetensors")
    )
    assert len(averaged) == len(last) and averaged != last
    log = (folder / "train.log").read_text(encoding="utf-8")
    assert "best checkpoint use the averaged weights" in log


def test_tensorboard_shows_rows_and_previews_of_a_resumed_training(home: Path) -> None:
    pytest.importorskip("tensorboard", reason="an extra of the package")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    words = (*SHORT, "trainer.logger=tensorboard", "--run", "boarded")
    code, _, err = run(home, "train", *words, "trainer.max_steps=2")
    assert code == 0, err
    code, _, err = run(home, "train", *words, "trainer.max_steps=3", "--resume")
    assert code == 0, err
    assert "tensorboard --logdir" in err

    (file,) = (home / "runs" / "boarded" / "tensorboard").iterdir()
    found = EventAccumulator(str(file))
    found.Reload()
    assert [event.step for event in found.Scalars("train/loss/mel")] == [1, 2, 3]
    assert [event.step for event in found.Scalars("val/mel")] == [0, 2, 3]
    assert [event.step for event in found.Audio("reference/item-000")] == [0]
    assert [event.step for event in found.Audio("preview/item-000")] == [0, 2, 3]


def test_a_logger_that_is_not_installed_is_refused_before_anything_is_made(home: Path) -> None:
    code = "import sys; sys.modules['tensorboard'] = None; sys.argv[0] = 'codecctl'\n"
    program = (sys.executable, "-c", code + "from codecctl.cli import main; main()")
    words = (*SHORT, "trainer.logger=both", "--run", "bare")
    status, _, err = run(home, "train", *words, program=program)
    assert status == 3
    assert "pip install 'codecctl[tensorboard]'" in err
    assert not (home / "runs" / "bare").exists()
