"""`data.`: which audio a profile trains on and how it is cut."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from codecctl.engine.profile.constraints import CLOSED, Count, CountOrZero, Positive, Text


def _scene_id(name: str) -> str:
    """The scene id of a name in either spelling: `Busy Street` is `BusyStreet`."""
    return name.replace(" ", "")


Scene = Annotated[Text, AfterValidator(_scene_id)]


class Capsules(BaseModel):
    """Which channels of the array make one item."""

    model_config = CLOSED

    count: Count
    """Channels of an item (M)."""
    policy: Literal["random_distinct", "random_one", "all"]
    """random_distinct: `count` different channels, drawn for each item; random_one: one; all: every
    channel of the recordings that have `count`."""
    geometry: Literal["any", "adjacent", "opposite"]
    """Where the channels of an item sit on the array. adjacent: a capsule and its neighbours, up to
    45 degrees apart; opposite: pairs across the sphere; both need em32 recordings."""


class Data(BaseModel):
    """Store, windows, splits and batches."""

    model_config = CLOSED

    store: Text
    """Name or path of a store; auto: the one that fits."""
    rate: Annotated[int, Field(ge=1000, le=768_000)]
    """Sample rate that the model works at, in Hz."""
    segment_seconds: Positive
    """Length of an item."""
    min_source_seconds: Positive
    """Recordings shorter than this are left out, by name."""
    capsules: Capsules
    crop: Literal["random"]
    """Where in a recording a training item starts."""
    train_scenes: tuple[Scene, ...]
    """Scenes to train on."""
    val_scenes: tuple[Scene, ...]
    """Scenes of the fixed validation items."""
    test_scenes: tuple[Scene, ...]
    """Scenes that neither training nor validation touches."""
    split: str
    """NAME or NAME:FOLD of a split that `data split` made, in place of scenes; empty: scenes."""
    val_items: Count
    """Fixed validation items."""
    val_seed: CountOrZero
    """Seed that the validation items are drawn from; independent of `trainer.seed`."""
    items_per_epoch: Count
    """Items that make one epoch; recordings are drawn with replacement."""
    batch_size: Count
    """Items of an update; an item has `capsules.count` channels."""
    val_batch_size: Count
    """Items of a validation batch."""
    prefetch_batches: CountOrZero
    """Batches read ahead by the loader thread; 0 reads in the training thread."""
    pin_memory: bool
    """Read batches into page-locked memory for a faster way to a GPU; ignored on a CPU."""
    io_threads: Annotated[int, Field(ge=1, le=256)]
    """Reads from the disk at a time: 1 for a local disk, 8 to 32 for one behind a network."""
    expand_on_device: Literal["auto"] | bool
    """Ship the integers of int16 stores and make audio of them on the device: half the bytes, the
    same audio to the last bit; auto: where the device is a GPU."""
    check_reads: bool
    """Compare each second of a channel with its hash before its first use in a job."""
    silence_db: Annotated[float, Field(le=0)]
    """A window whose peak stays below this level, in dB re full scale, is drawn again."""
