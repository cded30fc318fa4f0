"""Whether a continuous autoencoder can learn: one batch of a store, over and over, by its losses.

    python -m benchmarks.one_batch STORE PROFILE [KEY=VALUE ...] [--steps 120]

`model=tiny trainer=demo`, one channel, the four loudest validation items of sixteen. Prints val/mel
and the ratio of signal to distortion of the weights that move, of the items decoded with their own
latent and with that of another item: where the two are alike, the latent tells nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from codecctl.datasets.store.reader import Store
from codecctl.datasets.validation import batches
from codecctl.engine.build import build_data, build_recipe
from codecctl.engine.metrics import METRICS
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.runtime import FabricRuntime

CHANGES = (
    "model=tiny",
    "trainer=demo",
    "data.capsules.count=1",
    "data.capsules.policy=random_one",
    "model.generator.channels=1",
    "data.val_batch_size=16",
    "trainer.eval_loss_config.terms=[]",
    "trainer.discriminator.start.step=1000000",
)
ITEMS = 4
NAMES = ("mel", "si_sdr")


def main() -> None:
    """Train and print a row now and then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("profile")
    parser.add_argument("changes", nargs="*")
    parser.add_argument("--steps", type=int, default=120)
    given = parser.parse_args()
    torch.set_num_threads(1)
    profile = load_profile(given.profile, [*CHANGES, *given.changes]).profile
    store = Store.open(given.store)
    data = build_data(profile, store)  # type: ignore[arg-type]
    found = next(iter(batches(store, data.validation, batch_size=16, frames=data.window.frames)))
    loudest = np.argsort(-np.square(found.audio).mean((1, 2)))[:ITEMS]
    audio = torch.as_tensor(found.audio[loudest])
    recipe = build_recipe(profile, runtime=FabricRuntime(0), updates_per_epoch=given.steps)  # type: ignore[arg-type]
    assert isinstance(recipe, CodecRecipe)
    print("| step | val/mel, own | another's | val/si_sdr, own, dB | another's, dB |")
    print("|---|---|---|---|---|")
    for step in range(given.steps):
        recipe.train_step(audio, step)
        if step + 1 in (10, 30) or (step + 1) % 60 == 0:
            values = scores(recipe.network, audio, rate=profile.data.rate)
            print(f"| {step + 1} | {' | '.join(f'{value:.3g}' for value in values)} |", flush=True)


@torch.no_grad()
def scores(network: CodecNetwork, audio: Tensor, *, rate: int) -> list[float]:
    """Means over the items of each distance, of their own latents and of another item's."""
    network.eval()
    latent = network.quantizer(network.encode(audio)).latent
    level = network.level(audio)
    estimates = [
        network.autoencoder.decode(coded, audio.shape[-1]) * level
        for coded in (latent, latent.roll(1, 0))
    ]
    network.train()
    metrics = [METRICS[name](rate) for name in NAMES]
    return [float(metric(e, audio).mean()) for metric in metrics for e in estimates]


if __name__ == "__main__":
    main()
