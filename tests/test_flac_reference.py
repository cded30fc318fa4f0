"""Bits of FLAC for what a language model of samples is validated on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.token_stream import Layout, TokenStream
from codecctl.datasets.tokens import MULAW, Tokenizer
from codecctl.datasets.wav_folder import WavFolder
from codecctl.engine.lossless.classic import Flac
from codecctl.engine.lossless.flac_reference import STRETCH, flac_bits, flac_problem, flac_size

FRAMES = 9000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Correlated noise of three recordings, 16 bits, 2 channels."""
    rng = np.random.default_rng(0)
    (tmp_path / "audio").mkdir()
    for index in range(3):
        common = np.cumsum(rng.integers(-40, 41, FRAMES))
        samples = np.stack([common, common + rng.integers(-3, 4, FRAMES)], axis=1)
        path = tmp_path / "audio" / f"{index}.wav"
        soundfile.write(path, samples.astype(np.int16), 48000)
    return tmp_path / "audio"


def stream(
    folder: Path, bits: int = 16, mode: str = "blocked", kind: str = "linear"
) -> TokenStream:
    return TokenStream(WavFolder.open(folder), Tokenizer(bits, kind), Layout(mode, block=64))


def test_it_is_what_the_coder_of_the_comparison_needs_for_the_files(
    folder: Path, tmp_path: Path
) -> None:
    audio = stream(folder)
    names = [info.name for info in audio.recordings][:2]
    sizes = [Flac().encode(folder / name, tmp_path, lambda _: None) for name in names]
    found = flac_bits(audio, names)
    assert found is not None
    assert (found.coded_bytes, found.symbols) == (sum(sizes), 2 * 2 * FRAMES)
    assert found.bits_per_sample == 8 * sum(sizes) / (2 * 2 * FRAMES) < 9
    assert found.detail.startswith("FLAC -8 by libFLAC on all of the 36000 symbols")


@pytest.mark.parametrize(
    ("bits", "mode", "kind", "channels"),
    [(8, "mono", "linear", 1), (24, "one", "linear", 1), (8, "blocked", MULAW, 2)],
)
def test_flac_gets_the_symbols_of_the_model(
    folder: Path, bits: int, mode: str, kind: str, channels: int
) -> None:
    audio = stream(folder, bits, mode, kind)
    name = audio.recordings[0].name
    symbols = audio.tokens(name, 0, audio.recordings[0].frames) - audio.tokenizer.zero
    if channels > 1:  # 140 blocks of 64 frames of each channel in turns, and 40 frames more
        whole, rest = np.split(symbols, [FRAMES // 64 * 64 * channels])
        blocks = whole.reshape(-1, channels, 64).transpose(1, 0, 2).reshape(channels, -1)
        symbols = np.concatenate([blocks, rest.reshape(channels, -1)], axis=1)
    found = flac_bits(audio, [name])
    assert found is not None
    assert found.symbols == channels * FRAMES
    assert found.coded_bytes == flac_size(symbols.reshape(channels, -1), bits=bits)


def test_long_recordings_are_coded_in_stretches_over_their_whole_length(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    silent, loud = np.zeros(4 * STRETCH, np.int16), np.empty(4 * STRETCH, np.int16)
    loud[:] = np.random.default_rng(0).integers(-(2**15), 2**15, loud.size)
    soundfile.write(tmp_path / "audio" / "a.wav", np.concatenate([silent, loud]), 8000)
    audio = stream(tmp_path / "audio")
    found = flac_bits(audio, ["a.wav"], most_symbols=2 * STRETCH)
    assert found is not None
    assert (found.symbols, found.total) == (2 * STRETCH, 8 * STRETCH)
    assert found.bits_per_sample == pytest.approx(8, abs=0.1)  # one silent, one of white noise
    assert "on 25 % of" in found.detail


def test_channels_are_coded_in_pairs_or_by_eight_whichever_is_smaller() -> None:
    rng = np.random.default_rng(0)
    like = np.repeat(rng.integers(-99, 100, (1, 5000)), 8, axis=0)
    unlike = rng.integers(-99, 100, (8, 5000))
    pairs = [
        sum(flac_size(all_8[i : i + 2], bits=16) for i in range(0, 8, 2))
        for all_8 in (like, unlike)
    ]
    assert flac_size(like, bits=16) == pairs[0]
    assert flac_size(unlike, bits=16) < pairs[1]  # by three heads of files


def test_a_libsndfile_without_flac_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert flac_problem() == ""
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": "WAV (Microsoft)"})
    monkeypatch.setattr(soundfile, "__libsndfile_version__", "1.0.9")
    assert flac_problem() == "libsndfile 1.0.9 of this installation writes no FLAC"


def test_nothing_to_code_has_no_bits(folder: Path) -> None:
    assert flac_bits(stream(folder), []) is None
