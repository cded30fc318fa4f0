"""`codecctl data list`, `info` and `preview` as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.e2e

CODECCTL = Path(sys.executable).with_name("codecctl")


def run(folder: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [str(CODECCTL), "data", *words]
    environment = {**os.environ, "COLUMNS": "80", "LINES": "24", **changes}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def home(make_store: Callable[..., Path], tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).standard_normal((32, 24_000)).astype(np.float32) * 0.1
    make_store({"Park.1": noise, "Park.2": noise}, name="yard", sample_rate=24_000)
    return tmp_path


def test_every_look_at_a_store_is_text_and_json(home: Path) -> None:
    for words in (["list"], ["info", "yard"], ["preview", "yard", "Park.1"]):
        text = run(home, *words)
        assert (text.returncode, text.stderr.count("Traceback")) == (0, 0), text.stderr
        assert "\x1b" not in text.stdout
        content = json.loads(run(home, *words, "--json").stdout)
        assert content["schema"] == 1


def test_colors_are_for_terminals_and_for_those_who_want_them(home: Path) -> None:
    words = ("preview", "yard", "Park.1", "--beam", "-90,0")
    forced = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[" in run(home, *words, **forced).stdout
    assert "\x1b[" not in run(home, *words, **forced, NO_COLOR="1").stdout
    letters = run(home, *words, PYTHONIOENCODING="ascii")
    assert letters.returncode == 0, letters.stderr
    assert letters.stdout.isascii()


def test_mistakes_are_one_line_and_their_exit_code(home: Path) -> None:
    for code, words in (
        (5, ["preview", "yard", "park.3"]),
        (5, ["info", "garden"]),
        (2, ["preview", "yard", "Park.1", "--channels", "33"]),
        (2, ["preview", "yard", "Park.1", "--at", "9"]),
    ):
        failed = run(home, *words)
        assert failed.returncode == code, (words, failed.stderr)
        assert len(failed.stderr.splitlines()) == 1
        assert failed.stdout == ""


def test_playing_without_the_sound_library_says_what_to_do(home: Path) -> None:
    library = home / "library"
    library.mkdir()
    (library / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    failed = run(home, "preview", "yard", "Park.1", "--play", PYTHONPATH=str(library))
    assert failed.returncode == 1
    assert failed.stderr.startswith("codecctl: --play: PortAudio library not found")
    assert "--out FILE.wav" in failed.stderr
