from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import Store
from codecctl.datasets.windows import Window
from codecctl.errors import DataError

Maker = Callable[..., Path]
RATE = 100
PAIR = Window(frames=RATE, capsules=2)
ONE = Window(frames=RATE, capsules=1, policy="random_one")


def noise(channels: int, frames: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32)


@pytest.fixture
def store(make_store: Maker) -> Store:
    audio = {
        "Beach.1": noise(32, 10 * RATE),
        "Beach.2": noise(32, 2 * RATE + 37, seed=1),
        "Park.1": noise(32, 5 * RATE, seed=2),
    }
    return Store.open(make_store(audio, sample_rate=RATE))


def sampler(
    store: Store, *, window: Window = PAIR, batch_size: int = 8, seed: int = 3401
) -> TrainSampler:
    names = [info.name for info in store.recordings]
    return TrainSampler(store, names, window=window, batch_size=batch_size, seed=seed)


def test_a_thousand_draws_of_one_channel_cover_all_32(store: Store) -> None:
    draws = sampler(store, window=ONE, batch_size=100)
    seen = Counter(item.channels for step in range(10) for item in draws.items(step))
    assert set(seen) == {(channel,) for channel in range(32)}
    assert max(seen.values()) < 4 * min(seen.values())


def test_pairs_cover_all_32_channels_and_are_never_equal(store: Store) -> None:
    draws = sampler(store, batch_size=100)
    pairs = [item.channels for step in range(10) for item in draws.items(step)]
    assert all(first != second for first, second in pairs)
    assert {first for first, _ in pairs} == {second for _, second in pairs} == set(range(32))
    distances = {abs(first - second) for first, second in pairs}
    assert distances == set(range(1, 32))  # not only neighbours


def test_recordings_are_as_likely_whatever_their_length(store: Store) -> None:
    draws = sampler(store, batch_size=100)
    seen = Counter(item.recording for step in range(30) for item in draws.items(step))
    assert set(seen) == {"Beach.1", "Beach.2", "Park.1"}
    assert all(900 < count < 1100 for count in seen.values())


def test_any_start_is_drawn_the_first_and_the_last_too(make_store: Maker) -> None:
    with Store.open(make_store({"Park.1": noise(2, RATE + 3)}, sample_rate=RATE)) as store:
        draws = sampler(store, batch_size=100)
        assert {item.start for item in draws.items(0)} == {0, 1, 2, 3}


def test_the_audio_is_that_of_the_items(store: Store) -> None:
    batch = sampler(store).batch(5)
    assert batch.audio.shape == (8, 2, RATE) and batch.audio.dtype == np.float32
    assert batch.sample_rate == RATE
    for audio, item in zip(batch.audio, batch.items, strict=True):
        expected = store.read(item.recording, item.start, RATE, item.channels)
        np.testing.assert_array_equal(audio, expected)


def test_a_batch_depends_on_seed_and_step_alone(store: Store) -> None:
    forward, backward = sampler(store), sampler(store)
    there = {step: forward.batch(step) for step in range(6)}
    back = {step: backward.batch(step) for step in reversed(range(6))}
    for step in range(6):
        assert there[step].items == back[step].items
        np.testing.assert_array_equal(there[step].audio, back[step].audio)
    assert len({there[step].items for step in range(6)}) == 6
    assert sampler(store, seed=3402).items(0) != there[0].items


def test_the_order_of_names_does_not_matter(store: Store) -> None:
    names = ["Park.1", "Beach.2", "Beach.1", "Park.1"]
    draws = TrainSampler(store, names, window=PAIR, batch_size=8, seed=3401)
    assert draws.items(4) == sampler(store).items(4)


def test_a_row_does_not_depend_on_the_batch_size_or_the_processes(store: Store) -> None:
    whole = sampler(store, batch_size=8).batch(7)
    assert sampler(store, batch_size=3).items(7) == whole.items[:3]
    for rank in range(4):
        part = sampler(store, batch_size=8).batch(7, rows=slice(rank, None, 4))
        assert part.items == whole.items[rank::4]
        np.testing.assert_array_equal(part.audio, whole.audio[rank::4])


def test_all_capsules_come_in_the_order_of_the_array(store: Store) -> None:
    draws = sampler(store, window=Window(frames=RATE, capsules=32, policy="all"), batch_size=2)
    assert {item.channels for item in draws.items(0)} == {tuple(range(32))}


def test_silence_is_drawn_again_counted_and_still_a_function_of_the_step(
    make_store: Maker,
) -> None:
    audio = noise(2, 10 * RATE)
    audio[:, : 6 * RATE] = 0
    with Store.open(make_store({"Park.1": audio}, sample_rate=RATE)) as store:
        first, second = sampler(store), sampler(store)
        for step in range(5):
            batch = first.batch(step)
            assert np.abs(batch.audio).max(axis=2).min() > 0
        assert second.items(4) == batch.items
        assert set(first.redraws) == {("Park.1", "silent")}
        assert first.redraws["Park.1", "silent"] > 5
        first.redraws.clear()  # a copy, as a thread may be counting
        assert first.redraws["Park.1", "silent"] > 5


def test_the_level_of_silence_is_the_peak_in_db(make_store: Maker) -> None:
    audio = np.full((2, 2 * RATE), 1e-3, dtype=np.float32)  # -60 dB
    with Store.open(make_store({"Park.1": audio}, sample_rate=RATE)) as store:
        sampler(store, window=Window(RATE, 2, silence_db=-60.1)).batch(0)
        with pytest.raises(DataError, match=r"Park\.1: 100 windows .* \(peak below -59\.9 dB\)"):
            sampler(store, window=Window(RATE, 2, silence_db=-59.9)).batch(0)


def test_a_dead_capsule_is_not_drawn_but_does_not_spoil_the_whole_array(
    make_store: Maker,
) -> None:
    audio = noise(4, 5 * RATE)
    audio[2] = 0
    with Store.open(make_store({"Park.1": audio}, sample_rate=RATE)) as store:
        pairs = [item.channels for item in sampler(store, batch_size=60).items(0)]
        assert {channel for pair in pairs for channel in pair} == {0, 1, 3}
        whole = sampler(store, window=Window(RATE, 4, policy="all"))
        assert whole.batch(0).items and not whole.redraws


def test_a_silent_recording_among_others_is_passed_over(make_store: Maker) -> None:
    audio = {"Beach.1": np.zeros((2, 5 * RATE), dtype=np.float32), "Park.1": noise(2, 5 * RATE)}
    with Store.open(make_store(audio, sample_rate=RATE)) as store:
        draws = sampler(store)
        names = {item.recording for step in range(5) for item in draws.items(step)}
        assert names == {"Park.1"}
        assert draws.redraws["Beach.1", "silent"] > 5


def test_damage_that_is_not_finite_never_reaches_a_batch(make_store: Maker) -> None:
    folder = make_store({"Park.1": noise(2, 5 * RATE)}, sample_rate=RATE, dtype="float32")
    with Store.open(folder) as store:
        descriptor = os.open(folder / "rec/Park.1.h5", os.O_WRONLY)
        offset = store.recording("Park.1").audio_offset + 4 * 250
        os.pwrite(descriptor, np.float32(np.nan).tobytes(), offset)
        os.close(descriptor)
        draws = sampler(store)
        for step in range(10):
            assert np.isfinite(draws.batch(step).audio).all()
        assert draws.redraws["Park.1", "not finite"] > 0


def test_recordings_that_do_not_fit_are_left_out_and_said(make_store: Maker) -> None:
    audio = {
        "Beach.1": noise(2, 99),
        "Beach.2": noise(1, 500),
        "Park.1": noise(2, 149),
        "Park.2": noise(2, 150),
    }
    with Store.open(make_store(audio, sample_rate=RATE)) as store:
        window = Window(frames=RATE, capsules=2, min_source_seconds=1.5)
        draws = sampler(store, window=window)
        assert draws.left_out == (
            "Beach.1: found 0.99 s, needed 1.5 s",
            "Beach.2: found 1 channel, needed 2",
            "Park.1: found 1.49 s, needed 1.5 s",
        )
        assert {item.recording for item in draws.items(0)} == {"Park.2"}


def test_a_store_without_a_recording_that_fits_is_refused_with_reasons(make_store: Maker) -> None:
    with (
        Store.open(make_store({"Park.1": noise(2, 30)}, sample_rate=RATE)) as store,
        pytest.raises(DataError, match=r"no recording can be used: Park\.1: found 0\.3 s, needed"),
    ):
        sampler(store)
