from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.commands.data_show import info, list_stores
from codecctl.datasets.ingest import ingest, prepare
from codecctl.datasets.ingest_survey import Rules
from codecctl.errors import DataError, NotFoundError


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("show")
    (folder / "source").mkdir()
    for number, (name, gain) in enumerate((("Beach.1", 0.1), ("Beach.2", 0.1), ("door", 0.0))):
        noise = np.random.default_rng(number).standard_normal((36_000, 2)) * gain
        soundfile.write(folder / "source" / f"{name}.wav", noise, 24_000, subtype="FLOAT")
    prepared = prepare(
        folder / "source", folder / "stores" / "yard", Rules((24_000,))
    )
    ingest(prepared, num_workers=1, on_bytes=lambda _: None)
    return folder


@pytest.fixture
def stores(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stores in the working folder, with one store of three recordings."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copytree(template / "stores", tmp_path / "stores"))


def test_the_list_shows_size_hours_rate_and_type(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_stores()
    head, row = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head == ["name", "recordings", "hours", "rate", "dtype", "channels", "size"]
    assert row[:7] == ["yard", "3", "0.00125", "24000", "Hz", "int16", "2"]
    list_stores(as_json=True)
    (store,) = json.loads(capsys.readouterr().out)["stores"]
    assert store["bytes"] == sum(path.stat().st_size for path in stores.glob("yard/rec/*"))


def test_unfinished_and_damaged_stores_are_told_of_beside_the_sound_ones(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stores / "half" / "rec").mkdir(parents=True)
    shutil.copytree(stores / "yard", stores / "broken")
    (stores / "broken" / "index.json").write_text("{")
    list_stores()
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "half: an ingest that was not finished; run the same command again" in err
    assert "broken/index.json: damaged" in err


def test_an_empty_folder_says_how_to_make_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    list_stores()
    assert "no store; make one with: codecctl data ingest FOLDER" in capsys.readouterr().out


@pytest.mark.usefixtures("stores")
def test_info_shows_scenes_levels_sources_and_what_trains_on_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    info("yard")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stores/yard: 3 recordings, 0.00125 h")
    rows = {line.split()[0]: line.split() for line in lines}
    assert rows["Beach"] == ["Beach", "2", "0.05", "2", "-20.0", "1,", "2"]
    assert rows["(none)"] == ["(none)", "1", "0.03", "2", "-inf", "door"]
    assert "source: 3 of unknown-2ch at 24000 Hz, 32 bit" in lines
    assert any(line.startswith("profiles that can train on it: paired") for line in lines)


@pytest.mark.usefixtures("stores")
def test_info_as_json_has_a_row_for_each_recording(capsys: pytest.CaptureFixture[str]) -> None:
    info("yard", as_json=True)
    content = json.loads(capsys.readouterr().out)
    levels = {row["name"]: row["level_db"] for row in content["recordings"]}
    assert levels["Beach.1"] == pytest.approx(-20, abs=0.1)
    assert levels["door"] is None
    assert "paired" in content["fits"]


def test_a_truncated_recording_is_found_by_info(stores: Path) -> None:
    path = stores / "yard" / "rec" / "door.h5"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"door\.h5: truncated"):
        info("yard")


@pytest.mark.usefixtures("stores")
def test_a_store_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="have: yard"):
        info("garden")
