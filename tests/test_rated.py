from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.rated import RatedStore, at_rate, is_native, note
from codecctl.datasets.resample import Resampler, converted_frames
from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import AudioSource, Store
from codecctl.datasets.validation import fixed_items
from codecctl.datasets.windows import Window
from codecctl.errors import DataError, NotFoundError

MakeStore = Callable[..., Path]
RATES = [
    (48_000, 24_000),
    (44_100, 24_000),
    (16_000, 24_000),
    (48_000, 44_100),
    (8_000, 44_100),
    (96_000, 24_000),
    (11_025, 16_000),
]


def noise(channels: int, frames: int, *, seed: int = 0) -> np.ndarray:
    """(C, T) float32, white: every error of the filter or of the alignment shows."""
    samples = np.random.default_rng(seed).standard_normal((channels, frames))
    return np.clip(0.2 * samples, -0.99, 0.99).astype(np.float32)


def resampled(audio: np.ndarray, source_rate: int, rate: int) -> np.ndarray:
    """A whole recording at another rate, at once."""
    return Resampler(len(audio), source_rate=source_rate, rate=rate).convert(audio, last=True)


def error_db(found: np.ndarray, expected: np.ndarray, *, whole: np.ndarray) -> float:
    """The worst channel's error, against the level of its whole recording."""
    difference = np.square(found.astype(np.float64) - expected).mean(axis=1)
    power = np.square(whole, dtype=np.float64).mean(axis=1)
    return float(10 * np.log10((difference / power).max() + 1e-30))


@pytest.mark.parametrize(("source_rate", "rate"), RATES)
def test_a_window_is_the_same_span_of_the_whole_recording_resampled(
    make_store: MakeStore, source_rate: int, rate: int
) -> None:
    audio = noise(3, 2 * source_rate + 1237)
    expected = resampled(audio, source_rate, rate)
    folder = make_store({"Beach.1": audio}, sample_rate=source_rate, dtype="float32")
    generator = np.random.default_rng(1)
    with Store.open(folder) as store:
        view = at_rate(store, rate)
        total = view.recording("Beach.1").frames
        assert total == expected.shape[1] == converted_frames(audio.shape[1], source_rate, rate)
        spans = [(0, total), (0, 1), (total - 1, 1), (0, 700), (total - 700, 700)]
        for _ in range(12):
            start = int(generator.integers(total))
            spans.append((start, int(generator.integers(1, total - start + 1))))
        for start, frames in spans:
            found = view.read("Beach.1", start, frames, (2, 0))
            span = expected[[2, 0], start : start + frames]
            assert error_db(found, span, whole=expected[[2, 0]]) < -110, (start, frames)


def test_windows_that_touch_join_without_a_seam(make_store: MakeStore) -> None:
    audio = noise(1, 20_000)
    folder = make_store({"Beach.1": audio}, sample_rate=44_100, dtype="float32")
    with Store.open(folder) as store:
        view = RatedStore(store, 24_000)
        total = view.recording("Beach.1").frames
        starts = range(0, total, 997)
        parts = [view.read("Beach.1", at, min(997, total - at), (0,)) for at in starts]
        whole = view.read("Beach.1", 0, total, (0,))
    assert error_db(np.concatenate(parts, axis=1), whole, whole=whole) < -110


def test_channels_beyond_one_pass_keep_their_order(make_store: MakeStore) -> None:
    tones = np.arange(1, 33)[:, None] * 0.02
    audio = np.repeat(tones, 48_000, axis=1).astype(np.float32)
    folder = make_store({"Beach.1": audio}, sample_rate=48_000, dtype="float32")
    with Store.open(folder) as store:
        chosen = tuple(range(31, -1, -1))
        found = RatedStore(store, 24_000).read("Beach.1", 5_000, 12_000, chosen)
    np.testing.assert_allclose(found, np.repeat(tones[::-1], 12_000, axis=1), rtol=1e-4)


def test_neighbouring_channels_do_not_leak_into_each_other(make_store: MakeStore) -> None:
    audio = noise(3, 30_000)
    audio[1] = 0.0
    folder = make_store({"Beach.1": audio}, sample_rate=48_000, dtype="float32")
    with Store.open(folder) as store:
        found = RatedStore(store, 24_000).read("Beach.1", 100, 8_000, (0, 1, 2))
    assert np.abs(found[1]).max() < 1e-7
    assert np.abs(found[0]).max() > 0.1


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_what_a_store_quantized_is_resampled_as_it_reads(make_store: MakeStore, dtype: str) -> None:
    folder = make_store({"Beach.1": noise(2, 24_000)}, sample_rate=16_000, dtype=dtype)
    with Store.open(folder) as store:
        stored = store.read("Beach.1", 0, 24_000, (0, 1))
        expected = resampled(stored, 16_000, 24_000)
        found = RatedStore(store, 24_000).read("Beach.1", 0, 36_000, (0, 1))
    assert error_db(found, expected, whole=expected) < -110


def test_a_recording_shorter_than_the_filter_is_read(make_store: MakeStore) -> None:
    audio = noise(1, 3)
    folder = make_store({"Beach.1": audio}, sample_rate=16_000, dtype="float32")
    with Store.open(folder) as store:
        view = RatedStore(store, 24_000)
        assert view.recording("Beach.1").frames == 5
        found = view.read("Beach.1", 0, 5, (0,))
        np.testing.assert_allclose(found, resampled(audio, 16_000, 24_000), atol=1e-6)
        assert view.read("Beach.1", 5, 0, (0,)).shape == (1, 0)


def test_the_rate_of_the_store_is_the_store_itself(make_store: MakeStore) -> None:
    with Store.open(make_store({"Beach.1": noise(1, 9_000)}, sample_rate=24_000)) as store:
        assert at_rate(store, 24_000) is store
        assert note(store) == ""


def test_rows_count_at_the_new_rate_and_keep_their_source(make_store: MakeStore) -> None:
    folder = make_store({"b.1": noise(1, 8_001), "a.1": noise(2, 16_000)}, sample_rate=8_000)
    with Store.open(folder) as store:
        view = RatedStore(store, 12_000)
        assert [info.name for info in view.recordings] == ["a.1", "b.1"]
        row = view.recording("b.1")
        assert (row.sample_rate, row.frames, row.dtype) == (12_000, 12_002, "float32")
        assert (row.source_rate, row.source_frames, row.source_name) == (8_000, 8_001, "b.1.wav")
        assert row.seconds == pytest.approx(store.recording("b.1").seconds, abs=1 / 12_000)
        assert view.dtype == "float32"
        assert (view.name, view.path) == (store.name, store.path)
        assert (view.corpora, view.metadata) == (store.corpora, store.metadata)


def test_the_fingerprint_depends_on_store_and_rate(make_store: MakeStore) -> None:
    one = make_store({"a.1": noise(1, 9_000)}, name="one")
    two = make_store({"a.1": noise(1, 9_000, seed=2)}, name="two")
    with Store.open(one) as first, Store.open(two) as second:
        sources: list[AudioSource] = [
            *(RatedStore(first, rate) for rate in (12_000, 16_000)),
            RatedStore(second, 12_000),
            first,
        ]
        assert len({source.fingerprint for source in sources}) == len(sources)
        assert RatedStore(first, 12_000).fingerprint == sources[0].fingerprint


def test_out_is_filled_in_place(make_store: MakeStore) -> None:
    with Store.open(make_store({"a.1": noise(2, 9_000)}, sample_rate=8_000)) as store:
        view = RatedStore(store, 12_000)
        out = np.full((2, 500), np.nan, dtype=np.float32)
        assert view.read("a.1", 77, 500, (1, 0), out) is out
        np.testing.assert_array_equal(out, view.read("a.1", 77, 500, (1, 0)))


def test_spans_and_names_that_are_not_there_are_refused(make_store: MakeStore) -> None:
    with Store.open(make_store({"a.1": noise(2, 8_000)}, sample_rate=8_000)) as store:
        view = RatedStore(store, 12_000)
        with pytest.raises(DataError, match=r"a\.1: needed frames 11999 to 12001 at 12000 Hz, "):
            view.read("a.1", 11_999, 2, (0,))
        with pytest.raises(DataError, match="needed frames -1 to 4 at 12000 Hz, found 12000 fr"):
            view.read("a.1", -1, 5, (0,))
        with pytest.raises(DataError, match="needed channel index 2, found 2 channels"):
            view.read("a.1", 0, 5, (2,))
        with pytest.raises(NotFoundError, match=r"b\.1: no recording of this name"):
            view.read("b.1", 0, 5, (0,))


def test_samplers_draw_from_a_view_as_from_a_store(make_store: MakeStore) -> None:
    folder = make_store({"a.1": noise(4, 8_000), "b.1": noise(4, 9_000)}, sample_rate=8_000)
    window = Window(frames=6_000, capsules=2)
    with Store.open(folder) as store:
        view = RatedStore(store, 12_000)
        names = [info.name for info in view.recordings]
        sampler = TrainSampler(view, names, window=window, batch_size=3, seed=5)
        batch = sampler.batch(7)
        assert batch.sample_rate == 12_000
        assert max(item.start for item in fixed_items(view, names, window=window)) > 6_000
        for row, item in zip(batch.audio, batch.items, strict=True):
            found = view.read(item.recording, item.start, 6_000, item.channels)
            np.testing.assert_array_equal(row, found)


def test_threads_and_copies_read_the_same(make_store: MakeStore) -> None:
    with Store.open(make_store({"a.1": noise(2, 24_000)}, sample_rate=8_000)) as store:
        view = RatedStore(store, 12_000)
        starts = range(0, 30_000, 1_111)
        alone = [view.read("a.1", start, 2_000, (0, 1)) for start in starts]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda at: view.read("a.1", at, 2_000, (0, 1)), starts))
        copy = pickle.loads(pickle.dumps(view))
        copied = [copy.read("a.1", start, 2_000, (0, 1)) for start in starts]
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(alone, copied)


@pytest.mark.parametrize(("start", "frames"), [(0, 12_000), (0, 10), (11_990, 10), (5_000, 100)])
def test_a_cold_disk_is_told_of_a_window_and_of_its_margins(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch, start: int, frames: int
) -> None:
    with Store.open(make_store({"a.1": noise(2, 8_000)}, sample_rate=8_000)) as store:
        view = RatedStore(store, 12_000)
        view.read("a.1", 0, 1, (0,))  # opens the file
        told: list[tuple[int, int, int]] = []
        monkeypatch.setattr(os, "posix_fadvise", lambda _, *advice: told.append(advice))
        view.will_need("a.1", start, frames, (0, 1))
        row = store.recording("a.1")
        channel_bytes = row.geometry.seconds * row.geometry.chunk_bytes
        for channel, (at, count, how) in enumerate(told):
            begin = row.audio_offset + channel * channel_bytes
            first, last = start * 2 // 3, -(-(start + frames) * 2 // 3)  # 8 of 12 kHz
            assert how == os.POSIX_FADV_WILLNEED
            assert begin <= at <= begin + 2 * max(0, first - 100)
            assert begin + 2 * min(8_000, last + 100) <= at + count <= begin + 2 * 8_000
        assert len(told) == 2


def test_a_store_is_native_when_nothing_was_resampled(make_store: MakeStore) -> None:
    folder = make_store({"a.1": noise(1, 8_000)}, sample_rate=8_000)
    with Store.open(folder) as store:
        assert is_native(store.recordings)
        assert not is_native(RatedStore(store, 12_000).recordings)


def test_what_a_view_costs_and_lacks_is_one_sentence(make_store: MakeStore) -> None:
    with Store.open(make_store({"a.1": noise(1, 8_000)}, sample_rate=8_000)) as store:
        costs = "as it is read; a store made with --rate {} is read 10 to 30 times faster"
        above = "store scenes: 8000 Hz, holds nothing above 4000 Hz, resampled to 12000 Hz "
        assert note(RatedStore(store, 12_000)) == above + costs.format(12_000)
        below = "store scenes: 8000 Hz, resampled to 6000 Hz "
        assert note(RatedStore(store, 6_000)) == below + costs.format(6_000)
