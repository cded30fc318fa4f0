"""`codecctl data ingest` on corpora of every kind: sizes, containers, rates, channel counts."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from codecctl.datasets.resample import converted_frames
from codecctl.datasets.store import Store

from ..sparse_audio import write_sparse

pytestmark = pytest.mark.e2e

CODECCTL = Path(sys.executable).with_name("codecctl")
RATE = 24_000


def run(folder: Path, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run codecctl in a folder and require an exit code."""
    command = [str(CODECCTL), *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done


def run_json(folder: Path, *words: object, code: int = 0) -> dict[str, Any]:
    """What a command prints as JSON."""
    content = json.loads(run(folder, *words, "--json", code=code).stdout)
    assert isinstance(content, dict)
    return content


def sound(channels: int, frames: int, *, rate: int, seed: int) -> np.ndarray:
    """(C, T): the same sum of sines below 3 kHz at any rate, so that nothing has to resample it."""
    generator = np.random.default_rng(seed)
    shape = (channels, 1, 12)
    pitch, phase = generator.uniform(60, 3000, shape), generator.uniform(0, 6.28, shape)
    time = np.arange(frames)[None, :, None] / rate
    return np.asarray(0.05 * np.sin(2 * np.pi * pitch * time + phase).sum(axis=2))


def snr_db(found: np.ndarray, expected: np.ndarray) -> float:
    """The worst channel, (C, T)."""
    error = np.square(found.astype(np.float64) - expected).mean(axis=1)
    return float(10 * np.log10((np.square(expected).mean(axis=1) / error).min()))


KINDS = {
    "Beach/Beach-01-Raw.wav": (32, 48_000, "WAVEX", "PCM_24"),
    "Beach/Beach.1.wav": (25, 48_000, "WAVEX", "PCM_24"),
    "Busy Street/BusyStreet-02.w64": (25, 48_000, "W64", "PCM_24"),
    "Park/Park-03-Raw.rf64": (32, 48_000, "RF64", "PCM_24"),
    "tetrahedral/walk one.flac": (4, 44_100, "FLAC", "PCM_24"),
    "tetrahedral/walk two.flac": (4, 48_000, "FLAC", "PCM_16"),
    "speech/16k.wav": (4, 16_000, "WAV", "PCM_16"),
    "speech/44k1.aiff": (2, 44_100, "AIFF", "PCM_24"),
    "speech/8k.wav": (1, 8_000, "WAV", "PCM_U8"),
    "speech/96k.caf": (1, 96_000, "CAF", "PCM_32"),
    "speech/float.wav": (3, 44_100, "WAV", "FLOAT"),
    "speech/double.wav": (1, 48_000, "WAV", "DOUBLE"),
    "speech/sun.au": (2, 22_050, "AU", "PCM_16"),
    "speech/lossy.ogg": (2, 44_100, "OGG", "VORBIS"),
}
"""Channels, rate, container and coding of each file."""

COARSE = {"PCM_U8": 25.0, "VORBIS": 15.0, "PCM_16": 70.0}
"""Decibels that a coding keeps; the int16 of the store keeps more."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second and a bit of everything, and what lies beside recordings in real folders."""
    folder = tmp_path_factory.mktemp("mixed") / "mixed"
    for number, (name, (channels, rate, container, coding)) in enumerate(KINDS.items()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        audio = sound(channels, rate + 311 * (number + 1), rate=rate, seed=number)
        soundfile.write(path, audio.T, rate, format=container, subtype=coding)
    soundfile.write(folder / "short.wav", np.zeros((4_000, 2)), 16_000, subtype="PCM_16")
    whole = (folder / "speech/16k.wav").read_bytes()
    (folder / "cut.wav").write_bytes(whole[:-5_000])
    (folder / "open.wav").write_bytes(whole[:40] + struct.pack("<I", 0) + whole[44:])
    (folder / "empty.flac").touch()
    (folder / "text.wav").write_text("see the README")
    (folder / "gone.wav").symlink_to("nowhere.wav")
    (folder / "Beach.zip").write_bytes(b"PK\3\4")
    (folder / "song.mp3").write_bytes(b"ID3")
    (folder / "._Park-03-Raw.wav").write_bytes(b"\0\5\26\7")
    (folder / "README.md").write_text("Recordings.")
    return folder


@pytest.fixture(scope="module")
def home(corpus: Path) -> Path:
    """The folder that the mixed corpus was ingested in; what was said is in report.json."""
    home = corpus.parent
    report = run(home, "data", "ingest", corpus, "--json", code=4)
    (home / "report.json").write_text(report.stdout, encoding="utf-8")
    return home


def accounted_for(report: dict[str, Any]) -> int:
    """Files that a report names or counts."""
    named = ("stored", "unchanged", "left_out", "refused", "failed")
    counted = int(report["not_audio"]) + int(report["hidden"])
    return counted + sum(len(report[kind]) for kind in named)


def test_every_file_is_stored_left_out_or_refused_for_a_true_reason(
    home: Path, corpus: Path
) -> None:
    report = json.loads((home / "report.json").read_text(encoding="utf-8"))
    left_out = {row["path"]: row["reason"] for row in report["left_out"]}
    refused = {row["path"]: row["reason"] for row in report["refused"]}
    assert len(report["stored"]) == len(KINDS)
    assert left_out == {
        "short.wav": "0.25 s is shorter than --min-seconds 1 (0 takes everything)",
        "Beach.zip": "an archive; unpack it to ingest it",
        "song.mp3": "mp3 is lossy and not read",
    }
    assert set(refused) == {"cut.wav", "open.wav", "empty.flac", "text.wav", "gone.wav"}
    assert "truncated: the header announces" in refused["cut.wav"]
    assert "the recorder did not close the file" in refused["open.wav"]
    assert refused["empty.flac"] == "empty file (0 bytes)"
    assert refused["text.wav"].startswith("not audio: it starts with b'see the README'")
    assert refused["gone.wav"] == "a link to nowhere.wav, which does not exist"
    assert (report["not_audio"], report["hidden"]) == (1, 1)
    assert accounted_for(report) == sum(len(names) for _, _, names in os.walk(corpus))


def test_every_kind_of_file_arrives_at_the_rate_of_the_store(home: Path, corpus: Path) -> None:
    with Store.open(home / "stores" / "mixed") as store:
        by_source = {info.source_name: info for info in store.recordings}
        assert set(by_source) == {*KINDS}
        for number, (name, (channels, rate, _, coding)) in enumerate(KINDS.items()):
            info = by_source[name]
            assert info.frames == converted_frames(rate + 311 * (number + 1), rate, RATE), name
            assert (info.channels, info.source_rate) == (channels, rate), name
            found = store.read(info.name, 0, info.frames, range(channels))
            expected = sound(channels, info.frames, rate=RATE, seed=number)
            middle = slice(500, info.frames - 500)  # at the ends the sines begin and stop
            needed = COARSE.get(coding, 80.0)
            assert snr_db(found[:, middle], expected[:, middle]) > needed, name


def test_two_products_of_one_take_are_two_recordings(home: Path) -> None:
    with Store.open(home / "stores" / "mixed") as store:
        beach = {info.source_name: info for info in store.recordings if info.scene == "Beach"}
    assert {(info.array, info.channels) for info in beach.values()} == {
        ("em32", 32),
        ("ambisonic-ACN-SN3D", 25),
    }
    assert len({info.name for info in beach.values()}) == 2


def test_a_mixed_store_verifies_and_describes_itself(home: Path) -> None:
    run(home, "data", "verify", "mixed")
    info = run_json(home, "data", "info", "mixed")
    assert info["sample_rate"] == RATE
    again = run_json(home, "data", "ingest", home / "mixed", code=4)
    assert again["stored"] == []
    assert len(again["unchanged"]) == len(KINDS)


def test_native_rates_that_differ_are_refused_with_the_list(home: Path, corpus: Path) -> None:
    refused = run(home, "data", "ingest", corpus, "--name", "native", "--rate", "native", code=2)
    assert "48000 Hz (6 files)" in refused.stderr
    assert not (home / "stores" / "native").exists()


def test_the_native_store_of_a_corpus_keeps_its_rate(home: Path, corpus: Path) -> None:
    folder = corpus / "tetrahedral" / "walk one.flac"
    run(home, "data", "ingest", folder, "--name", "walk", "--rate", "native", "--dtype", "float32")
    with Store.open(home / "stores" / "walk") as store:
        (info,) = store.recordings
        assert (store.sample_rate, info.channels, info.source_bits) == (44_100, 4, 24)
        found = store.read(info.name, 0, info.frames, range(4))
    expected, _ = soundfile.read(folder, dtype="float32")
    np.testing.assert_array_equal(found, expected.T)


def test_files_beyond_two_and_four_gibibytes_are_planned_with_their_true_lengths(
    tmp_path: Path,
) -> None:
    corpus = tmp_path / "large"
    corpus.mkdir()
    ten_minutes = 600 * 48_000
    write_sparse(corpus / "Beach-01-Raw.wav", kind="WAV", channels=32, frames=ten_minutes)
    write_sparse(corpus / "Beach.2.wav", kind="WAV", channels=25, frames=ten_minutes)
    write_sparse(corpus / "Park-03-Raw.wav", kind="RF64", channels=32, frames=2 * ten_minutes)
    write_sparse(corpus / "Woodland.4.w64", kind="W64", channels=25, frames=3 * ten_minutes)
    plan = run_json(tmp_path, "data", "ingest", corpus, "--dry-run")
    assert plan["refused"] == plan["left_out"] == plan["warnings"] == []
    assert plan["hours"] == pytest.approx(70 / 60)
    headers = 4 * 200
    samples = 3 * ten_minutes * (32 + 25 + 2 * 32 + 3 * 25)
    assert samples < plan["source_bytes"] < samples + headers
    assert plan["target_bytes"] == pytest.approx(samples / 3, rel=0.01)
    assert not (tmp_path / "stores").exists()


def test_real_recordings_of_every_kind_are_all_accounted_for(
    shared_audio: Path, tmp_path: Path
) -> None:
    report = run_json(tmp_path, "data", "ingest", shared_audio, "--name", "shared")
    listed = json.loads((shared_audio / "manifest.json").read_text(encoding="utf-8"))
    audio = {row["file"]: row for row in listed}
    left_out = {row["path"]: row["reason"] for row in report["left_out"]}
    assert report["refused"] == report["failed"] == []
    assert accounted_for(report) == sum(len(names) for _, _, names in os.walk(shared_audio))
    with Store.open(tmp_path / "stores" / "shared") as store:
        stored = {info.source_name: info for info in store.recordings}
        assert {*stored} | {*left_out} == {*audio}
        assert not {*stored} & {*left_out}
        for name, info in stored.items():
            assert (info.channels, info.source_rate) == (audio[name]["ch"], audio[name]["fs"])
            assert info.seconds == pytest.approx(audio[name]["sec"], abs=1e-3), name
    for name, reason in left_out.items():
        assert "is shorter than --min-seconds 1" in reason
        assert audio[name]["sec"] < 1, name
    run(tmp_path, "data", "verify", "shared")
