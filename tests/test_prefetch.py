from __future__ import annotations

import os
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.prefetch import HELD, Prefetcher
from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import Store
from codecctl.datasets.windows import Window
from codecctl.errors import DataError

RATE = 100


@pytest.fixture
def folder(make_store: Callable[..., Path]) -> Path:
    audio = np.random.default_rng(0).standard_normal((4, 10 * RATE)).astype(np.float32)
    return make_store({"Park.1": audio}, sample_rate=RATE)


@pytest.fixture
def sampler(folder: Path) -> TrainSampler:
    window = Window(frames=RATE, capsules=2)
    return TrainSampler(Store.open(folder), ["Park.1"], window=window, batch_size=4, seed=1)


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_the_depth_changes_no_batch(sampler: TrainSampler, depth: int) -> None:
    with Prefetcher(sampler, 3, depth) as batches:
        for step, batch in enumerate(islice(batches, 12), start=3):
            expected = sampler.batch(step)
            assert batch.items == expected.items
            np.testing.assert_array_equal(batch.audio, expected.audio)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_batch_stays_whole_while_the_next_is_in_use(sampler: TrainSampler, depth: int) -> None:
    with Prefetcher(sampler, 0, depth) as batches:
        before = next(batches)
        for step in range(1, 3 * (depth + HELD)):
            after = next(batches)
            np.testing.assert_array_equal(before.audio, sampler.batch(step - 1).audio)
            before = after


def test_the_arrays_of_the_ring_may_be_given_and_are_used_again(sampler: TrainSampler) -> None:
    made: list[np.ndarray] = []

    def allocate(shape: tuple[int, ...], kind: np.dtype[np.generic]) -> np.ndarray:
        made.append(np.zeros(shape, kind))
        return made[-1]

    rows = slice(1, None, 2)
    with Prefetcher(sampler, 0, 1, rows=rows, allocate=allocate) as batches:
        seen = []
        for step, batch in enumerate(islice(batches, 9)):
            np.testing.assert_array_equal(batch.samples, sampler.batch(step).audio[1::2])
            seen.append(id(batch.samples))
    assert len(made) == 1 + HELD and set(seen) == {id(array) for array in made}


@pytest.mark.parametrize("depth", [0, 2])
def test_neither_io_threads_nor_integers_change_a_batch(sampler: TrainSampler, depth: int) -> None:
    expected = [sampler.batch(step) for step in range(5, 12)]
    for io_threads in (1, 3):
        for integers in (False, True):
            options = {"io_threads": io_threads, "integers": integers}
            with Prefetcher(sampler, 5, depth, **options) as batches:  # type: ignore[arg-type]
                for batch, there in zip(batches, expected, strict=False):
                    assert batch.items == there.items
                    assert batch.samples.dtype == (np.int16 if integers else np.float32)
                    np.testing.assert_array_equal(batch.audio, there.audio)


@pytest.mark.parametrize("depth", [0, 3])
def test_an_error_of_the_thread_reaches_the_consumer(
    folder: Path, sampler: TrainSampler, depth: int
) -> None:
    with Prefetcher(sampler, 0, depth) as batches:
        next(batches)
        os.truncate(folder / "rec/Park.1.h5", 4096)
        with pytest.raises(DataError, match="truncated at byte"):
            for _ in range(2 + depth):
                next(batches)


def test_closing_ends_the_thread_and_the_iteration(sampler: TrainSampler) -> None:
    batches = Prefetcher(sampler, 0, 4)
    next(batches)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
    batches.close()
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]
    assert list(batches) == []


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_ranks_that_read_differently_share_one_batch(sampler: TrainSampler, ranks: int) -> None:
    """Each rank is resumed at another depth, with another number of threads."""
    for step in (0, 7):
        whole = sampler.batch(step)
        for rank in range(ranks):
            rows = slice(rank, None, ranks)
            options = {"rows": rows, "io_threads": 1 + rank, "integers": rank % 2 == 1}
            with Prefetcher(sampler, step, rank, **options) as batches:  # type: ignore[arg-type]
                part = next(batches)
            assert part.items == whole.items[rows]
            np.testing.assert_array_equal(part.audio, whole.audio[rows])
