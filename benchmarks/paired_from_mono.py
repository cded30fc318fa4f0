"""Whether terms between capsules move a codec that mono training has finished.

    .venv/bin/python -m benchmarks.paired_from_mono STORE OUT [--steps 140] [--only share-0.5]

Every part continues the last checkpoint of OUT/runs/mono-1 (`benchmarks.paired_against_mono`) with
the same pairs of capsules in the same order, a fresh optimizer and a constant learning rate of
3e-4; they differ in the terms alone. Short, so that weights can be swept. What is there already is
not done again. Results: OUT/continued/PART.json.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import cast

import torch
from safetensors.torch import load_file

from benchmarks.paired_against_mono import DECODED, ITEMS, SIGNALS, measured_codes, shares
from benchmarks.paired_measures import items_of, whole_arrays
from benchmarks.training.short import NO_DISCRIMINATORS, keep, kept, short_training, stamp
from codecctl.datasets.prefetch import Prefetcher
from codecctl.datasets.store import Store
from codecctl.engine.prepare import Prepared, prepare
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.paired_measures import measure_paired
from codecctl.engine.rundir import list_checkpoints

_WEIGHTS = "trainer.loss_config.pairwise.weights"
PARTS: dict[str, tuple[str, ...]] = {
    "nothing": (f"{_WEIGHTS}.similarity=0", f"{_WEIGHTS}.diversity=0"),
    "documented": (),
    "share-0.1": shares(0.1),
    "share-0.5": shares(0.5),
    "share-2": shares(2.0),
    "similar-2": (*shares(2.0), f"{_WEIGHTS}.diversity=0"),
}
"""`similar-2`: the similarity alone, its gradient twice as large as reconstruction's."""


def main() -> None:
    """Continue what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=140)
    parser.add_argument("--only", default="", choices=["", *PARTS])
    given = parser.parse_args()
    torch.set_num_threads(1)
    for part in [given.only] if given.only else PARTS:
        path = given.out / "continued" / f"{part}.json"
        if kept(path) is None:
            stamp(f"{part}: begun")
            keep(path, continued(part, given.store, given.out, steps=given.steps))
        stamp(f"{part}: done")


def continued(part: str, store: Path, out: Path, *, steps: int) -> dict[str, object]:
    """Continue the mono codec with the terms of a part, and measure it as paired trainings are."""
    checkpoint = list_checkpoints(out / "runs" / "mono-1")[-1]
    changes = [
        *short_training(steps=steps, signals=SIGNALS, capsules=2, seed=1),
        *NO_DISCRIMINATORS,
        "trainer.optimizer.config.lr=3e-4",
        "trainer.scheduler.enabled=false",
        *PARTS[part],
    ]
    with Store.open(store) as opened:
        prepared = prepare(load_profile("paired", changes).profile, opened)
        recipe = prepared.recipe
        network = cast(CodecNetwork, recipe.modules()["generator"])
        network.load_state_dict(load_file(checkpoint.path / "weights.safetensors"))
        audio = list(whole_arrays(opened, prepared.profile, count=ITEMS))
        recordings = [item.recording for item in items_of(opened, prepared.profile, count=ITEMS)]
        factors = _train(prepared, steps=steps)
    return {
        "changes": changes,
        "from": checkpoint.step,
        "recordings": recordings,
        "factors": factors,
        "checkpoints": [{"step": checkpoint.step + steps, **measured_codes(network, audio)}],
        "whole": asdict(measure_paired(network, audio[:DECODED])),
    }


def _train(prepared: Prepared, *, steps: int) -> dict[str, float]:
    """Update; means of the factors on the terms over the second half."""
    seen: dict[str, list[float]] = {}
    with Prefetcher(prepared.data.train, 0, 2) as found:
        for step in range(steps):
            audio = torch.from_numpy(next(found).samples).clone()
            scalars = prepared.recipe.train_step(audio, step)
            for name, value in scalars.items():
                if name.startswith("factor/") and step >= steps // 2:
                    seen.setdefault(name, []).append(value.item())
    return {name: mean(values) for name, values in seen.items()}


if __name__ == "__main__":
    main()
