"""Our residual quantizer beside the published update: a toy, real trainings, recorded latents.

    .venv/bin/python -m benchmarks.quantizers STORE OUT [--steps 500] [--only toy]

`toy`: 4 stages of 128 entries on vectors around 64 centers, 16 numbers wide; ours, our repetition
of the `encodec` package, and the package where it is installed. `EMA-SEED-DECAY[-gan]`: the small
mono model trained with either update, the rest equal; `-gan` lets discriminators join halfway.
Each training records its latents (PART.pt), on which both updates are then run again: the same
vectors, bits and steps. What is there already is not done again. Results: OUT/quantizers/PART.json.

SNR is 10 log10 of the sum of |z|^2 over that of |z - q|^2, after the first stage and after all.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from benchmarks.training.short import NO_DISCRIMINATORS, keep, kept, short_training, stamp
from benchmarks.training.toy import EMAS, toy
from codecctl.datasets.prefetch import Prefetcher
from codecctl.datasets.store import Store
from codecctl.datasets.validation import batches
from codecctl.engine.prepare import Prepared, prepare
from codecctl.engine.profile import load_profile
from codecctl.engine.quantizers import (
    ResidualVectorQuantizer,
    codebook_perplexity,
    codebook_usage,
    count_codes,
)
from codecctl.engine.quantizers.rvq import Ema
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.measuring import evaluating
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.seeds import generator_at

PARTS = (
    "toy",
    *(f"{ema}-{seed}-0.99" for seed in (1, 2) for ema in EMAS),
    *(f"{ema}-1-0.9" for ema in EMAS),
    *(f"{ema}-1-0.99-gan" for ema in EMAS),
)
SIGNALS = 8
BLOCK = 25
"""Steps that a point of the curves on recorded latents is the mean of."""


def main() -> None:
    """Do what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--only", default="", help=f"one of {', '.join(PARTS)}")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for part in [given.only] if given.only else PARTS:
        path = given.out / "quantizers" / f"{part}.json"
        if kept(path) is None:
            stamp(f"{part}: begun")
            path.parent.mkdir(parents=True, exist_ok=True)
            done = toy() if part == "toy" else training(path, given.store, steps=given.steps)
            keep(path, done)
        stamp(f"{part}: done")


def training(path: Path, store: Path, *, steps: int) -> dict[str, object]:
    """Train one part and run both updates on the latents that it recorded."""
    ema, seed, decay, *gan = path.stem.split("-")
    start = f"trainer.discriminator.start.step={steps // 2}"
    changes = [
        *short_training(
            steps=steps, signals=SIGNALS, capsules=1, seed=int(seed), decay=float(decay)
        ),
        f"model.quantizer.ema={ema}",
        *([start] if gan else NO_DISCRIMINATORS),
    ]
    with Store.open(store) as opened:
        prepared = prepare(load_profile("mono", changes).profile, opened)
        rows, first, latents = _trained(prepared, steps=steps)
    torch.save({"first": first, "latents": latents}, path.with_suffix(".pt"))
    quantizer = _network(prepared).quantizer
    assert isinstance(quantizer, ResidualVectorQuantizer), type(quantizer)
    replays = {each: _replayed(each, quantizer, first, latents, seed=int(seed)) for each in EMAS}
    return {"changes": changes, "checkpoints": rows, "replays": replays}


def _network(prepared: Prepared) -> CodecNetwork:
    return cast(CodecRecipe, prepared.recipe).network


def _trained(
    prepared: Prepared, *, steps: int
) -> tuple[list[dict[str, object]], Tensor, list[Tensor]]:
    """Rows of the measured steps; latents of the start (V, D) and of every update (B, D, F)."""
    recipe, network = prepared.recipe, _network(prepared)
    started: list[Tensor] = []

    def heard(audio: Iterator[Tensor]) -> Iterator[Tensor]:
        for batch in audio:
            started.append(batch)
            yield batch

    with Prefetcher(prepared.data.train, 0, 2) as found:
        recipe.initialize(heard(torch.from_numpy(batch.samples).clone() for batch in found))
    with torch.no_grad():
        first = torch.cat(
            [network.encode(audio).transpose(1, 2).flatten(0, 1) for audio in started]
        )
    latents: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if module.training:
            latents.append(inputs[0].detach().clone())

    cast(nn.Module, network.quantizer).register_forward_pre_hook(note)
    rows = [{"step": 0, **_measured(prepared)}]
    began = time.process_time()
    with Prefetcher(prepared.data.train, 0, 2) as found:
        for step in range(steps):
            recipe.train_step(torch.from_numpy(next(found).samples).clone(), step)
            if step + 1 in (1, 10, 50, steps) or (step + 1) % 100 == 0:
                spent = time.process_time() - began
                rows.append({"step": step + 1, "cpu_seconds": spent, **_measured(prepared)})
    return rows, first, latents


def _measured(prepared: Prepared) -> dict[str, object]:
    """SNR, usage and distances over the fixed validation items."""
    recipe, network, data = prepared.recipe, _network(prepared), prepared.data
    size = network.quantizer.codebook_size
    evaluations, latents, decoded, codes = [], [], [], []
    for batch in batches(
        prepared.store, data.validation, batch_size=SIGNALS, frames=data.window.frames
    ):
        audio = torch.from_numpy(batch.samples).clone()
        with torch.no_grad():
            evaluations.append(recipe.evaluate(audio))
        with evaluating([network]):
            latents.append(network.encode(audio))
            codes.append(network.quantizer.encode(latents[-1]))
            decoded.append([network.quantizer.decode(codes[-1][:, :k]) for k in (1, 2)])
    latent = torch.cat(latents)
    counts = count_codes(torch.cat(codes), codebook_size=size)
    scalars = recipe.aggregate(evaluations)
    return {
        "snr": [_snr(latent, torch.cat(stage)) for stage in zip(*decoded, strict=True)],
        "level": latent.square().mean().sqrt().item(),
        "usage": codebook_usage(counts).tolist(),
        "perplexity": codebook_perplexity(counts).tolist(),
        "mel": scalars["val/mel"].item(),
        "si_sdr": scalars["val/si_sdr"].item(),
    }


def _snr(latent: Tensor, quantized: Tensor) -> float:
    error = (latent - quantized).double().square().sum()
    return float(10 * (latent.double().square().sum() / error).log10())


def _replayed(
    ema: Ema, like: ResidualVectorQuantizer, first: Tensor, latents: list[Tensor], *, seed: int
) -> dict[str, object]:
    """SNR of every update's latents before the codebooks learn of them, means over blocks."""
    quantizer = ResidualVectorQuantizer(
        dim=like.dim,
        num_codebooks=like.num_codebooks,
        codebook_size=like.codebook_size,
        decay=like.decay,
        epsilon=like.epsilon,
        kmeans_iterations=like.kmeans_iterations,
        dead_threshold=2.0,
        ema=ema,
    )
    quantizer.initialize(first, generator_at(seed, step=0, purpose="codebooks"))
    found = []
    for step, latent in enumerate(latents):
        quantizer.eval()
        codes = quantizer.encode(latent)
        found.append([_snr(latent, quantizer.decode(codes[:, :k])) for k in (1, 2)])
        quantizer.train()
        quantizer(latent)
        quantizer.update(generator_at(seed, step=step, purpose="revival"))
    last = count_codes(
        torch.cat([quantizer.encode(latent) for latent in latents[-4 * BLOCK :]]),
        codebook_size=like.codebook_size,
    )
    blocks = torch.tensor(found).split(BLOCK)
    return {
        "updates": len(found),
        "first_updates": found[:12],
        "blocks": [part.mean(0).tolist() for part in blocks],
        "usage": codebook_usage(last).tolist(),
        "perplexity": codebook_perplexity(last).tolist(),
    }


if __name__ == "__main__":
    main()
