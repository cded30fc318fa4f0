from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from codecctl.datasets.discovery import discover, shown
from codecctl.errors import DataError, NotFoundError


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_audio_is_found_at_any_depth_in_the_order_of_the_paths(tmp_path: Path) -> None:
    for name in ("b/Beach.1.WAV", "a.flac", "b/c/d/e.W64", "b/c.Aiff", "notes.txt", "x.h5"):
        touch(tmp_path / name)
    found = discover(tmp_path)
    names = [str(path) for path in found.files]
    assert names == ["a.flac", "b/Beach.1.WAV", "b/c/d/e.W64", "b/c.Aiff"]
    assert (found.broken, found.left_out) == ((), ())


def test_hidden_files_are_skipped_and_counted(tmp_path: Path) -> None:
    touch(tmp_path / "._Beach.1.wav")
    touch(tmp_path / ".cache" / "x.wav")
    assert discover(tmp_path).files == ()
    assert discover(tmp_path).num_hidden == 2


def test_archives_and_lossy_files_are_named(tmp_path: Path) -> None:
    touch(tmp_path / "Park.zip")
    touch(tmp_path / "x.mp3")
    reasons = {problem.path: problem.reason for problem in discover(tmp_path).left_out}
    assert "unpack" in reasons["Park.zip"]
    assert "lossy" in reasons["x.mp3"]


def test_folders_links_and_pipes_with_an_audio_name_are_broken(tmp_path: Path) -> None:
    (tmp_path / "folder.wav").mkdir()
    touch(tmp_path / "other.wav" / "inside.wav")
    (tmp_path / "gone.wav").symlink_to("nowhere")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    found = discover(tmp_path)
    reasons = {problem.path: problem.reason for problem in found.broken}
    assert set(reasons) == {"folder.wav", "gone.wav", "loop.wav", "pipe.wav"}
    assert "nowhere, which does not exist" in reasons["gone.wav"]
    assert found.files == (PurePosixPath("other.wav/inside.wav"),)


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path / "source" / "a.wav")
    elsewhere = touch(tmp_path / "elsewhere" / "b.wav").parent
    (tmp_path / "source" / "up").symlink_to("..", target_is_directory=True)
    (tmp_path / "source" / "linked").symlink_to(elsewhere, target_is_directory=True)
    found = discover(tmp_path / "source")
    assert [path.name for path in found.files] == ["a.wav", "b.wav"]


def test_previews_of_a_run_are_no_source(tmp_path: Path) -> None:
    touch(tmp_path / "runs" / "r" / "profile.json")
    touch(tmp_path / "runs" / "r" / "metrics.jsonl")
    touch(tmp_path / "runs" / "r" / "previews" / "item.wav")
    assert discover(tmp_path).files == ()


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    found = discover(touch(tmp_path / "Beach.1.wav"))
    assert (found.folder, found.files) == (tmp_path, (PurePosixPath("Beach.1.wav"),))


def test_sources_that_cannot_be_say_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file or folder"):
        discover(tmp_path / "missing")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(NotFoundError, match="a link to nowhere"):
        discover(tmp_path / "link")
    with pytest.raises(DataError, match="unpack it"):
        discover(touch(tmp_path / "Beach.zip"))
    with pytest.raises(DataError, match="not audio by its name"):
        discover(touch(tmp_path / "notes.txt"))


def test_any_name_is_shown_on_one_printable_line() -> None:
    assert shown("caf\udce9/a\nb.wav") == "caf\\xe9/a\\nb.wav"
    assert shown(PurePosixPath("Straße.wav")) == "Straße.wav"


def test_every_other_file_is_counted_and_companions_are_kept(tmp_path: Path) -> None:
    names = ("a.wav", "README.md", "x/MD5SUMS", "x/Metadata.CSV", "x/b.json", "LICENCE", "c.tar")
    for name in names:
        touch(tmp_path / name)
    found = discover(tmp_path)
    assert found.others == {".csv": 1, ".json": 1, ".md": 1, "no ending": 2}
    assert [str(path) for path in found.companions] == [
        "LICENCE",
        "README.md",
        "x/MD5SUMS",
        "x/Metadata.CSV",
    ]
