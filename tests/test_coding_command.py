"""`encode --lossless` and `decode` as they are called, and what they say where they cannot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.commands.coding import Effort
from codecctl.engine.lossless.prediction import EFFORTS
from codecctl.errors import DataError, UsageError

from .test_lossless_arrays import field, write_wav


@pytest.mark.parametrize("more", [[], pytest.param(["--effort", "high"], marks=pytest.mark.long)])
def test_a_file_comes_back_without_a_model(tmp_path: Path, more: list[str]) -> None:
    wav = write_wav(tmp_path / "a.wav", field(300, 2), 16)
    coded, back = tmp_path / "a.cctl", tmp_path / "b.wav"
    told = CliRunner().invoke(app, ["encode", str(wav), "--lossless", "--json", *more])
    assert told.exit_code == 0
    assert json.loads(told.stdout)["coded_bytes"] == coded.stat().st_size
    assert CliRunner().invoke(app, ["decode", str(coded), "-o", str(back)]).exit_code == 0
    assert back.read_bytes() == wav.read_bytes()


@pytest.mark.parametrize("more", [[], ["--lossless", "--model", "a.npz"]])
def test_encode_takes_a_model_or_none_not_both(tmp_path: Path, more: list[str]) -> None:
    wav = write_wav(tmp_path / "a.wav", field(30, 1), 16)
    told = CliRunner().invoke(app, ["encode", str(wav), *more])
    assert isinstance(told.exception, UsageError)
    assert "either --lossless or --model RUN or NPZ" in str(told.exception)
    assert not (tmp_path / "a.cctl").exists()


def test_an_effort_is_of_coding_without_a_model(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", field(30, 1), 16)
    told = CliRunner().invoke(app, ["encode", str(wav), "--model", "a.npz", "--effort", "high"])
    assert isinstance(told.exception, UsageError)
    assert "--effort is of --lossless" in str(told.exception)


def test_efforts_are_those_of_the_engine() -> None:
    assert [effort.value for effort in Effort] == list(EFFORTS)


def test_what_a_model_coded_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav, coded = write_wav(tmp_path / "a.wav", field(30, 1), 16), tmp_path / "a.cctl"
    monkeypatch.setattr("codecctl.engine.lossless.arrays.MODEL", "0123456789abcdef")
    assert CliRunner().invoke(app, ["encode", str(wav), "--lossless"]).exit_code == 0
    monkeypatch.undo()
    told = CliRunner().invoke(app, ["decode", str(coded), "-o", str(tmp_path / "b.wav")])
    assert isinstance(told.exception, DataError)
    assert "coded with the model 0123456789ab; decode it with --model" in str(told.exception)


def coded_file(folder: Path, *, frames: int = 20000, bits: int = 16) -> tuple[Path, Path]:
    """Three segments of two channels as a WAV file and as what encode makes of it."""
    wav = write_wav(folder / "a.wav", field(frames, 2), bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("codecctl.engine.lossless.arrays.MOST_FRAMES", 8192)
        assert CliRunner().invoke(app, ["encode", str(wav), "--lossless"]).exit_code == 0
    return wav, folder / "a.cctl"


@pytest.mark.parametrize(
    ("start", "seconds", "frames"),
    [
        (0.5, 0.0, range(4000, 20000)),
        (0.0, 0.25, range(2000)),
        (1.0, 0.5, range(8000, 12000)),
        (1.024, 1.024, range(8192, 16384)),
        (2.4, 99.0, range(19200, 20000)),
        (2.499875, 0.0, range(19999, 20000)),
    ],
)
def test_a_part_is_that_part_of_the_whole(
    tmp_path: Path, start: float, seconds: float, frames: range
) -> None:
    wav, coded = coded_file(tmp_path)
    part = tmp_path / "part.wav"
    words = ["--start", str(start), "--seconds", str(seconds), "-o", str(part)]
    told = CliRunner().invoke(app, ["decode", str(coded), *words])
    assert told.exit_code == 0, told.exception
    whole, rate = soundfile.read(wav, dtype="int16")
    found, found_rate = soundfile.read(part, dtype="int16")
    assert np.array_equal(found, whole[frames.start : frames.stop])
    assert found_rate == rate


def test_only_what_a_part_needs_is_read(tmp_path: Path) -> None:
    wav, coded = coded_file(tmp_path)
    content = bytearray(coded.read_bytes())
    content[-2000] ^= 255  # in the last segment
    coded.write_bytes(bytes(content))
    part = tmp_path / "part.wav"
    words = ["decode", str(coded), "-o", str(part), "--seconds"]
    assert CliRunner().invoke(app, [*words, "2"]).exit_code == 0
    assert np.array_equal(soundfile.read(part)[0], soundfile.read(wav)[0][:16000])
    part.unlink()
    told = CliRunner().invoke(app, [*words, "2.1"])
    assert isinstance(told.exception, DataError)
    assert "segment 2: damaged (CRC)" in str(told.exception)
    assert not part.exists()


def test_a_part_behind_the_end_is_refused(tmp_path: Path) -> None:
    coded = coded_file(tmp_path)[1]
    told = CliRunner().invoke(app, ["decode", str(coded), "--start", "2.5", "-o", "x.wav"])
    assert isinstance(told.exception, UsageError)
    assert "found 2.500 s, needed more than the 2.5 s of --start" in str(told.exception)


@pytest.mark.parametrize(
    ("kind", "subtype", "bits"),
    [
        ("FLAC", "PCM_24", 24),
        ("FLAC", "PCM_16", 16),
        ("FLAC", "PCM_S8", 8),
        ("AIFF", "PCM_S8", 8),
        ("AIFF", "PCM_16", 16),
        ("W64", "PCM_24", 24),
        ("CAF", "PCM_16", 16),
    ],
)
def test_samples_of_other_formats_come_back(
    tmp_path: Path, kind: str, subtype: str, bits: int
) -> None:
    samples = (field(501, 3) << 16) & -(1 << (32 - bits))
    source, back = tmp_path / "a.sound", tmp_path / "b.wav"
    soundfile.write(source, samples.astype(np.int32), 44100, format=kind, subtype=subtype)
    told = CliRunner().invoke(app, ["encode", str(source), "--lossless"])
    assert told.exit_code == 0, told.exception
    assert f"{kind}; its samples are kept, and decode gives a WAV file" in told.stderr
    assert (
        CliRunner().invoke(app, ["decode", str(tmp_path / "a.cctl"), "-o", str(back)]).exit_code
        == 0
    )
    found, rate = soundfile.read(back, dtype="int32")
    assert rate == 44100
    assert np.array_equal(found, samples)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.cctl", "a.sound", "b.wav"]


@pytest.mark.parametrize(
    ("kind", "subtype", "reason"),
    [
        ("WAV", "FLOAT", "found coding 3 of 32 bits"),
        ("AIFF", "PCM_32", "found AIFF of PCM_32, needed samples stored as integers of 8, 16"),
        ("OGG", "VORBIS", "found OGG of VORBIS, needed"),
    ],
)
def test_what_has_no_such_samples_is_one_line(
    tmp_path: Path, kind: str, subtype: str, reason: str
) -> None:
    source = tmp_path / "a.sound"
    soundfile.write(source, np.zeros((99, 1)), 8000, format=kind, subtype=subtype)
    told = CliRunner().invoke(app, ["encode", str(source), "--lossless"])
    assert isinstance(told.exception, DataError)
    assert reason in str(told.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["a.sound"]


def test_pipes_lead_through_both_commands(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", field(300, 2), 16)
    coded = CliRunner().invoke(
        app, ["encode", "-", "--lossless", "-o", "-"], input=wav.read_bytes()
    )
    assert coded.exit_code == 0, coded.exception
    back = CliRunner().invoke(app, ["decode", "-", "-o", "-"], input=coded.stdout_bytes)
    assert back.stdout_bytes == wav.read_bytes()
    assert "stdout: 1244 bytes of WAV" in back.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_what_comes_through_a_pipe_is_called_stdin(tmp_path: Path) -> None:
    target = str(tmp_path / "x.cctl")
    told = CliRunner().invoke(app, ["encode", "-", "--lossless", "-o", target], input=b"no sound")
    assert isinstance(told.exception, DataError)
    assert str(told.exception).startswith("stdin: damaged, or no WAV, FLAC, AIFF or W64 file: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["encode", "-", "--lossless"], "stdin has no name"),
        (["decode", "-"], "stdin has no name"),
        (["decode", "-", "-o", "-", "--json"], "would both write to stdout"),
    ],
)
def test_pipes_that_cannot_be_are_refused(words: list[str], reason: str) -> None:
    told = CliRunner().invoke(app, words)
    assert isinstance(told.exception, UsageError)
    assert reason in str(told.exception)


def test_a_file_is_inspected_without_torch_and_without_decoding(tmp_path: Path) -> None:
    wav, coded = coded_file(tmp_path)
    told = CliRunner().invoke(app, ["inspect", str(coded)])
    assert told.exit_code == 0, told.exception
    for text in ("linear prediction 5, format 1", "2 channels, 16 bits, 8000 Hz, 20000 frames"):
        assert text in told.stdout
    found = json.loads(CliRunner().invoke(app, ["inspect", str(coded), "--json"]).stdout)
    assert len(found["chunks"]) == 3
    assert found["raw_bytes"] == wav.stat().st_size
    kept = 8 + 8 * 6 + 48 + found["header_bytes"] + found["metadata_coded_bytes"]
    assert found["coded_bytes"] == coded.stat().st_size == kept + sum(found["chunks"])
    assert found["bits_per_sample"] == 8 * sum(found["chunks"]) / 40000
    samples = soundfile.read(wav, dtype="int16")[0]
    assert found["md5_of_samples"] == hashlib.md5(samples.tobytes()).hexdigest()
    assert found["sha256_of_wav"] == hashlib.sha256(wav.read_bytes()).hexdigest()


def test_inspect_names_what_is_damaged(tmp_path: Path) -> None:
    coded = coded_file(tmp_path, frames=300)[1]
    content = bytearray(coded.read_bytes())
    content[-100] ^= 1
    coded.write_bytes(bytes(content))
    told = CliRunner().invoke(app, ["inspect", str(coded)])
    assert isinstance(told.exception, DataError)
    assert "chunk 0: damaged (CRC)" in str(told.exception)


def test_a_model_that_is_none_is_one_line_and_one_too_many_is_not_loaded(tmp_path: Path) -> None:
    wav, coded = write_wav(tmp_path / "a.wav", field(30, 1), 16), tmp_path / "a.cctl"
    empty, gone, target = tmp_path / "empty.npz", tmp_path / "gone.npz", tmp_path / "b"
    empty.write_bytes(b"")
    assert CliRunner().invoke(app, ["encode", str(wav), "--lossless"]).exit_code == 0
    for words, code, message in (
        (["encode", wav, "-m", empty], 4, "empty.npz: no exported weights: "),
        (["encode", wav, "-m", gone], 5, "gone.npz: no such file"),
        (["decode", coded, "-m", empty], 4, "a.cctl: coded without a model; decode it without"),
    ):
        told = CliRunner().invoke(app, [*map(str, words), "-o", str(target)])
        assert getattr(told.exception, "exit_code", None) == code, told.output
        assert message in str(told.exception) and not target.exists()
