"""What belongs to one side of every split."""

from __future__ import annotations

from codecctl.datasets.groups import groups
from codecctl.datasets.store import RecordingInfo


def row(name: str, **changes: str | int) -> RecordingInfo:
    """A recording of which everything is its own."""
    scene, _, take = name.rpartition(".")
    values: dict[str, object] = {
        "name": name,
        "scene": scene,
        "take": take,
        "corpus": "yard",
        "array": "em32",
        "channels": 32,
        "frames": 100,
        "sample_rate": 10,
        "dtype": "int16",
        "source_name": f"{name}.wav",
        "source_rate": 10,
        "source_bits": 24,
        "source_frames": 100,
        "source_size": 1,
        "source_mtime": 0.0,
        "source_hash": f"sha256:{name}",
        "audio_offset": 0,
        "scale_offset": 0,
        "check_offset": 0,
        "file_size": 1_000_000,
        "structure_hash": name,
        "audio_hash": name,
        **changes,
    }
    known = {key: values[key] for key in RecordingInfo.__dataclass_fields__}
    return RecordingInfo(**known)  # type: ignore[arg-type]  # of the types of their fields


def named(*rows: RecordingInfo, **options: object) -> list[str]:
    return [" ".join(info.name for info in group) for group in groups(rows, **options)]  # type: ignore[arg-type]  # as `groups` takes them


def test_recordings_that_share_nothing_are_apart_and_in_order() -> None:
    assert named(row("Park.2"), row("Beach.1"), row("Park.1")) == ["Beach.1", "Park.1", "Park.2"]


def test_products_of_a_take_copies_and_sources_are_together() -> None:
    rows = [
        row("Beach.1"),
        row("Beach.1-foa", take="1", array="ambisonic-ACN-SN3D"),
        row("Park.1", audio_hash="Park.7"),
        row("Park.7"),
        row("Woodland.1"),
        row("Woodland.2", source_hash="sha256:Woodland.1"),
    ]
    assert named(*rows) == ["Beach.1 Beach.1-foa", "Park.1 Park.7", "Woodland.1 Woodland.2"]


def test_a_take_of_another_corpus_is_another_take() -> None:
    assert named(row("a.1"), row("b.1", scene="a", corpus="field")) == ["a.1", "b.1"]


def test_links_make_one_group_of_all_that_they_join() -> None:
    rows = [row(f"a.{number}") for number in range(5)]
    pairs = [("a.3", "a.4"), ("a.0", "a.3"), ("a.1", "elsewhere")]
    assert named(*rows, shared=pairs) == ["a.0 a.3 a.4", "a.1", "a.2"]


def test_sources_without_a_hash_are_not_the_same_source() -> None:
    assert named(*(row(f"a.{number}", source_hash="") for number in range(3))) == [
        "a.0",
        "a.1",
        "a.2",
    ]


def test_places_are_compared_without_case_and_spaces() -> None:
    places = {"a.0": {"Location": "North  Bay"}, "a.1": {"Location": "north bay "}, "a.2": {}}
    rows = [row(f"a.{number}") for number in range(3)]
    assert named(*rows, metadata=places) == ["a.0 a.1", "a.2"]
