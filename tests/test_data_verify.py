from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.data_verify import verify
from codecctl.datasets.store import Store
from codecctl.errors import DataError, NotFoundError


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


def flip(stores: Path, recording: str, chunks: list[tuple[int, int]]) -> None:
    """Change a bit of some chunks, (channel, second) each."""
    with Store.open(stores / "yard") as store:
        offset = store.recording(recording).audio_offset
    with (stores / "yard" / "rec" / f"{recording}.h5").open("r+b") as file:
        for channel, second in chunks:
            file.seek(offset + (channel * 2 + second) * 48_000 + 77)
            byte = file.read(1)[0]
            file.seek(-1, 1)
            file.write(bytes([byte ^ 1]))


def test_one_flipped_bit_is_found_with_channel_and_second(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(stores, "Beach.2", [(1, 1)])
    with pytest.raises(DataError, match=r"Beach\.2, channel 2, second 1: the audio is not"):
        verify("yard")
    with pytest.raises(DataError):
        verify("yard", as_json=True)
    (damage,) = json.loads(capsys.readouterr().out)["damages"]
    assert damage["recording"] == "Beach.2"
    assert (damage["channels"], damage["seconds"], damage["chunks"]) == ([2, 2], [1, 1], 1)


def test_what_to_type_names_files_source_rate_and_type(stores: Path) -> None:
    flip(stores, "Beach.2", [(0, 0)])
    flip(stores, "door", [(0, 0), (0, 1), (1, 0), (1, 1)])
    with pytest.raises(DataError) as caught:
        verify("yard")
    assert str(caught.value).splitlines() == [
        "stores/yard: damaged in 2 places of 2 recordings; ingest again replaces what is removed:",
        "  Beach.2, channel 1, second 0: the audio is not what was written",
        "  door, channels 1-2, seconds 0-1: the audio is not what was written",
        "  rm stores/yard/rec/Beach.2.h5 stores/yard/rec/door.h5",
        "  codecctl data ingest '/data/field recordings' --name yard",
    ]


def test_recordings_can_be_chosen(stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(stores, "Beach.2", [(0, 0)])
    verify("yard", recording=["Beach.1", "door"])
    assert "2 recordings are as they were written" in capsys.readouterr().out
    with pytest.raises(NotFoundError, match=r"Beach\.7: no recording of this name"):
        verify("yard", recording=["Beach.7"])


def test_leftovers_and_strangers_in_the_folder_are_notes(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stores / "yard" / "rec" / ".Beach.3.tmp-host-12").write_bytes(b"half")
    (stores / "yard" / "rec" / "Beach.9.h5").write_bytes(b"stray")
    verify("yard", as_json=True)
    out, err = capsys.readouterr()
    assert [Path(row["path"]).name for row in json.loads(out)["strays"]] == [
        ".Beach.3.tmp-host-12",
        "Beach.9.h5",
    ]
    assert "Beach.9.h5: the index does not list it" in err


def test_a_truncated_recording_is_found(stores: Path) -> None:
    path = stores / "yard" / "rec" / "door.h5"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="damaged in 1 place"):
        verify("yard")
