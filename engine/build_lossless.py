"""A profile of the lossless mode to objects, as `engine.build` does it for codecs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import torch

from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.split import Split
from codecctl.datasets.token_stream import TokenStream
from codecctl.datasets.validation import fixed_items
from codecctl.datasets.wav_folder import WavFolder
from codecctl.datasets.windows import Window, usable_recordings
from codecctl.engine.build import Data
from codecctl.engine.build_player import build_player
from codecctl.engine.lossless_export import require_folder
from codecctl.engine.lossless_memory import refuse_too_large
from codecctl.engine.lossless_source import lossless_sides
from codecctl.engine.networks.transformer import Transformer, TransformerLayout
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.recipes.average import WeightAverage
from codecctl.engine.recipes.base import Recipe, Runtime
from codecctl.engine.recipes.lossless import LosslessRecipe
from codecctl.engine.task import WHOLE, Task


def build_lossless_data(profile: LosslessProfile, stream: TokenStream) -> Data:
    """Sampler and fixed validation chunks of a stream; silence is audio like any other.

    Raises:
        DataError: No recording is as long as a chunk.
        NotFoundError: The store has no split of the profile's name.
    """
    data = profile.data
    window = Window(frames=data.chunk_size, capsules=1, policy="random_one", silence_db=-math.inf)
    sides: Split = lossless_sides(data, stream)
    train = TrainSampler(
        stream,
        sides.train,
        window=window,
        batch_size=data.batch_size,
        seed=profile.trainer.seed,
        pool=data.num_chunks,
    )
    validation = fixed_items(
        stream, sides.validation, window=window, count=data.val_items, seed=data.val_seed
    )
    short = usable_recordings(stream, sides.validation, window=window).left_out
    no_audio = stream.source.left_out if isinstance(stream.source, WavFolder) else ()
    return Data(
        train=train,
        validation=validation,
        arrays=(),
        window=window,
        split=sides,
        left_out=(*no_audio, *stream.left_out, *train.left_out, *short),
    )


def build_transformer(profile: LosslessProfile) -> Transformer:
    """The network with weights drawn from the profile's seed, on the CPU."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(profile.trainer.seed)
        return transformer_layout(profile).build()


def transformer_layout(profile: LosslessProfile) -> TransformerLayout:
    """Sizes of the network of a profile."""
    data, model = profile.data, profile.model
    return TransformerLayout(bits=data.bit_depth, context=data.chunk_size, **model.model_dump())


def build_lossless_recipe(
    profile: LosslessProfile, *, runtime: Runtime, updates_per_epoch: int, task: Task = WHOLE
) -> Recipe:
    """Network and optimizer of a profile, on the runtime's device.

    Raises:
        CodecctlError: A batch does not fit into memory, or the weights cannot be exported to
            where the profile says.
    """
    trainer = profile.trainer
    require_folder(Path(trainer.output_dir))
    at_once = profile.data.batch_size // runtime.world_size // trainer.accumulate_grad_batches
    layout = transformer_layout(profile)
    refuse_too_large(
        layout, items=at_once, batch_size=profile.data.batch_size, device=runtime.device
    )
    carried = cast("Transformer | None", task.networks.get("generator"))
    network = build_transformer(profile) if carried is None else carried
    if trainer.compile and carried is None:
        network.trunk.compile()
    player = build_player(
        network,
        trainer,
        trainer=trainer,
        runtime=runtime,
        updates_per_epoch=updates_per_epoch,
        span=task.generator,
    )
    average = None
    if trainer.ema.enabled:
        followed = cast("Transformer | None", task.networks.get("average"))
        average = WeightAverage(network, decay=trainer.ema.decay, average=followed)
    return LosslessRecipe(player, runtime=runtime, items_at_once=at_once, average=average)
