from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.data_verify import verify
from codecctl.datasets.store import Store
from codecctl.errors import DataError


@pytest.fixture
def stores(
    make_store: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder of stores in the working folder, with one store of three recordings."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    names = ("Beach.1", "Beach.2", "door")
    audio = {name: rng.standard_normal((2, 36_000)).astype(np.float32) for name in names}
    make_store(audio, name="yard", sample_rate=24_000)
    return tmp_path / "stores"


@pytest.mark.usefixtures("stores")
def test_a_sound_store_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    verify("yard")
    assert "3 recordings are as they were written" in capsys.readouterr().out


def test_one_flipped_bit_is_found_with_channel_and_second(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open(stores / "yard") as store:
        offset = store.recording("Beach.2").audio_offset
    with (stores / "yard" / "rec" / "Beach.2.h5").open("r+b") as file:
        file.seek(offset + 3 * 48_000 + 77)  # channel 2, its second chunk
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(DataError, match=r"Beach\.2, channel 2, second 1: the audio is not"):
        verify("yard")
    with pytest.raises(DataError):
        verify("yard", as_json=True)
    (damage,) = json.loads(capsys.readouterr().out)["damages"]
    assert (damage["recording"], damage["channel"], damage["second"]) == ("Beach.2", 1, 1)


def test_a_truncated_recording_is_found(stores: Path) -> None:
    path = stores / "yard" / "rec" / "door.h5"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged in 1 place"):
        verify("yard")
