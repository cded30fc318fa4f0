"""Three updates of each profile at its documented batch size and network, on the CPU.

    .venv/bin/python -m benchmarks.full_size_steps STORE OUT [--only mono] [--steps 3]

Each measure is a process of its own with one thread: seconds of an update by the clock and in CPU,
the peak of its memory, parameters. Validation is off. `-gan` begins with the discriminators, one
update, where the profile starts them later; `32ch-VIEW` are the ways in which discriminators see
32 channels. Micro-batches are chosen to stay below 9 GB and train the same update. What is there
already is not done again. Results: OUT/full/PART.json.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.training.short import keep, kept, stamp
from codecctl.datasets.prefetch import Prefetcher
from codecctl.datasets.store import Store
from codecctl.engine.dryrun import count_parameters
from codecctl.engine.prepare import prepare
from codecctl.engine.profile import load_profile


@dataclass(frozen=True)
class Part:
    """A profile, how often, and in how many micro-batches."""

    profile: str
    accumulate: int
    steps: int = 0
    """0: as many as the command line says."""
    changes: tuple[str, ...] = ()


_NOW = ("trainer.discriminator.start.step=0", "trainer.discriminator.update_probability=1")
PARTS = {
    "mono": Part("mono", 4),
    "paired": Part("paired", 4),
    "paired-bounded": Part("paired-bounded", 4),
    "baseline-32ch": Part("baseline-32ch", 4),
    "mono-gan": Part("mono", 8, steps=1, changes=_NOW),
    "paired-gan": Part("paired", 8, steps=1, changes=_NOW),
    "paired-bounded-gan": Part("paired-bounded", 8, steps=1, changes=_NOW),
    "baseline-1ch": Part("baseline-1ch", 16),
    **{
        f"32ch-{view}": Part(
            "baseline-32ch", 4, steps=2, changes=(f"model.discriminators.0.channels={view}",)
        )
        for view in ("all", "random_one", "pairs", "fold_batch")
    },
}


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--only", default="", help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--here", action="store_true", help="in this process")
    given = parser.parse_args()
    for name in [given.only] if given.only else PARTS:
        path = given.out / "full" / f"{name}.json"
        if kept(path) is not None:
            continue
        if given.here:
            part = PARTS[name]
            keep(path, measured(part, given.store, steps=part.steps or given.steps))
            continue
        stamp(f"{name}: begun")
        arguments = [str(given.store), str(given.out), "--only", name, "--steps", str(given.steps)]
        subprocess.run(
            [sys.executable, "-m", "benchmarks.full_size_steps", *arguments, "--here"],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True,
        )
        stamp(f"{name}: done")


def measured(part: Part, store: Path, *, steps: int) -> dict[str, object]:
    """Train some steps and say what they took."""
    torch.set_num_threads(1)
    changes = [
        "trainer.num_gpus=0",
        f"trainer.accumulate_grad_batches={part.accumulate}",
        "trainer.wandb.use_wandb=false",
        *part.changes,
    ]
    profile = load_profile(part.profile, changes).profile
    with Store.open(store) as opened:
        prepared = prepare(profile, opened)
        recipe = prepared.recipe
        parameters = {role: count_parameters(net) for role, net in recipe.modules().items()}
        with Prefetcher(prepared.data.train, 0, 2) as found:
            recipe.initialize(torch.from_numpy(batch.samples).clone() for batch in found)
        clock, spent, losses = [], [], []
        with Prefetcher(prepared.data.train, 0, 2) as found:
            for step in range(steps):
                audio = torch.from_numpy(next(found).samples).clone()
                began, used = time.monotonic(), time.process_time()
                scalars = recipe.train_step(audio, step)
                clock.append(time.monotonic() - began)
                spent.append(time.process_time() - used)
                losses.append(scalars["loss/total"].item())
                stamp(f"{part.profile}: step {step + 1}: {clock[-1]:.1f} s")
    return {
        "profile": part.profile,
        "changes": changes,
        "batch": list(audio.shape),
        "parameters": parameters,
        "seconds": clock,
        "cpu_seconds": spent,
        "losses": losses,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "torch": str(torch.__version__),
    }


if __name__ == "__main__":
    main()
