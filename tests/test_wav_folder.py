"""A folder of WAV files: what counts, what is left out and named, and windows that are exact."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.wav_folder import WavFolder
from codecctl.errors import DataError, NotFoundError

BITS = {"PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def write(path: Path, samples: np.ndarray, *, subtype: str, rate: int = 8000) -> np.ndarray:
    """Write (C, T) integers of the subtype's bits, and return them."""
    left = (samples << (32 - BITS[subtype])).astype(np.int32)
    soundfile.write(path, left.T, rate, subtype=subtype, format="WAV")
    return samples


def noise(bits: int, *, channels: int = 1, frames: int = 500) -> np.ndarray:
    half = 1 << (bits - 1)
    drawn = np.random.default_rng(bits).integers(-half, half, (channels, frames))
    drawn[:, :2] = [-half, half - 1]
    return drawn


@pytest.mark.parametrize("subtype", BITS)
@pytest.mark.parametrize("channels", [1, 2, 25])
def test_any_window_holds_the_integers_of_the_file(
    tmp_path: Path, subtype: str, channels: int
) -> None:
    bits = BITS[subtype]
    samples = write(tmp_path / "a.wav", noise(bits, channels=channels), subtype=subtype)
    folder = WavFolder.open(tmp_path)
    assert folder.recording("a.wav").source_bits == bits
    chosen = list(range(channels))[::-2]
    found = folder.read_integers("a.wav", 100, 77, chosen)
    assert np.array_equal(found, samples[chosen, 100:177])
    whole = folder.read("a.wav", 0, 500, [0])
    assert np.array_equal(whole.astype(np.float64) * 2 ** (bits - 1), samples[:1]) == (bits < 32)


def test_formats_and_rates_are_listed_and_what_is_no_integer_wav_is_named(tmp_path: Path) -> None:
    write(tmp_path / "mono.WAV", noise(16), subtype="PCM_16")
    write(tmp_path / "pair.wav", noise(16, channels=2), subtype="PCM_16", rate=16000)
    write(tmp_path / "array.wav", noise(24, channels=32), subtype="PCM_24", rate=16000)
    soundfile.write(tmp_path / "float.wav", np.zeros(9), 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "law.wav", np.zeros(9), 8000, subtype="ULAW")
    soundfile.write(tmp_path / "other.flac", np.zeros(9), 8000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    (tmp_path / "._mono.WAV").write_bytes(b"\0")
    (tmp_path / "below").mkdir()
    folder = WavFolder.open(tmp_path)
    assert folder.format.stereo_files == ("array.wav", "pair.wav")
    assert folder.format.mono_files == ("mono.WAV",)
    assert folder.format.has_mono and folder.format.has_stereo
    assert folder.format.recommended == "mixed"
    assert (folder.sample_rate, folder.rates) == (16000, (8000, 16000))
    reasons = dict(line.split(": ", 1) for line in folder.left_out)
    assert sorted(reasons) == ["below", "broken.wav", "float.wav", "law.wav", "other.flac"]
    assert reasons["float.wav"].startswith("holds 32-bit floats, needed integers")
    assert reasons["law.wav"].startswith("holds ULAW, needed integers")
    assert reasons["other.flac"] == "no WAV file"


@pytest.mark.parametrize(("channels", "kind"), [(1, "mono"), (2, "stereo")])
def test_files_of_one_kind_recommend_it(tmp_path: Path, channels: int, kind: str) -> None:
    write(tmp_path / "a.wav", noise(16, channels=channels), subtype="PCM_16")
    assert WavFolder.open(tmp_path).format.recommended == kind


def test_folders_of_no_use_say_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"audio directory .*none: found nothing, needed a fol"):
        WavFolder.open(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(NotFoundError, match=r"found a file, needed a folder$"):
        WavFolder.open(tmp_path / "file")
    with pytest.raises(DataError, match=r"found no WAV file among 1 entries, needed \*\.wav"):
        WavFolder.open(tmp_path)
    soundfile.write(tmp_path / "float.wav", np.zeros(9), 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"no file can be used: file: no WAV file; float\.wav: hol"):
        WavFolder.open(tmp_path)


def test_windows_outside_a_file_and_files_that_went_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", noise(16), subtype="PCM_16")
    folder = WavFolder.open(tmp_path)
    with pytest.raises(DataError, match=r"^a\.wav: needed frames 499 to 501, found 500 frames$"):
        folder.read_integers("a.wav", 499, 2, [0])
    with pytest.raises(NotFoundError, match=r"^b\.wav: no WAV file of this name"):
        folder.recording("b.wav")
    (tmp_path / "a.wav").unlink()
    with pytest.raises(DataError, match=r"a\.wav: cannot be read"):
        folder.read_integers("a.wav", 0, 2, [0])


def test_the_fingerprint_follows_the_content_and_copies_are_known_by_it(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", noise(16), subtype="PCM_16")
    write(tmp_path / "b.wav", noise(16), subtype="PCM_16")
    before = WavFolder.open(tmp_path)
    hashes = [info.audio_hash for info in before.recordings]
    assert hashes[0] == hashes[1]
    assert pickle.loads(pickle.dumps(before)).fingerprint == before.fingerprint
    write(tmp_path / "b.wav", noise(16)[:, ::-1], subtype="PCM_16")
    after = WavFolder.open(tmp_path)
    assert after.fingerprint != before.fingerprint
    assert after.recordings[1].audio_hash != hashes[1]
