from __future__ import annotations

import hashlib

import pytest
import xxhash

from codecctl.datasets.sourcehash import HASHES, NO_HASH, SOURCE_HASHES, FileHashes, algorithm_of


def test_pieces_of_a_file_hash_as_the_whole() -> None:
    hashes = FileHashes(HASHES)
    for piece in (b"Be", b"", b"ach"):
        hashes.update(piece)
    assert hashes.text("sha256") == "sha256:" + hashlib.sha256(b"Beach").hexdigest()
    assert hashes.text("xxh3-128") == "xxh3-128:" + xxhash.xxh3_128_hexdigest(b"Beach")


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("md5", "900150983cd24fb0d6963f7d28e17f72"),
        ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ],
)
def test_the_hash_of_abc_is_the_one_of_the_standard(algorithm: str, expected: str) -> None:
    hashes = FileHashes([algorithm])
    hashes.update(b"abc")
    assert hashes.text(algorithm) == f"{algorithm}:{expected}"


def test_what_was_not_asked_for_costs_nothing_and_is_empty() -> None:
    hashes = FileHashes([NO_HASH, "", "blake9"])
    assert not hashes
    assert [hashes.text(name) for name in (NO_HASH, "", "blake9", "md5")] == [""] * 4


def test_every_hash_of_a_source_is_known_or_none() -> None:
    assert set(SOURCE_HASHES) - {NO_HASH} <= set(HASHES)
    assert [algorithm_of(text) for text in ("md5:ab", "")] == ["md5", ""]
