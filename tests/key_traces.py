"""What a job of a profile would do, as fingerprints: plans, and what a few updates leave behind."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch

from codecctl.datasets.choose import choose_store
from codecctl.datasets.store import RecordingWriter, SourceFacts, write_index
from codecctl.engine.assemble import parts_of
from codecctl.engine.crew import ALONE
from codecctl.engine.need import need_of
from codecctl.engine.prepare import cadence_of, prepare, tracker_settings
from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.signals import StopSignals

from .tiny_training import flat

RATE = 8000
STEPS = (0, 1, 25)
"""Updates that are made: each is a function of its step."""
SMALL = (
    "model=tiny",
    "data.store=scenes",
    f"data.rate={RATE}",
    "data.segment_seconds=0.16",
    "data.min_source_seconds=0.16",
    'data.train_scenes=["Beach","Park"]',
    'data.val_scenes=["Woodland"]',
    "data.batch_size=4",
    "data.val_batch_size=2",
    "data.val_items=3",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=4",
    "model.quantizer.codebook_size=8",
    "model.quantizer.bandwidths=[0.08]",
    "model.discriminators.0.num_filters=2",
    "model.discriminators.0.n_ffts=[128]",
    "model.discriminators.0.hop_lengths=[32]",
    "model.discriminators.0.win_lengths=[128]",
    "trainer.num_gpus=0",
    "trainer.updates_per_epoch=10",
    "trainer.max_epochs=9",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,7]",
    "trainer.discriminator.start={step=0}",
    "trainer.discriminator.update_probability=1.0",
)
"""Both sides, codebooks, balancer and terms between capsules, in a tenth of a second."""


def write_stores(folder: Path) -> None:
    """Two stores of four scenes and 32 channels; one recording begins with silence."""
    for seed, name in enumerate(("scenes", "other")):
        infos = []
        for index, scene in enumerate(("Beach", "Park", "Woodland", "Cave")):
            frames = RATE // 2
            audio = 0.1 * np.random.default_rng((seed, index)).standard_normal((32, frames))
            audio[:, : frames // 3] *= 1e-3 if index else 1.0
            with RecordingWriter(
                folder / name,
                name=f"{scene}.1",
                scene=scene,
                take="1",
                array="em32",
                channels=32,
                frames=frames,
                sample_rate=RATE,
                dtype="int16",
                source=SourceFacts("a.wav", RATE, 24, frames, 1, 0.0, f"sha256:{seed}{index}"),
                labels=[str(channel + 1) for channel in range(32)],
            ) as writer:
                writer.write(audio.astype(np.float32))
                infos.append(writer.commit())
        write_index(folder / name, name=name, sample_rate=RATE, dtype="int16", recordings=infos)


@cache
def planned(name: str, overrides: tuple[str, ...]) -> str:
    """Steps that do something beside an update, what is kept, and who is told."""
    profile = _profile(name, overrides)
    trainer, cadence = profile.trainer, cadence_of(profile)
    steps = [
        (
            cadence.epoch(step),
            cadence.logs(step, 0.0),
            cadence.validates(step),
            cadence.previews(step),
            cadence.saves(step, 100.0),
        )
        for step in range(min(cadence.max_steps, 3000) + 1)
    ]
    keep = (trainer.keep_last, trainer.save_top_k, trainer.best_metric, trainer.keep_every_n_steps)
    settings = tracker_settings(profile, default="run")
    return repr((cadence.max_steps, cadence.save_every_seconds, steps, keep, settings))


@cache
def trained(name: str, overrides: tuple[str, ...], stores: Path) -> str:
    """Digest of all state after a few updates on a store, and of a validation."""
    profile = _profile(name, overrides)
    store = choose_store(stores, need_of(profile), profile.data.store)
    prepared = prepare(profile, store)
    parts = parts_of(prepared, signals=StopSignals(), warn=lambda _text: None)
    digest = hashlib.sha256()
    with parts.open_whole_batches() as batches:
        parts.recipe.initialize(torch.from_numpy(batch.audio).clone() for batch in batches)
    for step in STEPS:
        batch = prepared.data.train.batch(step)
        channels = torch.tensor([item.channels for item in batch.items])
        scalars = parts.recipe.train_step(torch.from_numpy(batch.audio), step, channels)
        for key, value in _sorted(scalars):
            digest.update(f"{key} {value.item()!r}".encode())
    for path, tensor in flat(parts.recipe.state_dict()):
        digest.update(path.encode() + tensor.numpy().tobytes())
    measured = parts.validation.measure(parts.recipe, step=1, crew=ALONE, should_stop=lambda: False)
    assert measured is not None and all(map(_is_number, measured.values.values()))
    digest.update(repr((sorted(measured.values.items()), measured.rows)).encode())
    return digest.hexdigest()


def _profile(name: str, overrides: tuple[str, ...]) -> Profile:
    return load_profile(name, overrides, search=(PACKAGED,)).profile


def _sorted(values: Mapping[str, torch.Tensor]) -> Iterator[tuple[str, torch.Tensor]]:
    return iter(sorted(values.items()))


def _is_number(value: float) -> bool:
    return not math.isinf(value)
