"""Keys of `trainer.` that say how long, on how much and with which aids a training runs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from codecctl.engine.profile.constraints import CLOSED, Count, CountOrZero, Share, Text


class Conduct(BaseModel):
    """What every trainer has, whatever it trains."""

    model_config = CLOSED

    max_time: str
    """`DD:HH:MM:SS` or `HH:MM:SS` of updates over all resumes, after which the training saves and
    stops; empty: no limit."""
    limit_train_batches: Count | Share
    """Batches of an epoch: at most so many, or with a point a share of them; 1.0: all."""
    limit_val_batches: Count | Share
    """Validation measures the items of so many batches, or with a point of a share of them; 1.0:
    all of data.val_items."""
    overfit_batches: CountOrZero
    """Train on the first so many batches again and again; 0: on all audio."""
    fast_dev_run: bool
    """One update, one validation batch and no tracker: whether everything runs."""
    gradient_clip_algorithm: Literal["norm", "value"]
    """norm: `gradient_clip_val` bounds the norm of all gradients; value: each number of them."""
    benchmark: bool
    """Let cuDNN try which of its algorithms is fastest for each shape; without influence on a
    CPU, and another one may round otherwise."""
    num_sanity_val_steps: CountOrZero
    """Validation batches to try before the first update of a job, also of one that resumes."""
    profile: bool
    """Record five updates, after two that are left out, with torch's profiler."""
    profiler_dir: Text
    """Folder of that record: below the run directory, or an absolute path."""
    ckpt_dir: Text
    """`checkpoints`: in the run directory; else a folder in which each run has one of its name, and
    `checkpoints` in the run directory leads there."""


def seconds_of(max_time: str) -> float | None:
    """Seconds of `DD:HH:MM:SS` or `HH:MM:SS`; None where there is no limit.

    Raises:
        ValueError: It is written otherwise, or no time.
    """
    if not max_time:
        return None
    parts = [int(part) for part in max_time.split(":")]
    if not 3 <= len(parts) <= 4 or min(parts) < 0 or max(parts[-2:]) > 59:
        raise ValueError(max_time)
    days, hours, minutes, seconds = [0] * (4 - len(parts)) + parts
    total = 86400.0 * days + 3600 * hours + 60 * minutes + seconds
    if not total:
        raise ValueError(max_time)
    return total
