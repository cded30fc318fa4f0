from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from codecctl.datasets.shards import (
    Shard,
    ShardNote,
    parse_shard,
    part_of,
    plan_hash,
    read_note,
    shard_option,
    write_note,
)
from codecctl.errors import CodecctlError, DataError, UsageError

FILES = [(f"{number}.wav", size, number) for number, size in enumerate((7, 7, 6, 5, 4, 3, 2, 2))]


def test_every_file_is_in_exactly_one_shard_and_the_shards_are_even() -> None:
    parts = [part_of(FILES, number=number, total=3) for number in (1, 2, 3)]
    assert sorted(number for part in parts for number in part) == list(range(8))
    loads = [sum(FILES[number][1] for number in part) for part in parts]
    assert loads == [13, 12, 11]  # of 36, by hand: 7 4 2 | 7 3 2 | 6 5


def test_the_order_in_which_files_are_found_does_not_matter() -> None:
    shuffled = random.Random(0).sample(FILES, len(FILES))
    for number in (1, 2, 3):
        assert part_of(shuffled, number=number, total=3) == part_of(FILES, number=number, total=3)


def test_more_shards_than_files_leave_some_empty() -> None:
    parts = [part_of(FILES[:2], number=number, total=4) for number in (1, 2, 3, 4)]
    assert parts == [[0], [1], [], []]


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b", "1/99999"])
def test_what_is_no_shard_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="needed I/N with 1 <= I <= N"):
        shard_option(text)


def test_folder_names_and_shards_are_inverse() -> None:
    shard = Shard("e.44", 2, 16)
    assert shard_option("2/16") == (2, 16)
    assert parse_shard(shard.folder_name) == shard
    assert parse_shard("eigenscape") is None
    assert parse_shard("eigenscape.shard-1") is None


def test_the_plan_depends_on_files_sizes_and_settings_and_not_on_their_order() -> None:
    files = [("a.wav", 1), ("b.wav", 2)]
    assert plan_hash(files, [24_000]) == plan_hash(files[::-1], [24_000])
    assert plan_hash(files, [24_000]) != plan_hash(files, [44_100])
    assert plan_hash(files, [24_000]) != plan_hash([("a.wav", 1), ("b.wav", 3)], [24_000])


def test_a_note_is_read_as_it_was_written_and_damage_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "e.shard-1-of-2"
    assert read_note(folder) is None
    note = ShardNote(Shard("e", 1, 2), "xxh3-128:00", ("Beach.1", "Beach.2"))
    write_note(folder, note)
    assert read_note(folder) == note
    assert [path.name for path in folder.iterdir()] == ["shard.json"]
    (folder / "shard.json").write_text('{"plan": 5}')
    with pytest.raises(DataError, match="damaged; run the ingest of this shard again"):
        read_note(folder)
    (folder / "shard.json").unlink()
    os.mkfifo(folder / "shard.json")  # is not waited for
    with pytest.raises(CodecctlError, match=r"shard\.json: cannot read: no regular file"):
        read_note(folder)
