"""Coders side by side: sizes of files, every sample compared, recordings as a model hears them."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.token_stream import Layout
from codecctl.datasets.tokens import Tokenizer, mixed_down
from codecctl.datasets.wav_folder import WavFolder
from codecctl.engine.lossless.classic import Flac, WavPack, classic_coders
from codecctl.engine.lossless.comparison import Measure, Stopwatch, compare, summed
from codecctl.engine.lossless.learned_coder import Learned
from codecctl.engine.lossless.own_coders import ModelFree
from codecctl.engine.lossless.takes import Hearing, Take, takes_of
from codecctl.engine.lossless.wav import read_parts, unpacked
from codecctl.errors import CodecctlError, DataError

from .lossless_models import exact
from .test_lossless_arrays import SUBTYPES, field, noise, write_wav


def takes(*wavs: Path, seconds: float = 0.0, hearing: Hearing | None = None) -> list[Take]:
    source = WavFolder.of_files(wavs)
    names = [info.name for info in source.recordings]
    return takes_of(source, names, seconds=seconds, hearing=hearing)[0]


def written(take: Take, path: Path) -> np.ndarray:
    """The samples (T, C) of the file that a take becomes, read from its bytes."""
    take.write(path)
    parts = read_parts(path)
    raw = path.read_bytes()[parts.offset : parts.end]
    assert parts.size == parts.end + (parts.end - parts.offset) % 2
    shape = (parts.frames, parts.channels, parts.bits // 8)
    return unpacked(np.frombuffer(raw, np.uint8).reshape(shape), parts.bits)


@pytest.mark.parametrize("bits", SUBTYPES)
@pytest.mark.parametrize("channels", [1, 3, 10])
def test_every_coder_gives_back_what_it_got(tmp_path: Path, bits: int, channels: int) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(bits, 333, channels), bits)
    coders, _ = classic_coders()
    measures = compare(takes(wav), [*coders, ModelFree()])
    raw = 333 * channels * bits // 8
    for each in measures:
        assert (each.samples, each.raw) == (333 * channels, raw)
        assert each.coded > 0.8 * raw  # noise of full scale
        assert each.decode_seconds > 0 < each.encode_seconds
    assert {each.coder for each in measures} >= {"gzip -9", "xz -6 (lzma)", "FLAC -8"}


def test_sizes_are_those_of_the_coders_themselves(tmp_path: Path) -> None:
    samples = field(3000, 2)
    wav = write_wav(tmp_path / "a.wav", samples, 16)
    raw = samples.astype("<i2").tobytes()
    sizes = {each.coder: each.coded for each in compare(takes(wav), classic_coders()[0])}
    assert abs(sizes["gzip -9"] - len(gzip.compress(raw, 9))) < 16  # it names its file
    assert sizes["xz -6 (lzma)"] == len(lzma.compress(raw))
    soundfile.write(tmp_path / "a.flac", samples.astype(np.int16), 48000, compression_level=1.0)
    assert sizes["FLAC -8"] == (tmp_path / "a.flac").stat().st_size


def test_flac_takes_pairs_where_they_are_smaller(tmp_path: Path) -> None:
    one = field(20_000, 1)
    twice = np.repeat(one, 10, axis=1)  # the second of a pair is free
    wav = write_wav(tmp_path / "a.wav", twice, 16)
    found = compare(takes(wav), [Flac()])[0].coded
    pair = write_wav(tmp_path / "b.wav", twice[:, :2], 16)
    assert found == 5 * compare(takes(pair), [Flac()])[0].coded


@pytest.mark.skipif(bool(WavPack.missing()), reason="needs the command wavpack")
def test_wavpack_is_measured_where_it_is_installed(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", field(4000, 32), 24)
    assert 0 < compare(takes(wav), [WavPack()])[0].bits_per_sample < 24


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    coders, missing = classic_coders()
    assert missing == ["WavPack -hhx: wavpack, wvunpack: not installed"]
    assert [coder.name for coder in coders] == ["gzip -9", "xz -6 (lzma)", "FLAC -8"]


@pytest.mark.parametrize("change", ["one sample", "one frame more", "one frame less"])
def test_audio_that_is_not_what_was_coded_gives_no_figure(tmp_path: Path, change: str) -> None:
    samples = field(200, 4)
    others = {
        "one sample": samples + (np.arange(800) == 799).reshape(200, 4),
        "one frame more": np.vstack([samples, samples[:1]]),
        "one frame less": samples[:-1],
    }
    wav = write_wav(tmp_path / "a.wav", samples, 16)
    other = write_wav(tmp_path / "b.wav", others[change], 16)
    for number, coder in enumerate([*classic_coders()[0], ModelFree()]):
        folder = tmp_path / str(number)
        folder.mkdir()
        coder.encode(wav, folder, lambda _count: None)
        with pytest.raises(
            CodecctlError, match=rf"{re.escape(coder.name)}: what was decoded is not what"
        ):
            coder.check(other, folder, Stopwatch(), lambda _count: None)


def test_a_take_is_the_beginning_of_its_recording(tmp_path: Path) -> None:
    samples = noise(24, 999, 5)
    wav = write_wav(tmp_path / "a.wav", samples, 24)
    take = takes(wav, seconds=0.1)[0]  # of 8000 Hz
    assert np.array_equal(written(take, tmp_path / "b.wav"), samples[:800])
    assert (take.seconds, take.samples) == (0.1, 4000)
    flac = tmp_path / "a.flac"
    soundfile.write(flac, (samples << 8).astype(np.int32), 8000, subtype="PCM_24")
    assert np.array_equal(written(takes(flac)[0], tmp_path / "c.wav"), samples)


def test_a_model_is_given_what_it_hears(tmp_path: Path) -> None:
    samples = noise(16, 301, 3)
    wav, out = write_wav(tmp_path / "a.wav", samples, 16), tmp_path / "b.wav"

    def heard(mode: str, tokenizer: Tokenizer) -> np.ndarray:
        hearing = Hearing(Layout(mode, capsule=2, block=16), tokenizer)
        return written(takes(wav, hearing=hearing)[0], out)

    linear = Tokenizer(16, "linear")
    assert np.array_equal(heard("blocked", linear), samples)
    assert np.array_equal(heard("one", linear), samples[:, 1:2])
    assert np.array_equal(heard("mono", linear)[:, 0], mixed_down(samples.T))
    assert np.array_equal(heard("blocked", Tokenizer(8, "linear")), samples >> 8)
    assert read_parts(out).bits == 8
    curved = Tokenizer(8, "mulaw")
    assert np.array_equal(heard("blocked", curved) + 128, curved.tokens(samples, bits=16))
    assert np.array_equal(heard("blocked", Tokenizer(24, "linear")), samples)
    assert read_parts(out).bits == 16


@pytest.mark.long
def test_a_model_is_measured_by_what_it_writes(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", field(150, 2) >> 8, 8)
    measure = compare(takes(wav), [Learned(exact(8), block=8)])[0]
    assert (measure.samples, measure.raw) == (300, 300)
    assert measure.bits_per_byte == pytest.approx(8 * measure.coded / 300)
    assert measure.ratio == pytest.approx(300 / measure.coded)


def test_totals_are_sums_and_no_means_of_ratios() -> None:
    rows = [
        Measure("a", scene, name, 10, 1.0, 20, coded, 0.5, 0.25)
        for scene, name, coded in (("x", "1", 5), ("x", "2", 10), ("y", "3", 25))
    ]
    total = summed(rows)[0]
    assert (total.samples, total.raw, total.coded, total.seconds) == (30, 60, 40, 3.0)
    assert (total.ratio, total.bits_per_sample, total.bits_per_byte) == (1.5, 320 / 30, 320 / 60)
    assert (total.encode_seconds, total.decode_seconds) == (1.5, 0.75)
    assert [each.coded for each in summed(rows, scene="x")] == [15]


def test_recordings_that_give_no_take_are_named(tmp_path: Path) -> None:
    good = write_wav(tmp_path / "a.wav", field(10, 2), 16)
    mono = write_wav(tmp_path / "b.wav", field(10, 1), 16)
    source = WavFolder.of_files([good, mono])
    hearing = Hearing(Layout("one", capsule=2), Tokenizer(16, "linear"))
    found, left_out = takes_of(source, [str(good), str(mono)], seconds=0.0, hearing=hearing)
    assert [take.name for take in found] == [str(good)]
    assert left_out == [f"{mono}: found 1 channels, needed channel 2"]
    with pytest.raises(DataError, match=r"no recording can be coded: .*a.wav: found no samples"):
        takes(good, seconds=1e-5)
    wide = tmp_path / "c.wav"
    soundfile.write(wide, np.zeros((4, 1), np.int32), 8000, subtype="PCM_32")
    with pytest.raises(DataError, match="found samples of 32 bits, needed 8, 16 or 24"):
        takes(wide)
