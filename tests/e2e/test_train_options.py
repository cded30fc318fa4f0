"""`codecctl train` with options that no shipped profile has on."""

from __future__ import annotations

import json
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
