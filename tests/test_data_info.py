from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.data_info import finite, info
from codecctl.errors import DataError, NotFoundError

MakeStore = Callable[..., Path]
RATE = 24_000


@pytest.fixture
def store(make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of noise at -20 dBFS and of silence, in the working folder."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).standard_normal((2, 36_000)).astype(np.float32) * 0.1
    audio = {"Beach.1": noise, "Beach.2": noise, "door": 0 * noise}
    metadata = {"Beach.1": {"Location": "Bridlington"}, "Beach.2": {"Location": "Filey"}}
    return make_store(audio, name="yard", sample_rate=RATE, metadata=metadata)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def _values(lines: list[str], first: str) -> list[list[str]]:
    return [line.split() for line in lines if line.split()[:1] == [first]]


@pytest.mark.usefixtures("store")
def test_levels_of_each_scene_stand_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    info("yard")
    lines = _lines(capsys)
    assert lines[0].startswith("stores/yard: 3 recordings, 1 scene, 4.5 s, ")
    levels, octaves = _values(lines, "Beach")
    assert [*levels[1:3], levels[4]] == ["2", "0.05", "-20.0"]
    assert levels[-2:] == ["1,", "2"]
    # White noise: an octave of center f holds f / sqrt(2) of 12 kHz; 8 kHz has -23.3 dB.
    assert octaves[-3:] == ["-29", "-26", "-23"]
    assert _values(lines, "(none)")[0][3:7] == ["-inf"] * 4


@pytest.mark.usefixtures("store")
def test_sources_licence_metadata_and_uses_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    info("yard", recordings=True)
    text = "\n".join(_lines(capsys))
    assert "3 × stereo, 24000 Hz, 24 bit" in text
    assert "source hash sha256" in text
    assert "corpus: from /data/field recordings\n    licence   unknown: see the source" in text
    assert "Location  2 values: Bridlington, Filey" in text
    assert "mean |r| 0.0" in text
    assert "check     never;" in text
    assert "splits    none; make one with: codecctl data split yard" in text
    assert re.search(r"that can train on it: .*\bpaired\b", text)
    assert "door       unknown-2ch   2     1.50   -inf  door.wav" in text


@pytest.mark.usefixtures("store")
def test_info_as_json_has_a_row_for_each_recording(capsys: pytest.CaptureFixture[str]) -> None:
    info("yard", as_json=True)
    content = json.loads(capsys.readouterr().out)
    levels = {row["name"]: row["level_db"] for row in content["recordings"]}
    assert levels["Beach.1"] == pytest.approx(-20, abs=0.1)
    assert levels["door"] is None
    assert "paired" in content["fits"]
    assert content["schema"] == 1
    assert content["summary"]["band_centers"][-1] == 8000
    assert content["summary"]["scenes"][0]["bands_db"] == [None] * 9
    assert content["metadata"] == {"Location": {"Bridlington": 1, "Filey": 1}}
    assert content["corpora"][0]["licence"] == ""
    assert content["check"] is None


def test_the_coherence_of_capsules_stands_beside_that_of_a_diffuse_field(
    make_store: MakeStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    same = np.repeat(np.random.default_rng(0).standard_normal((1, RATE)), 32, axis=0) * 0.1
    make_store({"Park.1": same.astype(np.float32)}, name="same", sample_rate=RATE)
    info("same")
    lines = _lines(capsys)
    assert _values(lines, "adjacent") == [["adjacent", "capsules", *["1.00"] * 9]]
    adjacent, opposite = _values(lines, "diffuse")
    assert adjacent[2:] == ["1.00", "1.00", "1.00", "0.99", "0.97", "0.90", "0.73", "0.32", "-0.10"]
    assert float(opposite[6]) < 0.8
    assert "1/2/4/8/16 principal components carry 100.0/" in "\n".join(lines)


def test_a_truncated_recording_is_found(store: Path) -> None:
    path = store / "rec" / "door.h5"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"door\.h5: truncated"):
        info("yard")


def test_sources_of_many_kinds_are_counted_apart(
    make_store: MakeStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    audio = {f"a-long-name-{n}": np.zeros((n, RATE), np.float32) for n in (1, 2, 3, 4, 5)}
    make_store({**audio, "another-one": audio["a-long-name-1"]}, name="mixed", sample_rate=RATE)
    info("mixed")
    lines = _lines(capsys)
    assert "  2 × mono, 1 × stereo, 1 × 3 channels, 1 × 4 channels, 1 × 5 channels" in lines
    assert "  6 × 24000 Hz" in lines
    assert "a-long-name" not in "\n".join(lines)


def test_a_store_that_an_ingest_has_not_finished_is_no_store_yet(store: Path) -> None:
    (store / "index.json").unlink()
    with pytest.raises(NotFoundError, match="stores/yard: no index yet: an ingest is writing it"):
        info("yard")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_store_that_may_not_be_read_says_so(store: Path) -> None:
    store.chmod(0)
    try:
        with pytest.raises(DataError, match=r"stores/yard.*: cannot read: Permission denied"):
            info("yard")
    finally:
        store.chmod(0o755)


@pytest.mark.usefixtures("store")
def test_a_store_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="have: yard"):
        info("garden")


def test_json_has_null_for_what_is_no_number() -> None:
    assert finite({"a": [1.5, float("nan")], "b": (float("-inf"), "x")}) == {
        "a": [1.5, None],
        "b": [None, "x"],
    }
