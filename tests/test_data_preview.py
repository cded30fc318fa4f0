from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.commands.data_preview import preview
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

RATE = 8000


@pytest.fixture(autouse=True)
def store(make_store: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of an em32 and of a stereo recording, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    noise = np.random.default_rng(0).standard_normal((32, 2 * RATE)).astype(np.float32) * 0.1
    noise[4] = 0
    return make_store({"Park.1": noise, "door": noise[:2]}, name="yard")


def test_a_page_fills_a_terminal_of_80_by_24(capsys: pytest.CaptureFixture[str]) -> None:
    preview("yard", "Park.1")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 23
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Park.1  em32 (32 channels), 8000 Hz, 0.00 to 2.00 of 2.00 s"
    assert "×" in lines[3]  # capsule 5 is silent
    assert lines[5].startswith("capsule 1 (0°, +21°)  RMS -20.")
    assert lines[-1].endswith("of a full-scale sine")
    assert "\x1b" not in "".join(lines)


def test_a_wide_terminal_shows_capsules_to_all_sides(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "40")
    preview("yard", "Park.1")
    text = capsys.readouterr().out
    assert [n for n in (1, 7, 17, 11) if f"capsule {n} (" in text] == [1, 7, 17, 11]
    assert len(text.splitlines()) == 38
    assert max(map(len, text.splitlines())) <= 120


def test_chosen_channels_are_drawn_one_below_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    preview("yard", "Park.1", channels="32,5", at=1.0, seconds=0.5)
    lines = capsys.readouterr().out.splitlines()
    captions = [line for line in lines if line.startswith("capsule")]
    assert [caption.split("  ")[0] for caption in captions] == [
        "capsule 32 (271°, -69°)", "capsule 5 (0°, +58°)",
    ]  # fmt: skip
    assert "RMS -inf" in captions[1]
    assert "1.00 to 1.50 of 2.00 s" in lines[0]


def test_a_beam_is_drawn_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    preview("yard", "Park.1", beam="90,0", out=Path("left.wav"), width=60)
    out, err = capsys.readouterr()
    assert "beam to azimuth 90°, elevation 0°" in out
    assert "left.wav: 1 channel, 2.00 s, float32" in err
    audio, rate = soundfile.read("left.wav", always_2d=True)
    assert (audio.shape, rate) == ((2 * RATE, 1), RATE)


def test_the_user_may_say_that_channels_are_ambisonic(
    make_store: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A wave from the left through first-order max-rE beams to both sides."""
    source = np.random.default_rng(0).standard_normal(RATE).astype(np.float32) * 0.1
    encoded = np.stack([source, source, 0 * source, 0 * source])  # W, Y, Z, X of the left
    make_store({"foa": encoded}, name="foa", dtype="float32")
    levels = []
    for beam in ("90,0", "-90,0"):
        preview("foa", "foa", beam=beam, array="ambisonic", as_json=True)
        levels.append(json.loads(capsys.readouterr().out)["signals"][0]["rms_db"])
    gain = (1 - 3 * 0.5744) / (1 + 3 * 0.5744)
    assert levels[1] - levels[0] == pytest.approx(20 * np.log10(abs(gain)), abs=0.01)
    with pytest.raises(UsageError, match="--array: belongs to --beam"):
        preview("foa", "foa", array="ambisonic")


def test_a_file_holds_all_channels_where_none_were_chosen() -> None:
    preview("yard", "Park.1", seconds=0.1, out=Path("all.wav"))
    assert soundfile.info("all.wav").channels == 32


def test_json_has_the_levels_of_every_channel(capsys: pytest.CaptureFixture[str]) -> None:
    preview("yard", "Park.1", channels="2", as_json=True)
    content = json.loads(capsys.readouterr().out)
    assert content["channels"]["rms_db"][0] == pytest.approx(-20, abs=0.3)
    assert content["channels"]["rms_db"][4] is None
    assert [signal["label"] for signal in content["signals"]] == ["capsule 2 (32°, +0°)"]
    assert (content["start"], content["seconds"]) == (0, 2)


def test_without_a_recording_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    preview("yard")
    out, err = capsys.readouterr()
    assert out.splitlines()[1].split() == ["Park.1", "em32", "32", "2.00"]
    assert "codecctl data preview yard Park.1" in err
    preview("yard", as_json=True)
    names = [row["name"] for row in json.loads(capsys.readouterr().out)["recordings"]]
    assert names == ["Park.1", "door"]


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(NotFoundError, match=r"did you mean Park\.1\?"):
        preview("yard", "park.2")
    with pytest.raises(UsageError, match="needed one of them"):
        preview("yard", "Park.1", channels="1", beam="0,0")
    with pytest.raises(UsageError, match=r"needed a name that ends in \.wav"):
        preview("yard", "Park.1", out=Path("a.mp3"))
    with pytest.raises(DataError, match="array unknown-2ch with 2 channels: no beam"):
        preview("yard", "door", beam="0,0")


def test_playing_without_sounddevice_ends_after_the_picture(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(CodecctlError, match="--play: needs sounddevice"):
        preview("yard", "door", play=True)
    assert "channel 1" in capsys.readouterr().out
