from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from codecctl.datasets.store import (
    RecordingWriter,
    SourceFacts,
    Store,
    pcm_dtype,
    store_dtype,
)
from codecctl.errors import DataError

Maker = Callable[..., Path]
RATE = 100


def integers(bits: int, *, frames: int = 250) -> np.ndarray:
    """All of the range, with both ends in it."""
    limit = 2 ** (bits - 1)
    values = np.random.default_rng(0).integers(-limit, limit, (3, frames), dtype=np.int64)
    values[:, 0], values[:, 1] = -limit, limit - 1
    return values.astype(np.int32)


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_integers_come_back_as_they_were(make_store: Maker, bits: int) -> None:
    samples = integers(bits)
    store = Store.open(make_store({"Beach.1": samples}, dtype="pcm", bits=bits, sample_rate=RATE))
    assert store.dtype == "pcm"
    assert store.recording("Beach.1").dtype == pcm_dtype(bits)
    found = store.read_integers("Beach.1", 90, 120, [2, 0])
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, samples[[2, 0], 90:210])
    assert store.verify() == []


@pytest.mark.parametrize("bits", [8, 16, 24])
def test_the_float_of_an_integer_is_exact_and_full_scale_is_one(
    make_store: Maker, bits: int
) -> None:
    samples = integers(bits)
    store = Store.open(make_store({"Beach.1": samples}, dtype="pcm", bits=bits, sample_rate=RATE))
    audio = store.read("Beach.1", 0, 250, [0, 1, 2])
    np.testing.assert_array_equal(audio.astype(np.float64), samples / 2.0 ** (bits - 1))
    assert audio.min() == -1


def test_a_store_of_integers_may_mix_depths(make_store: Maker) -> None:
    assert [pcm_dtype(bits) for bits in (8, 16, 20, 24, 32)] == [
        "pcm16", "pcm16", "pcm24", "pcm24", "pcm32",
    ]  # fmt: skip
    assert {store_dtype(name) for name in ("pcm16", "pcm24", "pcm32")} == {"pcm"}
    assert store_dtype("int16") == "int16"


def test_every_tool_that_reads_hdf5_reads_the_integers(make_store: Maker) -> None:
    samples = integers(24)
    folder = make_store({"Beach.1": samples}, dtype="pcm", bits=24, sample_rate=RATE)
    with h5py.File(folder / "rec/Beach.1.h5", "r", locking=False) as file:
        assert (file["audio"].dtype.str, "scale" in file) == ("<i4", False)
        assert file.attrs["dtype"] == "pcm24"
        np.testing.assert_array_equal(file["audio"][...], samples)


def test_an_integer_beyond_the_source_is_refused(tmp_path: Path) -> None:
    samples = integers(16)
    samples[1, 210] = 2**15
    with (
        RecordingWriter(
            tmp_path,
            name="Beach.1",
            scene="Beach",
            take="1",
            array="unknown-3ch",
            channels=3,
            frames=250,
            sample_rate=RATE,
            dtype="pcm16",
            source=SourceFacts("b.wav", RATE, 16, 250, 0, 0.0),
            labels=["1", "2", "3"],
        ) as writer,
        pytest.raises(DataError, match=r"b\.wav: channel 2 .* more than 16 bits in second 2"),
    ):
        writer.write(samples)
    assert list((tmp_path / "rec").iterdir()) == []


def test_a_store_of_scaled_audio_has_no_integers_of_the_source(make_store: Maker) -> None:
    store = Store.open(make_store({"Beach.1": np.zeros((1, 250), np.float32)}, sample_rate=RATE))
    with pytest.raises(
        DataError, match=r"found int16, needed the source's integers; .* --dtype pcm"
    ):
        store.read_integers("Beach.1", 0, 1, [0])
