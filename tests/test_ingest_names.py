from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from codecctl.datasets.audiofile import AudioFile
from codecctl.datasets.ingest_names import Candidate, named
from codecctl.datasets.naming import array_of, place
from codecctl.datasets.store import RecordingInfo


def candidate(path: str, channels: int = 32, corpus: str = "") -> Candidate:
    audio = AudioFile(Path(path), channels, 48_000, 48_000, 24, False, 1000, 1.0, None, ())
    return Candidate(audio, path, place(PurePosixPath(path)), array_of(channels), corpus)


def stored(
    name: str, source: str, channels: int = 32, corpus: str = ""
) -> dict[str, RecordingInfo]:
    empty = {field.name: "" for field in dataclasses.fields(RecordingInfo)}
    where = place(PurePosixPath(source))
    row = {
        **empty,
        "name": name,
        "source_name": source,
        "scene": where.scene,
        "take": where.take,
        "array": array_of(channels),
        "corpus": corpus,
    }
    return {name: RecordingInfo(**row)}  # type: ignore[arg-type]  # numbers play no part here


def names(
    candidates: list[Candidate], known: Mapping[str, RecordingInfo] | None = None
) -> dict[str, str]:
    return {item.candidate.source_name: item.name for item in named(candidates, known or {})}


def test_scene_and_take_make_the_name() -> None:
    found = names([candidate("Beach-01-Raw.wav"), candidate("hall/door.wav", 4)])
    assert found == {"Beach-01-Raw.wav": "Beach.1", "hall/door.wav": "hall_door"}


def test_capsule_signals_keep_the_plain_name_whatever_the_order() -> None:
    files = [candidate("Beach.1.wav", 25), candidate("Beach-01-Raw.wav"), candidate("b1/1.wav", 4)]
    expected = {"Beach.1.wav": "Beach.1-25ch", "Beach-01-Raw.wav": "Beach.1", "b1/1.wav": "b1_1"}
    assert names(files) == names(files[::-1]) == expected


def test_a_second_file_of_one_identity_becomes_another_take() -> None:
    files = [candidate(f"{day}/Beach.1.wav") for day in ("monday", "friday", "tuesday")]
    found = {item.candidate.source_name: item for item in named(files, {})}
    assert {path: (item.name, item.take) for path, item in found.items()} == {
        "friday/Beach.1.wav": ("Beach.1", "1"),
        "monday/Beach.1.wav": ("Beach.1-2", "1-2"),
        "tuesday/Beach.1.wav": ("Beach.1-3", "1-3"),
    }
    assert found["tuesday/Beach.1.wav"].twin is files[1]


def test_what_is_stored_keeps_its_name_when_files_appear_before_it() -> None:
    known = stored("Beach.1", "monday/Beach.1.wav")
    files = [candidate("friday/Beach.1.wav"), candidate("monday/Beach.1.wav")]
    expected = {"monday/Beach.1.wav": "Beach.1", "friday/Beach.1.wav": "Beach.1-2"}
    assert names(files, known) == expected


def test_another_array_never_takes_a_stored_name() -> None:
    known = stored("Beach.1", "Beach.1.wav", 25)
    assert names([candidate("Beach-01-Raw.wav")], known) == {"Beach-01-Raw.wav": "Beach.1-32ch"}


def test_a_moved_source_is_the_same_recording() -> None:
    known = stored("Beach.1", "old/Beach.1.wav")
    assert names([candidate("new/Beach.1.wav")], known) == {"new/Beach.1.wav": "Beach.1"}


def test_names_that_differ_in_case_alone_are_kept_apart() -> None:
    assert set(names([candidate("a.wav"), candidate("A.wav")]).values()) == {"A", "a-2"}


def test_another_corpus_gets_its_name_into_those_that_collide() -> None:
    known = stored("Beach.1", "Beach-01-Raw.wav", corpus="eigenscape")
    files = [candidate("Beach-01-Raw.wav", corpus="ours"), candidate("Beach.2.wav", corpus="ours")]
    assert names(files, known) == {"Beach-01-Raw.wav": "Beach.1-ours", "Beach.2.wav": "Beach.2"}
    both = [files[0], candidate("Beach.1.wav", 25, corpus="ours")]
    assert names(both, known) == {
        "Beach-01-Raw.wav": "Beach.1-ours",
        "Beach.1.wav": "Beach.1-ours-25ch",
    }


def test_a_corpus_that_is_ingested_again_finds_its_own_names() -> None:
    known = {
        **stored("Beach.1", "Beach-01-Raw.wav", corpus="eigenscape"),
        **stored("Beach.1-ours", "Beach-01-Raw.wav", corpus="ours"),
    }
    for corpus, expected in (("ours", "Beach.1-ours"), ("eigenscape", "Beach.1")):
        assert list(names([candidate("Beach-01-Raw.wav", corpus=corpus)], known).values()) == [
            expected
        ]
