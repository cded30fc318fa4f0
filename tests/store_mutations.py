"""Damaged stores, made from a seed: case number n of a seed is always the same bytes."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from codecctl.datasets.store import (
    Corpus,
    RecordingInfo,
    RecordingWriter,
    SourceFacts,
    read_index,
    write_index,
)
from codecctl.datasets.store.index import sealed

RATE, CHANNELS, FRAMES = 400, 3, 1300
DTYPES = ("int16", "float32", "pcm24")
_VALUES: tuple[Any, ...] = (
    0, 1, -1, 2**31 - 1, 2**53 - 1, 2**63, 2**64, 10**30, 1e300, -0.5, True, None, "", "x",
    "../x", "/etc/passwd", "\0", [], {}, [[[[]]]], {"a": {"b": [1]}}, "pcm16", "int16", "float32",
)  # fmt: skip


@dataclass
class Damaged:
    """What was done to a store, and what has to come of it."""

    how: str
    expect: str
    """`audio`: verify names the chunks, opening succeeds; `structure`: opening is refused and
    verify names the recording; `index`: nothing can be opened; `sound`: as if nothing had been
    done; `forged`: whoever wrote it knows the hashes, so that anything but a crash is fine."""
    recording: str = ""
    chunks: set[tuple[int, int]] = field(default_factory=set)
    """Channel and second of each changed chunk."""


def make_sound_store(folder: Path, dtype: str) -> Path:
    """Two recordings of noise."""
    rows = []
    for number in (1, 2):
        name, frames = f"Beach.{number}", FRAMES - 100 * number
        generator = np.random.default_rng(number)
        audio: np.ndarray = generator.integers(-(2**22), 2**22, (CHANNELS, frames), dtype=np.int32)
        if not dtype.startswith("pcm"):
            audio = (audio / 2.0**23).astype(np.float32)
        with RecordingWriter(
            folder,
            name=name,
            scene="Beach",
            take=str(number),
            array="unknown-3ch",
            channels=CHANNELS,
            frames=frames,
            sample_rate=RATE,
            dtype=dtype,
            source=SourceFacts(f"{name}.wav", RATE, 24, frames, 9, 0.0),
            labels=["1", "2", "3"],
            corpus="noise",
        ) as writer:
            writer.write(audio)
            rows.append(writer.commit(source_hash="sha256:00"))
    kind = "pcm" if dtype.startswith("pcm") else dtype
    corpora = [Corpus("noise", "/noise")]
    metadata = {"Beach.1": {"Location": "here"}}
    write_index(
        folder,
        name="noise",
        sample_rate=RATE,
        dtype=kind,
        recordings=rows,
        corpora=corpora,
        metadata=metadata,
    )
    return folder


def damage(folder: Path, number: int, *, seed: int) -> Damaged:
    """Damage a sound store in place."""
    generator = random.Random(f"{seed}/{number}")
    kind = generator.choice(list(_DAMAGES))
    done = _DAMAGES[kind](folder, generator)
    done.how = f"{kind} {done.how}"
    return done


def _pick(folder: Path, generator: random.Random) -> tuple[Path, RecordingInfo]:
    info = generator.choice(read_index(folder).recordings)
    return folder / "rec" / f"{info.name}.h5", info


def _audio(folder: Path, generator: random.Random) -> Damaged:
    path, info = _pick(folder, generator)
    data = bytearray(path.read_bytes())
    chunks = set()
    for _ in range(generator.randint(1, 4)):
        place = generator.randrange(info.geometry.audio_bytes)
        data[info.audio_offset + place] ^= generator.randint(1, 255)
        chunks.add(divmod(place // info.geometry.chunk_bytes, info.geometry.seconds))
    if bytes(data) == path.read_bytes():
        return Damaged("undone", "sound")
    path.write_bytes(data)
    return Damaged(str(sorted(chunks)), "audio", info.name, chunks)


def _structure(folder: Path, generator: random.Random) -> Damaged:
    path, info = _pick(folder, generator)
    data = bytearray(path.read_bytes())
    audio = range(info.audio_offset, info.audio_offset + info.geometry.audio_bytes)
    places = [place for place in range(len(data)) if place not in audio]
    place = generator.choice(places)
    for offset in range(generator.choice((1, 1, 4, 8))):
        if place + offset in places:
            data[place + offset] ^= generator.randint(1, 255)
    path.write_bytes(data)
    return Damaged(f"at {place}", "structure", info.name)


def _cut(folder: Path, generator: random.Random) -> Damaged:
    path, info = _pick(folder, generator)
    data = path.read_bytes()
    length = generator.choice((0, 1, 23, 24, 4096, generator.randrange(len(data))))
    path.write_bytes(data[:length])
    return Damaged(f"to {length}", "structure", info.name)


def _zeros(folder: Path, generator: random.Random) -> Damaged:
    path, info = _pick(folder, generator)
    data = path.read_bytes()
    start = generator.choice((0, generator.randrange(info.audio_offset)))
    path.write_bytes(data[:start] + bytes(len(data) - start))
    return Damaged(f"from {start}", "structure", info.name)


def _longer(folder: Path, generator: random.Random) -> Damaged:
    path, info = _pick(folder, generator)
    path.write_bytes(path.read_bytes() + generator.randbytes(generator.choice((1, 24, 5000))))
    return Damaged("", "structure", info.name)


def _exchanged(folder: Path, generator: random.Random) -> Damaged:
    one, other = (folder / f"rec/Beach.{number}.h5" for number in (1, 2))
    if generator.random() < 0.5:
        other.write_bytes(one.read_bytes())
        return Damaged("one is both", "structure", "Beach.2")
    held = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(held)
    return Damaged("swapped", "structure", "Beach.1")


def _other_thing(folder: Path, generator: random.Random) -> Damaged:
    path, info = _pick(folder, generator)
    path.unlink()
    kind = generator.choice(("missing", "folder", "dangling", "loop", "device", "text"))
    if kind == "folder":
        path.mkdir()
    elif kind in ("dangling", "loop", "device"):
        path.symlink_to({"dangling": "nowhere", "loop": path.name, "device": "/dev/zero"}[kind])
    elif kind == "text":
        path.write_text("text\n" * 3)
    return Damaged(kind, "structure", info.name)


def _stray(folder: Path, generator: random.Random) -> Damaged:
    kind = generator.choice(("temporary", "copy", "junk", "moved"))
    held = (folder / "rec/Beach.1.h5").read_bytes()
    if kind == "temporary":
        (folder / "rec/.Beach.1.tmp-elsewhere-7").write_bytes(held[:5000])
    elif kind == "copy":
        (folder / "rec/Copy.1.h5").write_bytes(held)
    elif kind == "junk":
        (folder / "rec/junk.h5").write_bytes(generator.randbytes(3000))
    else:
        (folder / "Beach.1.h5").write_bytes(held)
    return Damaged(kind, "sound")


def _index_bytes(folder: Path, generator: random.Random) -> Damaged:
    path = folder / "index.json"
    data = path.read_bytes()
    kind = generator.choice(("flip", "cut", "empty", "zeros", "insert"))
    place = generator.randrange(len(data) - 1)
    flipped = bytes([data[place] ^ 1 << generator.randrange(8)])
    changed = {
        "flip": data[:place] + flipped + data[place + 1 :],
        "cut": data[:place],
        "empty": b"",
        "zeros": bytes(len(data)),
        "insert": data[:place] + generator.choice((b"\0", b" ", b"[" * 5000)) + data[place:],
    }[kind]  # fmt: skip
    path.write_bytes(changed)
    return Damaged(f"{kind} at {place}", "index")


def _index_thing(folder: Path, generator: random.Random) -> Damaged:
    kind = generator.choice(("missing", "folder", "device", "no rec", "rec is a file", "nested"))
    path, rec = folder / "index.json", folder / "rec"
    if kind == "no rec":
        shutil.rmtree(rec)
        return Damaged(kind, "structure", "Beach.1")
    if kind == "rec is a file":
        shutil.rmtree(rec)
        rec.write_text("text")
        return Damaged(kind, "structure", "Beach.1")
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "nested":
        path.write_bytes(b'{"a":' * 100_000)
    return Damaged(kind, "index")


def _forged_index(folder: Path, generator: random.Random) -> Damaged:
    """Another value, or none, under a key of the index, with a checksum that fits."""
    path = folder / "index.json"
    content = json.loads(path.read_bytes())
    del content["checksum"]
    table, name = _forge(content, generator)
    path.write_bytes(sealed(content))
    return Damaged(f"{name} = {table.get(name, 'absent')!r}", "forged")


def _forge(content: dict[str, Any], generator: random.Random) -> tuple[dict[str, Any], str]:
    table = content
    if generator.random() < 0.7:
        table = generator.choice((*content["recordings"], content["corpora"][0]))
    name = generator.choice(list(table))
    if generator.random() < 0.15:
        del table[name]
    elif isinstance(table[name], int) and generator.random() < 0.4:
        table[name] += generator.choice((-4096, -1, 1, 4096))
    else:
        table[name] = generator.choice(_VALUES)
    return table, name


_DAMAGES: Mapping[str, Callable[[Path, random.Random], Damaged]] = MappingProxyType(
    {
        "audio": _audio,
        "audio too": _audio,
        "structure": _structure,
        "structure too": _structure,
        "cut": _cut,
        "zeros": _zeros,
        "longer": _longer,
        "exchanged": _exchanged,
        "other thing": _other_thing,
        "stray": _stray,
        "index bytes": _index_bytes,
        "index thing": _index_thing,
        "forged index": _forged_index,
        "forged too": _forged_index,
    }
)
