from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from codecctl.datasets.batch import Batch, Item
from codecctl.datasets.rated import at_rate
from codecctl.datasets.reading import WindowReader
from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import Store
from codecctl.datasets.windows import Window
from codecctl.engine.feed import Feed, ring_memory, ships_integers

Maker = Callable[..., Path]
RATE = 100
CPU = torch.device("cpu")


def noise(channels: int, frames: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((channels, frames)).astype(np.float32)


@pytest.fixture
def store(make_store: Maker) -> Store:
    return Store.open(make_store({"Beach.1": 0.1 * noise(4, 1000)}, sample_rate=RATE))


def batches(store: Store, frames: int) -> tuple[Batch, Batch]:
    """The same windows as audio and as integers."""
    rng = np.random.default_rng(1)
    starts = [*rng.integers(0, 1000 - frames, 30).tolist(), 0, 1000 - frames]
    items = [Item("Beach.1", start, (start % 4, (start + 1) % 4)) for start in starts]
    reader = WindowReader(store, frames=frames)
    audio = np.empty((len(items), 2, frames), dtype=np.float32)
    integers = np.empty_like(audio, dtype=np.int16)
    reader.read(items, audio)
    reader.read(items, integers)
    return (
        Batch(audio, RATE, tuple(items)),
        Batch(integers, RATE, tuple(items), reader.steps(items)),
    )


def test_channels_of_a_batch_are_those_of_its_items(store: Store) -> None:
    audio, _ = batches(store, 10)
    channels = Feed(CPU).channels(audio)
    assert channels.dtype == torch.int64
    assert channels.tolist() == [list(item.channels) for item in audio.items]


@pytest.mark.parametrize("frames", [1, 99, 100, 101, 330])
def test_integers_become_the_same_audio_on_the_device_to_the_last_bit(
    store: Store, frames: int
) -> None:
    audio, integers = batches(store, frames)
    expanded = Feed(CPU).audio(integers)
    assert expanded.dtype == torch.float32
    np.testing.assert_array_equal(expanded.numpy(), audio.audio)
    np.testing.assert_array_equal(integers.audio, audio.audio)


def test_audio_on_a_cpu_is_not_copied(store: Store) -> None:
    audio, _ = batches(store, RATE)
    assert Feed(CPU).audio(audio).data_ptr() == audio.samples.ctypes.data


def test_integers_are_shipped_to_a_gpu_or_where_asked_for_and_there_are_some(
    store: Store, make_store: Maker
) -> None:
    gpu = torch.device("cuda")
    assert ships_integers("auto", device=gpu, source=store)
    assert not ships_integers("auto", device=CPU, source=store)
    assert ships_integers(True, device=CPU, source=store)
    assert not ships_integers(False, device=gpu, source=store)
    folder = make_store({"Park.1": noise(1, 500)}, name="f", sample_rate=RATE, dtype="float32")
    assert not ships_integers(True, device=gpu, source=Store.open(folder))
    assert not ships_integers(True, device=gpu, source=at_rate(store, 50))


def test_silence_is_judged_by_the_integers_as_by_their_audio(make_store: Maker) -> None:
    audio = noise(3, 1000)
    audio[:, :600] *= np.float32(2e-5)
    audio[1] = 0
    with Store.open(make_store({"Park.1": audio}, sample_rate=RATE)) as store:
        for policy, capsules in (("random_distinct", 2), ("all", 3)):
            window = Window(frames=130, capsules=capsules, policy=policy, silence_db=-80)
            samplers = [
                TrainSampler(store, ["Park.1"], window=window, batch_size=9, seed=5)
                for _ in range(2)
            ]
            for step in range(4):
                out = np.empty((9, capsules, 130), dtype=np.int16)
                integers = samplers[0].batch(step, out=out)
                floats = samplers[1].batch(step)
                assert integers.items == floats.items
                np.testing.assert_array_equal(integers.audio, floats.audio)
            assert samplers[0].redraws == samplers[1].redraws
            assert samplers[0].redraws.total() > 0


def test_memory_of_the_ring_is_page_locked_for_a_gpu_only() -> None:
    assert ring_memory(pinned=True, device=CPU) is np.zeros
    assert ring_memory(pinned=False, device=torch.device("cuda")) is np.zeros


@pytest.mark.gpu
def test_batches_reach_a_gpu_unchanged_while_their_memory_is_used_again(store: Store) -> None:
    device = torch.device("cuda")
    feed, allocate = Feed(device), ring_memory(pinned=True, device=device)
    audio, integers = batches(store, RATE)
    ring = allocate(audio.samples.shape, np.dtype(np.float32))
    assert torch.from_numpy(ring).is_pinned()
    there = []
    for number in range(20):
        ring[...] = audio.samples + number
        there.append(feed.audio(Batch(ring, RATE, audio.items)))
    for number, tensor in enumerate(there):
        np.testing.assert_array_equal(tensor.cpu().numpy(), audio.samples + np.float32(number))
    np.testing.assert_array_equal(feed.audio(integers).cpu().numpy(), audio.audio)
