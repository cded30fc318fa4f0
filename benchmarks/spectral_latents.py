"""Whether a continuous latent tells what was encoded: items decoded with each other's latents.

    python -m benchmarks.spectral_latents STORE RUN [RUN ...]

Prints val/mel of the validation items of each run, and the same where every item is decoded with
the latent of another one, at its own level. A decoder that only learned what all sounds have in
common scores both alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from codecctl.datasets.store.reader import Store
from codecctl.datasets.validation import batches
from codecctl.engine.build import build_data
from codecctl.engine.metrics import MelDistance
from codecctl.engine.trained import load_trained


def main() -> None:
    """Score every run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| run | step | val/mel | with another item's latent |")
    print("|---|---|---|---|")
    for run in given.runs:
        step, own, other = scores(run, Store.open(given.store))
        print(f"| `{run.name}` | {step} | {own:.3f} | {other:.3f} |")


@torch.no_grad()
def scores(run: Path, store: Store) -> tuple[int, float, float]:
    """Step of the last checkpoint, and both distances, means over the validation items."""
    trained = load_trained(max((run / "checkpoints").glob("step-*")))
    data, network = build_data(trained.profile, store), trained.network
    distance = MelDistance(sample_rate=trained.profile.data.rate)
    found: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
    for batch in batches(store, data.validation, batch_size=8, frames=data.window.frames):
        audio = torch.as_tensor(batch.audio)
        latent = network.quantizer(network.encode(audio)).latent
        for values, coded in zip(found, (latent, latent.roll(1, 0)), strict=True):
            estimate = network.autoencoder.decode(coded, audio.shape[-1]) * network.level(audio)
            values.append(distance(estimate, audio))
    own, other = (float(torch.cat(values).mean()) for values in found)
    return trained.step, own, other


if __name__ == "__main__":
    main()
