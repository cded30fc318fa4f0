"""Whether two capsules that are trained together share first codes: paired beside mono trainings.

    .venv/bin/python -m benchmarks.paired_against_mono STORE OUT [--steps 1500] [--only paired-1]

Trains every variant below with each seed on the same number of capsule seconds and the same
network, and measures its checkpoints on the same windows of recordings that no training heard, all
32 capsules of an em32. What is there already is not done again; `--only` does one part, such as
`paired-1`. Results: OUT/paired/NAME-SEED.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.paired_measures import items_of, load_network, whole_arrays
from benchmarks.training.short import (
    NO_DISCRIMINATORS,
    curve,
    keep,
    kept,
    short_training,
    stamp,
    trained,
)
from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.datasets.store import Store
from codecctl.engine.metrics import (
    agreement_by_angle,
    agreement_by_chance,
    agreement_matrix,
    capsule_probe,
    code_agreement,
    code_capsule_information,
    first_code_information,
)
from codecctl.engine.profile import Profile, profile_from_json
from codecctl.engine.quantizers import codebook_perplexity, codebook_usage, count_codes
from codecctl.engine.recipes.measuring import evaluating
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.paired_measures import measure_paired
from codecctl.engine.rundir import list_checkpoints

SIGNALS = 8
"""Capsule windows of a batch: 8 moments of one capsule, or 4 of two."""
ITEMS = 24
"""Windows of whole arrays that are measured, recordings in turn."""
DECODED = 12
"""Of these, those that are also decoded with one stream of first codes."""


@dataclass(frozen=True)
class Variant:
    """A profile and what is changed in it."""

    profile: str
    capsules: int
    changes: tuple[str, ...] = ()


def shares(share: float) -> tuple[str, ...]:
    """Changes that make the gradients of both terms a share of reconstruction's."""
    pairwise = "trainer.loss_config.pairwise"
    return tuple(
        f"{pairwise}.{term}.config.{change}"
        for term in ("similarity", "diversity")
        for change in ("weighting=gradient_share", f"share={share}")
    )


VARIANTS = {
    "mono": Variant("mono", 1),
    "paired": Variant("paired", 2),
    "share": Variant("paired", 2, shares(0.5)),
    "bounded": Variant("paired-bounded", 2),
    "classifier": Variant("paired-classifier", 2),
    "similar": Variant(
        "paired",
        2,
        (
            "trainer.loss_config.pairwise.weights.similarity=5",
            "trainer.loss_config.pairwise.weights.diversity=0",
        ),
    ),
}
"""`share`: both gradients at the latent half as large as reconstruction's. `similar`: the
similarity alone, ten times its weight."""


def main() -> None:
    """Train and measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="a variant and a seed, such as paired-1")
    given = parser.parse_args()
    torch.set_num_threads(1)
    parts = [f"{name}-{seed}" for seed in range(1, given.seeds + 1) for name in VARIANTS]
    for part in [given.only] if given.only else parts:
        path = given.out / "paired" / f"{part}.json"
        if kept(path) is None:
            stamp(f"{part}: training")
            keep(path, _part(part, given.store, given.out, steps=given.steps))
        stamp(f"{part}: done")


def _part(part: str, store: Path, out: Path, *, steps: int) -> dict[str, object]:
    name, _, seed = part.partition("-")
    variant = VARIANTS[name]
    changes = [
        *short_training(steps=steps, signals=SIGNALS, capsules=variant.capsules, seed=int(seed)),
        *NO_DISCRIMINATORS,
        *variant.changes,
    ]
    run = trained(out, store, name=part, profile=variant.profile, changes=changes)
    stamp(f"{part}: measuring")
    profile = _profile_of(run)
    with Store.open(store) as opened:
        audio = list(whole_arrays(opened, profile, count=ITEMS))
        items = items_of(opened, profile, count=ITEMS)
    checkpoints = list_checkpoints(run)
    return {
        "changes": changes,
        "profile": variant.profile,
        "recordings": [item.recording for item in items],
        "val_mel": curve(run, "val", "val/mel"),
        "val_si_sdr": curve(run, "val", "val/si_sdr"),
        "checkpoints": [
            {"step": each.step, **measured_codes(load_network(profile, each.path), audio)}
            for each in checkpoints
        ],
        "whole": asdict(
            measure_paired(load_network(profile, checkpoints[-1].path), audio[:DECODED])
        ),
    }


def _profile_of(run: Path) -> Profile:
    stored = json.loads((run / "profile.json").read_text(encoding="utf-8"))
    return profile_from_json(stored["profile"])


def measured_codes(network: CodecNetwork, audio: Sequence[Tensor]) -> dict[str, object]:
    """What the codes of whole arrays share and tell."""
    codes, vectors = _coded(network, audio)
    size = network.quantizer.codebook_size
    capsules = torch.arange(NUM_CAPSULES).expand(len(codes), NUM_CAPSULES)
    counts = count_codes(codes.flatten(0, 1), codebook_size=size)
    found: dict[str, object] = {
        "agreement_of_items": code_agreement(codes).tolist(),
        "between_first": asdict(first_code_information(codes, codebook_size=size)),
        "usage": codebook_usage(counts).tolist(),
        "perplexity": codebook_perplexity(counts).tolist(),
    }
    for stage, name in enumerate(("first", "second")):
        matrix = agreement_matrix(codes, codebook_size=size, stage=stage)
        information = code_capsule_information(
            codes, capsules, codebook_size=size, num_capsules=NUM_CAPSULES, stage=stage
        )
        found[name] = {
            "agreement": code_agreement(codes, stage=stage).mean().item(),
            "chance": agreement_by_chance(codes, codebook_size=size, stage=stage).item(),
            "by_angle": [asdict(group) for group in agreement_by_angle(matrix)],
            "probe": asdict(capsule_probe(vectors[stage], capsules)),
            "of_capsule": asdict(information),
        }
    return found


def _coded(network: CodecNetwork, audio: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Codes (B, 32, K, F) and vectors of the stages (K, B, 32, D, F)."""
    codes, vectors = [], []
    with evaluating([network]):
        for item in audio:
            quantized = network.quantizer(network.encode(item.transpose(0, 1)))
            codes.append(quantized.codes)
            vectors.append(quantized.stages)
    return torch.stack(codes), torch.stack(vectors, 1)


if __name__ == "__main__":
    main()
