from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from codecctl.datasets.corpora import corpus_of, joined
from codecctl.datasets.discovery import discover
from codecctl.datasets.naming import Place, place
from codecctl.datasets.store import Corpus


def files(*names: str, channels: int = 32) -> list[tuple[Place, int]]:
    return [(place(PurePosixPath(name)), channels) for name in names]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Field Recordings").mkdir()
    return tmp_path / "Field Recordings"


def test_eigenscape_is_known_by_names_and_channels(folder: Path) -> None:
    found = corpus_of(discover(folder), files("Beach-01-Raw.wav", "Busy Street/02.wav"))
    assert (found.id, found.licence, found.folder) == ("eigenscape", "CC BY 4.0", str(folder))
    assert "doi:10.3390/app7111204" in found.citation
    few = files("Beach.1.wav", channels=25) + files("a.wav", channels=1)
    assert corpus_of(discover(folder), few).id == "eigenscape"  # half of the files


@pytest.mark.parametrize(
    "other",
    [
        files("Beach-01-Raw.wav", channels=4),
        files("Beach-09-Raw.wav"),
        files("Beach.1.wav") + files("a.wav", "b.wav"),
        [],
    ],
)
def test_any_other_folder_is_a_corpus_of_its_own(
    folder: Path, other: list[tuple[Place, int]]
) -> None:
    assert corpus_of(discover(folder), other) == Corpus(
        "field-recordings", str(folder), "Field Recordings"
    )


def test_licence_and_readme_of_an_unknown_corpus_are_noted_by_name(folder: Path) -> None:
    for name in ("sub/LICENSE", "COPYING.txt", "sub/README", "readme.md", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("text")
    found = corpus_of(discover(folder), [])
    assert (found.licence, found.citation) == ("see COPYING.txt", "see readme.md")


def test_a_single_file_is_a_corpus_of_its_own_name(folder: Path) -> None:
    (folder / "Door 1.wav").touch()
    found = corpus_of(discover(folder / "Door 1.wav"), [])
    assert found == Corpus("door-1", str(folder / "Door 1.wav"), "Door 1")


def test_the_user_has_the_last_word(folder: Path) -> None:
    mine = corpus_of(discover(folder), files("Beach-01-Raw.wav"), wanted="garden")
    assert (mine.id, mine.licence) == ("garden", "")
    theirs = corpus_of(discover(folder), [], wanted="eigenscape")
    assert (theirs.id, theirs.licence) == ("eigenscape", "CC BY 4.0")


def test_rendered_audio_in_a_folder_named_eigenscape_stays_rendered(tmp_path: Path) -> None:
    folder = tmp_path / "eigenscape"
    folder.mkdir()
    settings = {"seed": 3, "seconds": 4.0, "names": "raw", "sources": "built-in", "renderer": 1}
    (folder / "corpus.json").write_text(json.dumps(settings))
    names = files("Beach-01-Raw.wav", "Park-02-Raw.wav")
    first = corpus_of(discover(folder), names)
    again = corpus_of(discover(folder), names, wanted=first.id)  # as the store remembers it
    assert first == again
    assert (first.id, first.licence, first.citation) == ("eigenscape-rendered", "", "")


def test_rendered_audio_is_never_taken_for_eigenscape(folder: Path) -> None:
    settings = {"seed": 7, "seconds": 4, "names": "raw", "sources": "built-in", "renderer": 1}
    (folder / "corpus.json").write_text(json.dumps(settings))
    found = corpus_of(discover(folder), files("Beach-01-Raw.wav"))
    assert found.id == "field-recordings"
    assert found.title.endswith("seed 7: simulated audio")
    assert (found.licence, found.citation) == ("", "")
    for text in ("[1]", "{", '{"seed": 1}', "x" * 70_000):
        (folder / "corpus.json").write_text(text)
        assert corpus_of(discover(folder), files("Beach-01-Raw.wav")).id == "eigenscape"


def test_a_store_lists_the_corpora_that_it_holds() -> None:
    one, two, gone = (Corpus(name, f"/data/{name}") for name in ("a", "b", "c"))
    assert joined([one, gone], two, used={"a", "b"}) == (one, two)
    newer = Corpus("a", "/data/other", title="A")
    assert joined([one], newer, used={"a"}) == (newer,)
    assert joined([one], two, used={"a"}) == (one,)  # nothing of it was taken
    assert joined([], two, used={"a", "b", ""})[0].id == "a"  # its index was lost


def test_a_part_of_a_corpus_does_not_become_its_folder() -> None:
    whole = Corpus("a", "/data/a", title="A")
    assert joined([whole], Corpus("a", "/data/a/Park", title="A"), used={"a"}) == (whole,)


def test_the_folder_is_remembered_without_detours(folder: Path) -> None:
    detour = folder / ".." / folder.name
    assert corpus_of(discover(detour), []) == corpus_of(discover(folder), [])
    assert corpus_of(discover(detour), []).folder == str(folder)
