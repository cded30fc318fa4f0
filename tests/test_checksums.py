from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from codecctl.datasets.checksums import Checksums, find_lists
from codecctl.datasets.naming import place
from codecctl.errors import DataError, NotFoundError

MD5 = hashlib.md5(b"x").hexdigest()
SHA256 = hashlib.sha256(b"x").hexdigest()


def expected(checksums: Checksums, name: str, channels: int = 32) -> str:
    return checksums.expected(name, place(PurePosixPath(name)), channels)


def listed(path: Path, text: str, *, below: str = "") -> Checksums:
    path.write_text(text)
    checksums = Checksums(eigenscape=False)
    checksums.add_list(path, below=below)
    return checksums


@pytest.mark.parametrize("options", [[], ["--tag"], ["--binary"]])
def test_what_the_tools_write_is_read(tmp_path: Path, options: list[str]) -> None:
    names = ["a.wav", "b c.wav", "back\\slash.wav"]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    for tool, digits in (("md5sum", MD5), ("sha256sum", SHA256)):
        done = subprocess.run(
            [tool, *options, *names], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        checksums = listed(tmp_path / "sums", done.stdout)
        for name in ("a.wav", "b c.wav"):
            assert expected(checksums, name) == f"{tool[:-3]}:{digits}"


def test_names_are_relative_to_the_list_and_a_unique_file_name_is_enough(tmp_path: Path) -> None:
    text = f"{MD5}  ./x.wav\n{'0' * 32} *deep/y.wav\n# a comment\n\n"
    checksums = listed(tmp_path / "MD5SUMS", text, below="Beach")
    assert expected(checksums, "Beach/x.wav") == f"md5:{MD5}"
    assert expected(checksums, "elsewhere/x.wav") == f"md5:{MD5}"
    assert expected(checksums, "Beach/deep/y.wav") == "md5:" + "0" * 32
    checksums.add_list(tmp_path / "MD5SUMS", below="Park")
    assert expected(checksums, "Park/x.wav") == f"md5:{MD5}"


def test_one_name_with_two_sums_counts_only_where_its_path_is_listed(tmp_path: Path) -> None:
    text = f"{MD5}  a/x.wav\n{'0' * 32}  b/x.wav\n"
    checksums = listed(tmp_path / "MD5SUMS", text)
    assert expected(checksums, "b/x.wav") == "md5:" + "0" * 32
    assert expected(checksums, "c/x.wav") == ""
    (tmp_path / "other").write_text(f"{MD5}  b/x.wav\n")
    with pytest.raises(DataError, match=r"line 1: b/x\.wav is listed with another sum"):
        checksums.add_list(tmp_path / "other")


def test_the_strongest_sum_is_compared(tmp_path: Path) -> None:
    assert expected(listed(tmp_path / "s", f"{SHA256}  x\n{MD5.upper()}  x\n"), "x") == (
        f"sha256:{SHA256}"
    )


def test_an_index_of_soundata_is_a_list(tmp_path: Path) -> None:
    index = {"version": "1.0", "clips": {"Beach-01-Raw": {"audio": ["Beach-01-Raw.wav", MD5]}}}
    checksums = listed(tmp_path / "index.json", json.dumps(index))
    assert expected(checksums, "x/Beach-01-Raw.wav") == f"md5:{MD5}"
    for text in ("{", "[]", '{"clips": {"a": 5}}'):
        with pytest.raises(DataError, match=r"index\.json"):
            listed(tmp_path / "index.json", text)


def test_eigenscape_has_its_own_unless_a_list_says_otherwise(tmp_path: Path) -> None:
    checksums = Checksums(eigenscape=True)
    assert expected(checksums, "Beach-01-Raw.wav") == "md5:5612673e79f8d586ba47d43dc902d5da"
    assert expected(checksums, "Beach.1.wav", 25) == "md5:b199ddd2350c0516c6908e12bea1095b"
    assert expected(checksums, "door.wav", 1) == ""
    (tmp_path / "MD5SUMS").write_text(f"{MD5}  Beach-01-Raw.wav\n")
    checksums.add_list(tmp_path / "MD5SUMS")
    assert expected(checksums, "Beach-01-Raw.wav") == f"md5:{MD5}"


@pytest.mark.parametrize("text", ["hello\n", f"{MD5}\n", f"{MD5[:-1]}  x\n", f"{MD5}00  x\n"])
def test_what_is_no_list_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="line 1: "):
        listed(tmp_path / "MD5SUMS", text)


def test_a_missing_list_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such checksum list"):
        Checksums(eigenscape=False).add_list(tmp_path / "x")


def test_lists_are_known_by_their_names() -> None:
    names = ["MD5SUMS", "a/sha256sums.txt", "b.md5", "c.SHA1SUM", "md5.csv", "README"]
    assert [str(path) for path in find_lists([PurePosixPath(name) for name in names])] == names[:4]
