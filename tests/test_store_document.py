"""docs/store-format.md: its readers read what codecctl reads, and its numbers are right."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xxhash

from codecctl.datasets.store import RecordingInfo, Store, read_index

from .store_mutations import DTYPES, make_sound_store

DOCUMENT = Path(__file__).parents[1] / "docs" / "store-format.md"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None, language
    return found.group(1)


@pytest.fixture(params=DTYPES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make_sound_store(tmp_path / "store", request.param)


def test_the_printed_python_reader_equals_ours_to_the_last_bit(folder: Path) -> None:
    text = block("python")
    imported = {
        name.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported == {"json", "pathlib", "numpy"}
    reader: dict[str, Any] = {}
    exec(compile(text, str(DOCUMENT), "exec"), reader)
    generator = np.random.default_rng(0)
    with Store.open(folder) as store:
        assert list(reader["recordings"](folder)) == [info.name for info in store.recordings]
        for info in store.recordings:
            for _ in range(20):
                start = int(generator.integers(info.frames))
                frames = int(generator.integers(1, info.frames - start + 1))
                channels = generator.permutation(info.channels)[:2].tolist()
                expected = store.read(info.name, start, frames, channels)
                found = reader["read"](folder, info.name, start, frames, channels)
                assert found.tobytes() == expected.tobytes()


def test_the_printed_javascript_reader_equals_ours(folder: Path, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    (tmp_path / "read.js").write_text(block("javascript"))
    command = [node, str(tmp_path / "read.js"), str(folder), "Beach.2", "1", "350", "500"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    with Store.open(folder) as store:
        expected = store.read("Beach.2", 350, 500, [1])[0]
    assert np.array(lines, dtype=np.float32).tobytes() == expected.tobytes()


def test_every_hash_is_what_the_document_says(folder: Path) -> None:
    data = (folder / "index.json").read_bytes()
    checksum = json.loads(data)["checksum"].removeprefix("xxh3-128:")
    start = data.rindex(checksum.encode())
    blank = data[:start] + b"0" * 32 + data[start + 32 :]
    assert xxhash.xxh3_128_hexdigest(blank) == checksum
    for row in read_index(folder).recordings:
        file = (folder / "rec" / f"{row.name}.h5").read_bytes()
        seconds, chunk = -(-row.frames // row.sample_rate), min(row.sample_rate, row.frames)
        length = chunk * (2 if row.dtype in ("int16", "pcm16") else 4)
        chunks = row.channels * seconds
        end = row.audio_offset + chunks * length
        table = file[row.check_offset : row.check_offset + 8 * chunks]
        hashes = [
            xxhash.xxh3_64_intdigest(file[start : start + length])
            for start in range(row.audio_offset, end, length)
        ]
        assert np.frombuffer(table, "<u8").tolist() == hashes
        if row.scale_offset >= 0:
            table += file[row.scale_offset : row.scale_offset + 4 * chunks]
        assert row.audio_hash == "xxh3-128:" + xxhash.xxh3_128_hexdigest(table)
        structure = file[: row.audio_offset] + file[end:]
        assert row.structure_hash == "xxh3-128:" + xxhash.xxh3_128_hexdigest(structure)
        assert row.file_size == len(file)
        room = int.from_bytes(file[-24:-16], "little")
        text = file[-24 - room : -24]
        assert file[-16:-8] == xxhash.xxh3_64_intdigest(text).to_bytes(8, "little")
        body = file[: row.audio_offset] + file[end : -24 - room]
        assert json.loads(text)["body_hash"] == "xxh3-128:" + xxhash.xxh3_128_hexdigest(body)


def test_the_test_vectors_are_right() -> None:
    text = " ".join(DOCUMENT.read_text().split())
    vectors = [
        (b"", "XXH3-64 of no bytes is `{}`"),
        (bytes(8), "it is `{}` and"),
        (bytes.fromhex("0100ffff0200feff"), "and `{}`; XXH3-128"),
    ]
    for data, sentence in vectors:
        assert sentence.format(xxhash.xxh3_64_hexdigest(data)) in text
    lies = xxhash.xxh3_64_intdigest(bytes.fromhex("0100ffff0200feff")).to_bytes(8, "little")
    assert f"lies as `{lies.hex(' ')}`" in text
    assert f"XXH3-128 of no bytes is `{xxhash.xxh3_128_hexdigest(b'')}`" in text


def test_every_key_and_attribute_is_described(folder: Path) -> None:
    text = DOCUMENT.read_text()
    names = {field.name for field in fields(RecordingInfo)} | set(
        json.loads((folder / "index.json").read_bytes())
    )
    with h5py.File(folder / "rec/Beach.1.h5", "r", locking=False) as file:
        names |= set(file.attrs)
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
