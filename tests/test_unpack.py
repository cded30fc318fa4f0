from __future__ import annotations

import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecctl.datasets.audiofile import probe
from codecctl.datasets.container import SampleFormat
from codecctl.datasets.pcm import AudioBlocks
from codecctl.datasets.unpack import Unpacker, to_floats

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
KINDS = [(PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64)]


@dataclass(frozen=True)
class Made:
    """A WAV file that was put together by hand."""

    container: str
    tag: int
    bits: int
    channels: int
    samples: bytes
    before: tuple[tuple[bytes, bytes], ...] = ()
    behind: tuple[tuple[bytes, bytes], ...] = ()

    def content(self) -> bytes:
        body = [("fmt ", self._format())]
        chunks = [*body, *((n.decode(), b) for n, b in self.before), ("data", self.samples)]
        chunks += [(n.decode(), b) for n, b in self.behind]
        return self._w64(chunks) if self.container == "W64" else self._riff(chunks)

    def _format(self) -> bytes:
        block = self.channels * self.bits // 8
        rate = 48_000
        tag = EXTENSIBLE if self.container == "WAVEX" else self.tag
        plain = struct.pack("<HHIIHH", tag, self.channels, rate, rate * block, block, self.bits)
        if self.container != "WAVEX":
            return plain
        return plain + struct.pack("<HHIH", 22, self.bits, 0, self.tag) + GUID_TAIL

    def _riff(self, chunks: list[tuple[str, bytes]]) -> bytes:
        long = self.container == "RF64"
        body = b""
        for name, content in chunks:
            size = 0xFFFFFFFF if long and name == "data" else len(content)
            body += name.encode() + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)
        if not long:
            return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body
        frames = len(self.samples) // (self.channels * self.bits // 8)
        sizes = struct.pack("<QQQI", 40 + len(body), len(self.samples), frames, 0)
        head = b"ds64" + struct.pack("<I", len(sizes)) + sizes
        return b"RF64" + b"\xff" * 4 + b"WAVE" + head + body

    def _w64(self, chunks: list[tuple[str, bytes]]) -> bytes:
        body = b""
        for name, content in chunks:
            head = name.lower().encode() + W64_TAIL + struct.pack("<Q", 24 + len(content))
            body += head + content + b"\0" * (-len(content) % 8)
        riff = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
        return riff + struct.pack("<Q", 40 + len(body)) + b"wave" + W64_TAIL + body


@st.composite
def files(draw: st.DrawFn) -> Made:
    """Any plain file: container, coding, channels, length and chunks around the samples."""
    container = draw(st.sampled_from(["WAV", "WAVEX", "RF64", "W64"]))
    tag, bits = draw(st.sampled_from(KINDS))
    channels = draw(st.integers(1, 40))
    frames = draw(st.one_of(st.integers(1, 40), st.integers(4000, 4100)))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    if tag == PCM:
        samples = generator.bytes(frames * channels * bits // 8)
    else:
        values = generator.standard_normal(frames * channels) * 10.0 ** generator.integers(-30, 30)
        samples = values.astype(f"<f{bits // 8}").tobytes()
    tail = st.tuples(st.sampled_from([b"JUNK", b"bext", b"iXML"]), st.binary(max_size=41))
    fact = st.tuples(st.just(b"fact"), st.binary(min_size=4, max_size=9))  # shorter: refused
    chunk = st.one_of(tail, fact, st.just((b"bext", bytes(604))))
    if container == "W64":  # libsndfile knows few others there
        chunk = tail = st.tuples(st.just(b"junk"), st.binary(max_size=41))
    before, behind = (tuple(draw(st.lists(c, max_size=3))) for c in (chunk, tail))
    if container == "RF64":  # libsndfile loses its way behind an odd chunk there
        before = tuple((name, body + b"\0" * (len(body) % 2)) for name, body in before)
    return Made(container, tag, bits, channels, samples, before, behind)


def joined(path: Path, *, reader: str, integers: bool = False) -> np.ndarray:
    blocks = AudioBlocks(probe(path), reader=reader, integers=integers, hashes=())
    return np.concatenate([block.copy() for block in blocks], axis=1)


@settings(max_examples=60, deadline=None)
@given(files())
def test_both_readers_give_the_same_bits_of_any_plain_file(made: Made) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.wav"
        path.write_bytes(made.content())
        audio = probe(path)
        assert audio.container is not None, "not read by our own reader"
        assert audio.frames * audio.channels * made.bits // 8 == len(made.samples)
        own, other = (joined(path, reader=reader) for reader in ("auto", "soundfile"))
        np.testing.assert_array_equal(own.view(np.int32), other.view(np.int32))
        if made.tag == PCM:
            own, other = (joined(path, reader=r, integers=True) for r in ("auto", "soundfile"))
            np.testing.assert_array_equal(own, other)


@pytest.mark.parametrize(("tag", "bits"), KINDS)
def test_the_bytes_of_a_sample_are_its_value(tag: int, bits: int) -> None:
    value = -1234.0 if tag == FLOAT else -1234
    kind = f"<f{bits // 8}" if tag == FLOAT else "<i8"
    data = np.array([value, 0], kind)[:1].tobytes()[: bits // 8] * 6  # 2 frames of 3 channels
    unpacker = Unpacker(SampleFormat(tag == FLOAT, bits, 3), 5)
    unpacker.room(2)[:] = np.frombuffer(data, np.uint8)
    floats = np.empty((2, 3), np.float32)
    unpacker.unpack(floats)
    assert (floats == (value if tag == FLOAT else value / 2 ** (bits - 1))).all()
    if tag == PCM:
        integers = np.empty((2, 3), np.int32)
        unpacker.unpack(integers)
        assert (integers == value).all()


def test_a_channel_keeps_its_place() -> None:
    frames, channels = 5000, 7  # several tiles
    integers = np.arange(frames * channels, dtype="<i4").reshape(frames, channels)
    unpacker = Unpacker(SampleFormat(False, 32, channels), frames)
    unpacker.room(frames)[:] = integers.reshape(-1).view(np.uint8)
    block = np.empty((frames, channels), np.int32)
    unpacker.unpack(block)
    np.testing.assert_array_equal(block, integers)


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_the_lowest_integer_is_full_scale(bits: int) -> None:
    extremes = np.array([[-(2 ** (bits - 1)), 0, 2 ** (bits - 1) - 1]], np.int32)
    floats = to_floats(extremes, bits=bits, out=np.empty((1, 3), np.float32))[0]
    assert floats.tolist() == [-1.0, 0.0, np.float32(1 - 2.0 ** (1 - bits))]
