"""Whole corpora through the command: continued, refused, reported, the same for any jobs."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from codecctl.commands.data_synth import synth
from codecctl.datasets.synth.corpus import (
    BUILT_IN,
    Corpus,
    Settings,
    plan_corpus,
    prepare_folder,
    remove_temporaries,
)
from codecctl.datasets.synth.wave import temporary_mark
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

pytestmark = pytest.mark.long


def _short(out: Path, **options: Any) -> None:
    """The command with what keeps a test short."""
    synth(out, **{"seconds": 0.05, "recordings": 1, "scenes": "Woodland", "jobs": 1, **options})


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_corpus_has_recordings_logs_settings_and_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "corpus"
    _short(out, recordings=2)
    files = _contents(out)
    assert sorted(files) == [
        "README.md",
        "Woodland-01-Raw.wav",
        "Woodland-02-Raw.wav",
        "corpus.json",
        "logs/Woodland-01.json",
        "logs/Woodland-02.json",
    ]
    assert b"must never support a claim" in files["README.md"]
    log = json.loads(files["logs/Woodland-02.json"])
    assert log["take"] == 2
    assert log["file"] == "Woodland-02-Raw.wav"
    assert log["clipped_samples"] == 0
    assert log["license"].startswith("CC0")
    assert len(log["capsule_gains_db"]) == 32
    info = soundfile.info(out / "Woodland-01-Raw.wav")
    assert (info.channels, info.samplerate, info.frames) == (32, 48_000, 2400)
    assert (info.format, info.subtype) == ("WAVEX", "PCM_24")
    assert "rendered 2 recordings of 0.05 s, 32 channels" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_processes(tmp_path: Path) -> None:
    _short(tmp_path / "one", recordings=2)
    _short(tmp_path / "two", recordings=2, jobs=2)
    assert _contents(tmp_path / "one") == _contents(tmp_path / "two")


def test_running_again_renders_only_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _short(tmp_path)
    before = (tmp_path / "Woodland-01-Raw.wav").stat()
    _short(tmp_path, recordings=2)
    after = (tmp_path / "Woodland-01-Raw.wav").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert "rendered 1 recordings" in (told := capsys.readouterr().out)
    assert "kept 1" in told
    _short(tmp_path, recordings=2)
    assert "rendered 0 recordings" in capsys.readouterr().out


def test_a_cut_recording_is_rendered_again_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _short(tmp_path)
    before = _contents(tmp_path)
    os.truncate(tmp_path / "Woodland-01-Raw.wav", 5000)
    _short(tmp_path)
    assert "found 5000 B, needed 230480 B; rendered again" in capsys.readouterr().err
    assert _contents(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [({"seed": 1}, "seed 0 .now 1."), ({"seconds": 0.06}, "seconds 0.05 .now 0.06."),
     ({"names": "metadata"}, "names raw .now metadata.")],
)  # fmt: skip
def test_a_corpus_with_other_settings_is_not_touched(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    prepare_folder(_plan(tmp_path))
    before = _contents(tmp_path)
    with pytest.raises(UsageError, match=f"holds a corpus made with {said}; choose another"):
        _short(tmp_path, **options)
    assert _contents(tmp_path) == before


def _plan(folder: Path) -> Corpus:
    settings = Settings(seed=0, seconds=0.05, names="raw", sources=BUILT_IN)
    return plan_corpus(folder, settings, scenes=["Woodland"], recordings=1, sounds=None)


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("important")
    with pytest.raises(UsageError, match="did not write; choose an empty folder"):
        _short(tmp_path)
    assert _contents(tmp_path) == {"thesis.txt": b"important"}


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file; a corpus needs a folder"):
        _short(tmp_path / "file")
    with pytest.raises(UsageError, match="needs a folder here"):
        _short(tmp_path / "file" / "below")


def test_damaged_settings_are_an_error_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "corpus.json").write_text("{")
    with pytest.raises(DataError, match=r"corpus\.json: not readable"):
        _short(tmp_path)
    (tmp_path / "corpus.json").write_text("[]")
    with pytest.raises(DataError, match="not the settings of a corpus"):
        _short(tmp_path)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    synth(tmp_path / "out", dry_run=True)
    assert "would render 16 recordings of 4 s" in (told := capsys.readouterr().out)
    assert "295 MB" in told
    assert not (tmp_path / "out").exists()


def test_json_names_every_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _short(tmp_path, names="folders", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["rendered"] == [str(tmp_path / "Woodland" / "Woodland-01-Raw.wav")]
    assert told["kept"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [({"scenes": "Beach,Moon"}, "'Moon': no such scene; known: Beach,"),
     ({"names": "nice"}, "'nice': unknown spelling; known: raw,"),
     ({"seconds": 0.0}, "--seconds 0: needs at least"),
     ({"seconds": float("nan")}, "--seconds nan: needs at least"),
     ({"seconds": 1000.0}, "4.6 GB, a WAV file ends at 4.29 GB; 932 s is the longest")],
)  # fmt: skip
def test_impossible_wishes_are_refused(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        _short(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_scenes_are_found_by_their_display_names_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _short(tmp_path, scenes="busy street, TrainStation,BusyStreet", dry_run=True, as_json=True)
    missing = json.loads(capsys.readouterr().out)["missing"]
    assert [Path(path).name for path in missing] == [
        "BusyStreet-01-Raw.wav",
        "TrainStation-01-Raw.wav",
    ]


def test_leftovers_of_a_dead_process_are_cleared_and_those_of_a_living_one_kept(
    tmp_path: Path,
) -> None:
    corpus = _plan(tmp_path)
    prepare_folder(corpus)
    dead = tmp_path / f".Beach-01-Raw.wav.{temporary_mark(2**22 + 1)}"
    living = tmp_path / f".Beach-02-Raw.wav.{temporary_mark(os.getppid())}"
    elsewhere = tmp_path / ".Beach-03-Raw.wav.tmp-some-other-host-17"
    for path in (dead, living, elsewhere):
        path.touch()
    prepare_folder(_plan(tmp_path))
    assert not dead.exists()
    assert living.exists()
    assert elsewhere.exists()
    remove_temporaries(tmp_path, os.getppid())
    assert not living.exists()


def test_recordings_of_a_folder_are_rendered_and_named_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    noise = np.random.default_rng(0).standard_normal(30_000) * 0.1
    soundfile.write(sources / "rain.wav", noise, 16_000)
    soundfile.write(sources / "silent.wav", 0 * noise, 16_000)
    out = tmp_path / "out"
    _short(out, sources=sources)
    assert "silent.wav: left out, silent" in capsys.readouterr().err
    log = json.loads((out / "logs" / "Woodland-01.json").read_text())
    assert {source["material"]["file"] for source in log["sources"]} == {"rain.wav"}
    assert log["license"].startswith("Derived from the recordings")
    audio = soundfile.read(out / "Woodland-01-Raw.wav")[0]
    assert 10 * np.log10(np.mean(audio**2)) > -70
    with pytest.raises(UsageError, match="holds a corpus made with sources"):
        _short(out)
    with pytest.raises(NotFoundError, match="no such folder"):
        _short(tmp_path / "other", sources=tmp_path / "none")


def test_not_enough_space_is_said_before_anything_is_rendered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(tmp_path)
    full = os.statvfs_result((*real[:4], 0, *real[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    with pytest.raises(CodecctlError, match="0 MB needed, 0 MB free; render fewer"):
        prepare_folder(_plan(tmp_path / "new" / "corpus"))
    assert not any(tmp_path.iterdir())


def test_an_error_in_a_process_of_its_own_ends_the_command_with_its_reason(tmp_path: Path) -> None:
    prepare_folder(_plan(tmp_path))
    (tmp_path / "Woodland-01-Raw.wav").mkdir()
    with pytest.raises(CodecctlError, match=r"Is a directory: .*Woodland-01-Raw\.wav"):
        _short(tmp_path, recordings=2, jobs=2)
    assert not list(tmp_path.glob(".*"))
    (tmp_path / "Woodland-01-Raw.wav").rmdir()
    _short(tmp_path, recordings=2)
    assert (tmp_path / "Woodland-01-Raw.wav").is_file()


def test_a_file_where_the_logs_belong_is_said(tmp_path: Path) -> None:
    prepare_folder(_plan(tmp_path))
    (tmp_path / "logs").rmdir()
    (tmp_path / "logs").touch()
    with pytest.raises(UsageError, match="logs: a corpus needs a folder here"):
        _short(tmp_path)
