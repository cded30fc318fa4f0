"""How batches and epochs of a profile have to fit each other."""

from __future__ import annotations

from collections.abc import Iterator

from codecctl.engine.limits import Limit, limited
from codecctl.engine.profile.findings import Finding, disagreement
from codecctl.engine.profile.schema_data import Data
from codecctl.engine.profile.schema_lossless import LosslessData, LosslessTrainer
from codecctl.engine.profile.schema_trainer import Trainer


def check_epoch(data: Data | LosslessData, trainer: Trainer | LosslessTrainer) -> Iterator[Finding]:
    """Counts of items and batches that contradict each other, or leave nothing."""
    items = "data.num_chunks" if isinstance(data, LosslessData) else "data.items_per_epoch"
    whole = trainer.updates_per_epoch or data.items_per_epoch // data.batch_size
    if not whole:
        yield disagreement(
            items,
            f"found {data.items_per_epoch}, allowed: at least data.batch_size = {data.batch_size}",
            "data.batch_size",
        )
    else:
        yield from _check_limit(
            "train", trainer.limit_train_batches, whole, (items, "data.batch_size")
        )
    batches = -(-data.val_items // data.val_batch_size)
    yield from _check_limit(
        "val", trainer.limit_val_batches, batches, ("data.val_items", "data.val_batch_size")
    )
    if data.batch_size % trainer.accumulate_grad_batches:
        yield disagreement(
            "trainer.accumulate_grad_batches",
            f"found {trainer.accumulate_grad_batches}, allowed: a divisor of data.batch_size = "
            f"{data.batch_size}",
            "data.batch_size",
        )


def _check_limit(
    name: str, limit: Limit, total: int, related: tuple[str, ...]
) -> Iterator[Finding]:
    if limited(total, limit) == 0:
        yield disagreement(
            f"trainer.limit_{name}_batches",
            f"found {limit}, which is none of {total} {'batch' if total == 1 else 'batches'}; "
            f"allowed: a share of at least {1 / total:.3g}, or a whole number of batches",
            *related,
        )
