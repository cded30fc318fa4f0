from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.batch import Item
from codecctl.datasets.store import Store
from codecctl.datasets.validation import batches, fixed_items, items_from_json, items_to_json
from codecctl.datasets.windows import Window
from codecctl.errors import DataError

Maker = Callable[..., Path]
RATE = 100
PAIR = Window(frames=RATE, capsules=2)
NAMES = ["Woodland.1", "Woodland.2", "TrainStation.1"]


def audio() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal((32, 3 * RATE)).astype(np.float32) for name in NAMES}


def fixed(folder: Path, *, seed: int = 42, count: int = 100) -> tuple[Item, ...]:
    with Store.open(folder) as store:
        names = [info.name for info in store.recordings]
        return fixed_items(store, names, window=PAIR, seed=seed, count=count)


def test_there_are_exactly_a_hundred_pairs_whatever_the_store(make_store: Maker) -> None:
    one = {"Woodland.1": audio()["Woodland.1"][:2, :RATE]}  # one possible window
    items = fixed(make_store(one, sample_rate=RATE))
    assert len(items) == 100
    assert {item.start for item in items} == {0}


def test_every_recording_is_heard_and_every_capsule_may_be(make_store: Maker) -> None:
    items = fixed(make_store(audio(), sample_rate=RATE))
    assert sorted(Counter(item.recording for item in items).values()) == [33, 33, 34]
    assert all(first != second for first, second in (item.channels for item in items))
    assert len({channel for item in items for channel in item.channels}) > 28
    assert len(set(items)) == 100


def test_neither_order_nor_place_nor_time_of_writing_changes_them(make_store: Maker) -> None:
    there = make_store(audio(), name="a", sample_rate=RATE)
    back = make_store(dict(reversed(audio().items())), name="b", sample_rate=RATE)
    assert fixed(there) == fixed(back)
    assert fixed(there, seed=43) != fixed(there)
    assert fixed(there, count=7) == fixed(there)[:7]


def test_another_process_finds_the_same_and_json_keeps_them(make_store: Maker) -> None:
    folder = make_store(audio(), sample_rate=RATE)
    script = f"""
import json
from pathlib import Path
from codecctl.datasets.store import Store
from codecctl.datasets.validation import fixed_items, items_to_json
from codecctl.datasets.windows import Window
store = Store.open(Path({str(folder)!r}))
items = fixed_items(store, {NAMES!r}, window=Window(frames={RATE}, capsules=2))
print(json.dumps(items_to_json(items)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    items = fixed(folder)
    assert items_from_json(json.loads(done.stdout)) == items
    assert json.loads(json.dumps(items_to_json(items))) == json.loads(done.stdout)


def test_silence_is_replaced_first_within_the_recording(make_store: Maker) -> None:
    sounds = audio()
    sounds["Woodland.1"][:, : RATE + 50] = 0
    sounds["TrainStation.1"][:] = 0
    folder = make_store(sounds, sample_rate=RATE)
    items = fixed(folder)
    with Store.open(folder) as store:
        for batch in batches(store, items, batch_size=16, frames=RATE):
            assert np.abs(batch.audio).max(axis=2).min() > 1e-4
    assert set(Counter(item.recording for item in items)) == {"Woodland.1", "Woodland.2"}


def test_a_store_of_silence_is_refused(make_store: Maker) -> None:
    silence = {"Woodland.1": np.zeros((2, 200), dtype=np.float32)}
    with pytest.raises(
        DataError, match=r"store scenes: every window .* is silent \(peak below -90"
    ):
        fixed(make_store(silence, sample_rate=RATE))


def test_batches_hold_the_items_in_order(make_store: Maker) -> None:
    folder = make_store(audio(), sample_rate=RATE)
    items = fixed(folder, count=10)
    with Store.open(folder) as store:
        read = list(batches(store, items, batch_size=4, frames=RATE))
        assert [batch.audio.shape for batch in read] == [(4, 2, RATE), (4, 2, RATE), (2, 2, RATE)]
        assert tuple(item for batch in read for item in batch.items) == items
        last = items[-1]
        expected = store.read(last.recording, last.start, RATE, last.channels)
        np.testing.assert_array_equal(read[-1].audio[-1], expected)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({}, "validation items: found dict, needed a list"),
        ([{"recording": "a", "start": "0", "channels": [0]}], "validation item 0: found"),
        ([["a", 0, [0]]], "needed recording, start, channels"),
    ],
)
def test_other_json_is_refused(content: object, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        items_from_json(content)
