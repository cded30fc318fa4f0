"""Recordings as streams of symbols: any span equals the whole, from stores and folders alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import Store
from codecctl.datasets.token_stream import IntegerSource, Layout, TokenStream
from codecctl.datasets.tokens import Tokenizer, blocked, mixed_down
from codecctl.datasets.validation import batches, fixed_items
from codecctl.datasets.wav_folder import WavFolder
from codecctl.datasets.windows import Window
from codecctl.errors import DataError

AUDIO = {
    "A.1": np.random.default_rng(1).integers(-32768, 32768, (5, 700)).astype(np.int32),
    "B.1": np.random.default_rng(2).integers(-32768, 32768, (2, 333)).astype(np.int32),
}


@pytest.fixture(params=["store", "folder"])
def source(
    request: pytest.FixtureRequest, tmp_path: Path, make_store: Callable[..., Path]
) -> IntegerSource:
    if request.param == "store":
        return Store.open(make_store(AUDIO, dtype="pcm", bits=16))
    for name, samples in AUDIO.items():
        soundfile.write(tmp_path / f"{name}.wav", samples.T.astype(np.int16), 8000)
    return WavFolder.open(tmp_path)


def whole(layout: Layout, samples: np.ndarray) -> np.ndarray:
    """The stream of a recording, made at once."""
    if layout.mode == "mono":
        return mixed_down(samples)
    if layout.mode == "one":
        one: np.ndarray = samples[layout.capsule - 1]
        return one
    return blocked(samples, block=layout.block)


@pytest.mark.parametrize(
    "layout",
    [
        Layout("mono"),
        Layout("one", capsule=2),
        Layout("blocked", block=64),
        pytest.param(Layout("blocked", block=1), marks=pytest.mark.long),
        Layout("blocked", block=9999),
    ],
    ids=repr,
)
def test_any_span_is_that_of_the_whole_stream(source: IntegerSource, layout: Layout) -> None:
    tokenizer = Tokenizer(16)
    stream = TokenStream(source, tokenizer, layout)
    rng = np.random.default_rng(0)
    for info, samples in zip(stream.recordings, AUDIO.values(), strict=True):
        expected = tokenizer.tokens(whole(layout, samples), bits=16)
        assert (info.channels, info.frames) == (1, len(expected))
        for _ in range(25):
            start = int(rng.integers(0, len(expected)))
            length = int(rng.integers(1, len(expected) - start + 1))
            tokens = stream.tokens(info.name, start, length)
            assert np.array_equal(tokens, expected[start : start + length])
            audio = stream.read(info.name, start, length, [0])
            assert np.array_equal(tokenizer.symbols(audio[0]), tokens)
        with pytest.raises(DataError, match=rf"needed symbols 0 to {len(expected) + 1}, found"):
            stream.tokens(info.name, 0, len(expected) + 1)


def test_only_what_keeps_every_sample_of_every_channel_is_exact(source: IntegerSource) -> None:
    assert TokenStream(source, Tokenizer(16), Layout("blocked")).is_exact
    assert TokenStream(source, Tokenizer(24), Layout("blocked")).is_exact
    assert not TokenStream(source, Tokenizer(8), Layout("blocked")).is_exact
    assert not TokenStream(source, Tokenizer(16), Layout("mono")).is_exact
    assert not TokenStream(source, Tokenizer(16), Layout("one")).is_exact


def test_recordings_without_the_channel_are_left_out_by_name(source: IntegerSource) -> None:
    stream = TokenStream(source, Tokenizer(16), Layout("one", capsule=3))
    assert len(stream.recordings) == 1 and stream.recordings[0].name.startswith("A.1")
    assert len(stream.left_out) == 1
    assert stream.left_out[0].endswith(": found 2 channels, needed channel 3")
    with pytest.raises(DataError, match=r"no recording can be used: .*needed channel 6"):
        TokenStream(source, Tokenizer(16), Layout("one", capsule=6))


def test_every_choice_has_a_fingerprint_of_its_own(source: IntegerSource) -> None:
    choices = [
        (Tokenizer(16), Layout("mono")),
        (Tokenizer(16), Layout("blocked", block=64)),
        (Tokenizer(16), Layout("blocked", block=65)),
        (Tokenizer(8), Layout("mono")),
        (Tokenizer(8, "mulaw"), Layout("mono")),
    ]
    prints = {TokenStream(source, *choice).fingerprint for choice in choices}
    assert len(prints) == len(choices)


def test_chunks_are_a_function_of_seed_and_step_and_silence_is_kept(
    make_store: Callable[..., Path],
) -> None:
    silent = {"A.1": np.zeros((2, 400), np.int32), "B.1": np.zeros((2, 400), np.int32)}
    store = Store.open(make_store(silent, dtype="pcm", bits=16))
    stream = TokenStream(store, Tokenizer(16), Layout("blocked", block=16))
    window = Window(frames=64, capsules=1, policy="random_one", silence_db=-math.inf)

    def sampler(seed: int, pool: int, size: int = 8) -> TrainSampler:
        return TrainSampler(
            stream, ["A.1", "B.1"], window=window, batch_size=size, seed=seed, pool=pool
        )

    plain = sampler(1, 1000)
    assert plain.batch(3).audio.tolist() == np.zeros((8, 1, 64)).tolist()
    assert sampler(1, 1000).items(3) == plain.items(3)
    assert sampler(1, 1000, size=4).items(3) == plain.items(3)[:4]
    assert sampler(2, 1000).items(3) != plain.items(3) != plain.items(4)
    few = {item for step in range(40) for item in sampler(1, 3).items(step)}
    assert len(few) == 3
    many = {item for step in range(40) for item in plain.items(step)}
    assert len(many) > 200
    items = fixed_items(stream, ["A.1"], window=window, count=5)
    assert [batch.audio.shape for batch in batches(stream, items, batch_size=3, frames=64)] == [
        (3, 1, 64),
        (2, 1, 64),
    ]
