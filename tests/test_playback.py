from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from codecctl.errors import CodecctlError
from codecctl.playback import audible_gain_db, play, require_playback


def test_quiet_recordings_are_made_audible_but_not_noise() -> None:
    assert audible_gain_db(np.full((1, 9), 0.1, np.float32)) == pytest.approx(17)
    assert audible_gain_db(np.full((1, 9), 1.0, np.float32)) == pytest.approx(-3)
    assert audible_gain_db(np.full((1, 9), 1e-6, np.float32)) == 40
    assert audible_gain_db(np.zeros((1, 9), np.float32)) == 0


def test_without_the_extra_the_file_is_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    message = r"needs sounddevice: pip install 'codecctl\[audio\]'; or write .* --out FILE\.wav"
    with pytest.raises(CodecctlError, match=message) as raised:
        require_playback()
    assert raised.value.exit_code == 1


class _RefusalError(Exception):
    pass


def _module(**functions: object) -> types.ModuleType:
    module = types.ModuleType("sounddevice")
    module.__dict__.update(functions, PortAudioError=_RefusalError)
    return module


def test_a_machine_without_a_device_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(kind: str) -> None:
        raise _RefusalError(f"no {kind}\ndevice")

    monkeypatch.setitem(sys.modules, "sounddevice", _module(query_devices=none))
    with pytest.raises(CodecctlError, match=r"no sound device \(no output device\); or write"):
        require_playback()


def test_the_sound_is_played_with_its_gain_and_never_beyond_full_scale(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played: list[tuple[np.ndarray, int]] = []

    def take(audio: np.ndarray, *, samplerate: int, blocking: bool) -> None:
        assert blocking
        played.append((audio, samplerate))

    monkeypatch.setitem(
        sys.modules, "sounddevice", _module(play=take, query_devices=lambda kind: {})
    )
    play(np.array([[0.01, 0.2]], np.float32), sample_rate=8000, gain_db=20.0)
    ((audio, rate),) = played
    np.testing.assert_allclose(audio, [[0.1], [1.0]], rtol=1e-6)
    assert rate == 8000
