"""Short trainings that figures are made of: run through `codecctl train`, once each.

Every comparison takes the same schedule: `model=tiny` with `trainer=demo`, windows of half a
second, a warm-up of a twentieth and a cosine over all steps, codebooks that follow as slowly as the
profiles say (decay 0.99), and no discriminators unless a comparison asks for them.
Trainings of 180 steps, as in `trainer=demo` alone, need faster codebooks; these are longer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from codecctl.engine.rundir import number, read_metrics, read_state

EPOCHS = 10
SEGMENT_SECONDS = 0.5
NO_DISCRIMINATORS = (
    "trainer.loss_config.adversarial.weights.generator=0",
    "trainer.loss_config.adversarial.weights.feature=0",
)


def short_training(
    *, steps: int, signals: int, capsules: int, seed: int, decay: float | None = 0.99
) -> list[str]:
    """Changes to a profile, as `train` takes them.

    Args:
        steps: Updates in all; a multiple of twice `EPOCHS`.
        signals: Capsule windows of a batch, however many belong to one moment.
        capsules: Of an item.
        seed: Of weights, windows and codebooks.
        decay: Of the codebooks' averages; None where there are no codebooks.
    """
    assert steps % (2 * EPOCHS) == 0 and signals % capsules == 0, (steps, signals, capsules)
    return [
        "model=tiny",
        "trainer=demo",
        f"data.segment_seconds={SEGMENT_SECONDS}",
        f"data.batch_size={signals // capsules}",
        f"data.val_batch_size={signals // capsules}",
        f"data.val_items={max(1, 48 // capsules)}",
        *([] if decay is None else [f"model.quantizer.decay={decay}"]),
        f"trainer.seed={seed}",
        f"trainer.max_steps={steps}",
        f"trainer.max_epochs={EPOCHS}",
        f"trainer.updates_per_epoch={steps // EPOCHS}",
        "trainer.scheduler.config.warmup_epochs=0.5",
        f"trainer.val_every_n_steps={2 * steps // EPOCHS}",
        f"trainer.save_every_n_steps={2 * steps // EPOCHS}",
        f"trainer.keep_last={EPOCHS}",
        "trainer.log_every_n_steps=10",
        "trainer.previews.items=0",
    ]


def trained(folder: Path, store: Path, *, name: str, profile: str, changes: Sequence[str]) -> Path:
    """The run of that name below a folder; trained to its end first where it is not yet.

    Raises:
        subprocess.CalledProcessError: The training failed; its last lines are in `NAME.log`.
    """
    run = folder / "runs" / name
    state = read_state(run) if run.is_dir() else None
    if state is not None and state.status == "finished":
        return run
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(Path(sys.executable).with_name("codecctl")), "train", "--profile", profile]
    again = ["--resume"] if run.is_dir() else []
    arguments = [*changes, f"data.store={store.resolve()}"]
    with (folder / f"{name}.log").open("ab") as log:
        subprocess.run(
            [*command, *arguments, "--run", name, *again],
            env={**os.environ, "CODECCTL_HOME": str(folder), "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=log,
            check=True,
        )
    return run


def curve(run: Path, split: str, name: str) -> list[tuple[int, float]]:
    """Steps and values of one number in the rows of `train` or `val`."""
    pairs = [(number(row["step"]), number(row.get(name))) for row in read_metrics(run, split)]
    return [(int(step), value) for step, value in pairs if step is not None and value is not None]


def kept(path: Path) -> Mapping[str, object] | None:
    """A result that was measured before, if there is one."""
    if not path.is_file():
        return None
    found: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return found


def keep(path: Path, result: Mapping[str, object]) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def stamp(text: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
