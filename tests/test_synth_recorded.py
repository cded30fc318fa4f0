"""A folder of recordings as material: what is taken, what is left out and why."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.synth.recorded import load_loop, scan_sounds
from codecctl.errors import DataError, NotFoundError, UsageError

RATE = 48_000


def _write(path: Path, seconds: float, *, rate: int = 44_100, gain: float = 0.1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).standard_normal(round(seconds * rate)) * gain
    soundfile.write(path, noise, rate)
    return path


def test_good_files_are_found_at_any_rate_and_depth(tmp_path: Path) -> None:
    _write(tmp_path / "sea.wav", 1.0, rate=16_000)
    _write(tmp_path / "my birds" / "one.flac", 2.0)
    soundfile.write(tmp_path / "two.ogg", np.full((8000, 2), 0.1), 8_000)
    found = scan_sounds(tmp_path)
    assert [sound.path for sound in found.sounds] == ["my birds/one.flac", "sea.wav", "two.ogg"]
    assert found.sounds[0].seconds == pytest.approx(2.0)
    assert found.left_out == ()


def test_what_cannot_be_used_is_left_out_with_its_reason(tmp_path: Path) -> None:
    _write(tmp_path / "good.wav", 1.0)
    _write(tmp_path / "short.wav", 0.1)
    _write(tmp_path / "zero.wav", 1.0, gain=0.0)
    (tmp_path / "text.wav").write_text("no audio at all")
    (tmp_path / "empty.flac").touch()
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("not looked at")
    broken = np.full(RATE, 0.1)
    broken[5] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, RATE, subtype="FLOAT")
    found = scan_sounds(tmp_path)
    assert [sound.path for sound in found.sounds] == ["good.wav"]
    reasons = "\n".join(found.left_out)
    assert "short.wav: left out, too short: found 0.100 s, needed 0.25 s" in reasons
    assert "zero.wav: left out, silent: digital zero" in reasons
    assert "nan.wav: left out, has samples that are not numbers" in reasons
    for name in ("text.wav", "empty.flac", "folder.wav", "dangling.wav"):
        assert f"{name}: left out, not readable" in reasons
    assert "notes.txt" not in reasons


def test_a_folder_without_usable_audio_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    _write(tmp_path / "a.wav", 0.01)
    with pytest.raises(DataError, match=r"no usable recording among 1 .* a\.wav: .*too short"):
        scan_sounds(tmp_path)


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such folder"):
        scan_sounds(tmp_path / "none")
    with pytest.raises(UsageError, match="not a folder"):
        scan_sounds(_write(tmp_path / "a.wav", 1.0))


def test_a_steady_sound_varies_less_than_a_rhythm(tmp_path: Path) -> None:
    _write(tmp_path / "steady.wav", 2.0)
    beat = np.random.default_rng(1).standard_normal(2 * RATE)
    beat *= np.tile(np.repeat([0.2, 0.001], RATE // 4), 4)
    soundfile.write(tmp_path / "beat.wav", beat, RATE)
    beat_sound, steady_sound = scan_sounds(tmp_path).sounds
    assert steady_sound.unsteadiness_db < 1
    assert beat_sound.unsteadiness_db > 10


def test_a_loop_is_resampled_has_unit_power_and_no_seam(tmp_path: Path) -> None:
    times = np.arange(3 * 44_100) / 44_100
    soundfile.write(tmp_path / "tone.wav", 0.2 * np.sin(2 * np.pi * 440 * times), 44_100)
    loop = load_loop(
        tmp_path / "tone.wav",
        start_seconds=0.5,
        loop_seconds=2.0,
        silence_seconds=0.0,
        sample_rate=RATE,
    )
    assert len(loop) == 2 * RATE
    assert np.mean(loop[RATE:] ** 2) == pytest.approx(1.0, rel=0.02)
    assert np.abs(np.fft.rfft(loop[RATE:])).argmax() == 440
    # One step across the seam is no larger than those of the tone elsewhere.
    assert abs(loop[0] - loop[-1]) < 1.5 * np.abs(np.diff(loop)).max()


def test_a_short_sound_pauses_before_it_comes_again(tmp_path: Path) -> None:
    _write(tmp_path / "horn.wav", 0.5)
    loop = load_loop(
        tmp_path / "horn.wav",
        start_seconds=0.0,
        loop_seconds=1.5,
        silence_seconds=1.0,
        sample_rate=RATE,
    )
    assert len(loop) == round(1.5 * RATE)
    assert not loop[round(0.51 * RATE) :].any()
    assert np.mean(loop[: RATE // 2] ** 2) == pytest.approx(1.0, rel=0.05)


def test_a_file_that_ends_before_its_header_says_is_an_error(tmp_path: Path) -> None:
    path = _write(tmp_path / "cut.wav", 1.0)
    with pytest.raises(DataError, match=r"cut\.wav: nothing usable at 30 s"):
        load_loop(path, start_seconds=30.0, loop_seconds=1.0, silence_seconds=0.0, sample_rate=RATE)
