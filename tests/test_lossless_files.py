"""Coded files: every byte of the WAV comes back, and a damaged file never gives wrong audio."""

from __future__ import annotations

import json
import struct
import tracemalloc
import zlib
from collections import Counter
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from codecctl.engine.lossless import files
from codecctl.engine.lossless.arrays import encode_array
from codecctl.engine.lossless.container import Header
from codecctl.engine.lossless.disk import read_header
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.lossless.files import check_of, chunks_of, decode_file, encode_file
from codecctl.errors import CodecctlError, DataError, NotFoundError

from .coded_mutations import judge, mutated, records_of
from .lossless_models import exact
from .test_lossless_arrays import SHORT

SUBTYPES = {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24"}
HEADS = {8: "full", 16: "factorised", 24: "factorised"}
pytestmark = pytest.mark.long

MUTATIONS = 200


def write_wav(path: Path, samples: np.ndarray, bits: int) -> Path:
    left = (samples << (32 - bits)).astype(np.int32)
    soundfile.write(path, left, 8000, subtype=SUBTYPES[bits], format="WAV")
    return path


def noise(bits: int, frames: int, channels: int) -> np.ndarray:
    """Loud noise with both extremes in it."""
    half = 1 << (bits - 1)
    drawn = np.random.default_rng(frames).integers(-half, half, (frames, channels))
    drawn[:1] = half - 1
    drawn[-1:] = -half
    return drawn


def there_and_back(
    wav: Path, model: ExactTransformer, *, block: int = 16, at_once: tuple[int, int] = (0, 0)
) -> bytes:
    """Code and decode; returns the coded bytes."""
    coded, back = wav.with_suffix(".cctl"), wav.with_name("back.wav")
    encode_file(wav, coded, model, block=block, at_once=at_once[0])
    decode_file(coded, back, model, at_once=at_once[1])
    assert back.read_bytes() == wav.read_bytes()
    assert sorted(path.name for path in wav.parent.iterdir()) == sorted(
        [wav.name, coded.name, "back.wav"]
    )
    content = coded.read_bytes()
    coded.unlink()
    back.unlink()
    return content


@pytest.mark.parametrize("bits", SUBTYPES)
@pytest.mark.parametrize(
    ("channels", "frames"),
    [(1, 0), (1, 1), (1, 33), (2, 31), (8, 20), (25, 3), (32, 9), *SHORT],
)
def test_every_byte_comes_back(tmp_path: Path, bits: int, channels: int, frames: int) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(bits, frames, channels), bits)
    there_and_back(wav, exact(bits, HEADS[bits]))


def test_models_of_more_bits_take_samples_of_fewer_and_others_say_what_to_train(
    tmp_path: Path,
) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(8, 20, 2), 8)
    there_and_back(wav, exact(24, "factorised"))
    deep = write_wav(tmp_path / "deep.wav", noise(24, 20, 2), 24)
    with pytest.raises(DataError, match=r"samples of 24 bits, needed at most the 16 .*=24$"):
        encode_file(deep, tmp_path / "x.cctl", exact(16, "factorised"), block=16)
    assert not (tmp_path / "x.cctl").exists()


def test_neither_chunks_at_once_nor_threads_change_a_byte(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(8, 300, 2), 8)
    model = exact(8)
    coded = {there_and_back(wav, model, at_once=pair) for pair in ((1, 64), (7, 1), (64, 7))}
    torch.set_num_threads(2)
    coded.add(there_and_back(wav, model))
    assert len(coded) == 1


def test_what_is_no_sample_is_kept_wherever_it_stands(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(16, 21, 1), 16)
    content = wav.read_bytes()
    extra = b"bext" + struct.pack("<I", 6) + b"author"
    behind = b"LIST" + struct.pack("<I", 4) + b"INFO" + b"rest that is no chunk"
    wav.write_bytes(content[:12] + extra + content[12:] + behind)
    there_and_back(wav, exact(16, "factorised"))
    wav.write_bytes(content[:-3])  # cut within a sample
    there_and_back(wav, exact(16, "factorised"))


def test_silence_is_small_and_noise_is_hardly_larger_than_it_was(tmp_path: Path) -> None:
    frames, model = 640, exact(8)
    silent = there_and_back(
        write_wav(tmp_path / "a.wav", np.zeros((frames, 1), np.int64), 8), model
    )
    loud = there_and_back(write_wav(tmp_path / "a.wav", noise(8, frames, 1), 8), model)
    assert len(silent) < len(loud) < 3 * frames + 700


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A WAV file and what it is coded as."""
    folder = tmp_path_factory.mktemp("coded")
    wav = write_wav(folder / "a.wav", noise(8, 40, 2), 8)
    return wav.read_bytes(), there_and_back(wav, exact(8))


def test_the_layout_is_the_documented_one(coded: tuple[bytes, bytes]) -> None:
    """Read here as another program would, from the page alone."""
    wav, content = coded
    assert content.startswith(b"\x89CCTL\r\n\x1a")
    at, records = 8, []
    while at < len(content):
        length, crc = struct.unpack_from("<II", content, at)
        records.append(content[at + 8 : at + 8 + length])
        assert zlib.crc32(records[-1]) == crc
        at += 8 + length
    header = json.loads(records[0])
    assert (header["channels"], header["bits"], header["frames"]) == (2, 8, 40)
    assert zlib.decompress(records[1]) == wav[:44] + wav[44 + 80 :]
    assert len(records) == 2 + 3 + 1  # 80 symbols in chunks of 32
    assert len(records[-1]) == 48


def test_another_model_or_machine_is_refused_before_anything_is_written(
    tmp_path: Path, coded: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "a.cctl", tmp_path / "a.wav"
    source.write_bytes(coded[1])
    with pytest.raises(DataError, match=r"coded with the model .{12}, found .{12}; decode it with"):
        decode_file(source, target, exact(16, "factorised"))
    monkeypatch.setattr(files, "check_of", lambda model: check_of(model) ^ 1)
    with pytest.raises(CodecctlError, match="this machine computes other frequencies"):
        decode_file(source, target, exact(8))
    assert not target.exists()
    with pytest.raises(NotFoundError, match=r"none\.cctl: no such file"):
        read_header(tmp_path / "none.cctl")


def test_a_mutated_file_gives_the_audio_or_a_clear_error(
    tmp_path: Path, coded: tuple[bytes, bytes]
) -> None:
    source, outcomes = tmp_path / "a.cctl", Counter[str]()
    tracemalloc.start()
    for number in range(MUTATIONS):
        source.write_bytes(mutated(coded[1], number, seed=1))
        outcomes[judge(source, coded[0], partial(decode_file, model=exact(8)))] += 1
        assert [path.name for path in tmp_path.iterdir()] == ["a.cctl"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(outcomes) <= {"refused", "equal"}
    assert outcomes["refused"] > MUTATIONS // 2
    assert peak < 50e6


def test_a_header_is_the_one_that_was_written(tmp_path: Path, coded: tuple[bytes, bytes]) -> None:
    (tmp_path / "a.cctl").write_bytes(coded[1])
    header = read_header(tmp_path / "a.cctl")
    assert json.loads(records_of(coded[1])[0]) == asdict(header)
    assert (header.symbols, header.num_chunks, header.length(2)) == (80, 3, 16)
    assert header.model == exact(8).fingerprint


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "frames", [range(1), range(7, 50), range(32, 64), range(69, 70), range(70)]
)
def test_a_part_is_that_part_of_the_whole(tmp_path: Path, channels: int, frames: range) -> None:
    wav, model = write_wav(tmp_path / "a.wav", noise(8, 70, channels), 8), exact(8)
    coded, part = tmp_path / "a.cctl", tmp_path / "part.wav"
    encode_file(wav, coded, model, block=16)
    for at_once in (1, 5):
        decode_file(coded, part, model, frames=frames, at_once=at_once)
        whole = soundfile.read(wav, always_2d=True)[0]
        assert np.array_equal(
            soundfile.read(part, always_2d=True)[0], whole[frames.start : frames.stop]
        )
        part.unlink()


def test_progress_is_told_when_chunks_are_done_and_of_all_symbols(tmp_path: Path) -> None:
    model, told = exact(8), list[int]()
    wav, coded = write_wav(tmp_path / "a.wav", noise(8, 100, 2), 8), tmp_path / "a.cctl"
    encode_file(wav, coded, model, block=16, at_once=3, advance=told.append)
    encoded, told[:] = list(told), []
    decode_file(coded, tmp_path / "b.wav", model, at_once=3, advance=told.append)
    assert told == encoded
    assert sum(told) == 200
    assert len(told) == -(-200 // (3 * model.layout.context))


def test_a_part_needs_no_more_than_the_chunks_that_hold_it() -> None:
    header = Header(1, 2, 8, 8000, 100, 10, 25, 8, 44, 0, "", 0)
    assert chunks_of(header, range(1)) == range(1)
    assert chunks_of(header, range(10, 20)) == range(2)  # symbols 20 to 40 of chunks 0 and 1
    assert chunks_of(header, range(95, 100)) == range(7, 8)


def test_a_model_is_refused_where_none_was_used(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(8, 40, 2), 8)
    encode_array(wav, tmp_path / "a.cctl")
    with pytest.raises(DataError, match="coded without a model; decode it without --model"):
        decode_file(tmp_path / "a.cctl", tmp_path / "b.wav", exact(8))
