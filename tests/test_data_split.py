"""`codecctl data split`: what is made, what is shown, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from codecctl.app import app
from codecctl.errors import CodecctlError, NotFoundError, UsageError

from .small_stores import noise, write_small_store

SCENES = ("Beach", "Park", "Train Station", "Woodland")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    audio = noise([f"{scene.replace(' ', '')}.{take}" for scene in SCENES for take in range(3)])
    return write_small_store(tmp_path_factory.mktemp("split") / "stores" / "yard", audio).parents[1]


@pytest.fixture
def home(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(template / "stores", tmp_path / "stores")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def split(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[str], str]:
    """Lines of stdout, and stderr."""
    app(["data", "split", "yard", *arguments], standalone_mode=False)
    said = capsys.readouterr()
    return said.out.splitlines(), said.err


def files(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "stores/yard").rglob("*.json"))


def test_without_options_the_profile_is_shown_and_nothing_is_made(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = split(capsys)
    assert out == [
        "stores/yard: 12 recordings; profile paired uses",
        "scene         training      validation    test",
        "Beach         3 (0.15 min)  -             -",
        "Park          3 (0.15 min)  -             -",
        "TrainStation  -             3 (0.15 min)  -",
        "Woodland      -             3 (0.15 min)  -",
        "all           6 (0.30 min)  6 (0.30 min)  -",
        "no split yet; make one with: codecctl data split yard --by recording",
    ]
    assert "has no recording of BusyStreet" in err
    assert files(home) == ["index.json"]


def test_a_split_by_recording_is_made_once_and_shown_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = split(capsys, "--by", "recording")
    assert out[0].startswith("stores/yard: split recording: by recording, seed 42, 12 recordings, ")
    assert out[2:4] == [
        "Beach         2 (0.10 min)  1 (0.05 min)  -",
        "Park          2 (0.10 min)  1 (0.05 min)  -",
    ]
    assert out[-1] == "next: codecctl train --profile paired data.store=yard data.split=recording"
    assert err == "stores/yard/splits/recording.json: made\n"
    assert split(capsys, "--by", "recording") == (out, "")
    assert split(capsys, "--name", "recording") == (out, "")
    assert files(home) == ["index.json", "recording.json"]
    listed, _ = split(capsys, "--list")
    assert [line.partition(",")[0] for line in listed] == ["split recording: by recording"]


def test_folds_are_shown_scene_by_scene(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = split(capsys, "--folds", "3", "--test", "woodland", "--name", "three")
    assert out[1:] == [
        "recordings that each fold validates on; it trains on the rest",
        "scene         fold 1  fold 2  fold 3  test",
        "Beach         1       1       1       -",
        "Park          1       1       1       -",
        "TrainStation  1       1       1       -",
        "Woodland      -       -       -       3",
        "all           3       3       3       3",
        "minutes       0.15    0.15    0.15    0.15",
        "next: codecctl train --profile paired data.store=yard data.split=three:1",
    ]


def test_a_split_by_scene_takes_the_scenes_of_the_profile(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split(capsys, "--by", "scene")
    (fold,) = json.loads((home / "stores/yard/splits/scene.json").read_bytes())["folds"]
    assert {name.partition(".")[0] for name in fold["validation"]} == {"TrainStation", "Woodland"}
    split(capsys, "--val", "Beach", "--name", "other")
    (fold,) = json.loads((home / "stores/yard/splits/other.json").read_bytes())["folds"]
    assert fold["validation"] == ["Beach.0", "Beach.1", "Beach.2"]


def test_json_says_everything(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = split(capsys, "--leave-one-out", "--by", "scene", "--json")
    made = json.loads("\n".join(out))
    assert (made["schema"], made["done"], made["name"]) == (1, "made", "leave-one-scene-out")
    assert [len(fold["validation"]["recordings"]) for fold in made["folds"]] == [3, 3, 3, 3]
    out, _ = split(capsys, "--json")
    everything = json.loads("\n".join(out))
    assert everything["as_profile"]["profile"] == "paired"
    assert everything["as_profile"]["training"]["minutes"] == pytest.approx(0.3)
    assert [row["name"] for row in everything["splits"]] == ["leave-one-scene-out"]


def test_a_split_is_taken_away(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split(capsys, "--folds", "2")
    split(capsys, "--remove", "recording-2-folds")
    assert files(home) == ["index.json"]
    with pytest.raises(NotFoundError, match="no split recording-2-folds; it has none"):
        split(capsys, "--remove", "recording-2-folds")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--by", "take"), "--by take: needed scene or recording"),
        (("--by", "scene", "--group", "day"), "--group day: needed take or location"),
        (("--folds", "1"), "--folds 1: needed 2 or more"),
        (("--val", "1.5"), "--val 1.5: needed a share above 0 and below 1, or scenes"),
        (("--folds", "2", "--name", "a/b"), "needed letters, digits"),
    ],
)
def test_a_wrong_option_is_explained_and_makes_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        split(capsys, *arguments)
    assert files(home) == ["index.json"]


def test_what_the_profile_would_leak_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audio = noise(["Beach.1", "Woodland.1", "Woodland.2"])
    audio["Woodland.1"] = audio["Beach.1"]
    write_small_store(tmp_path / "stores" / "yard", audio)
    monkeypatch.chdir(tmp_path)
    _, err = split(capsys)
    assert "warning: training will refuse this: Beach.1 and Woodland.1: same audio" in err
    with pytest.raises(CodecctlError, match=r"would hear what validation measures: Beach\.1 and W"):
        split(capsys, "--by", "scene")
    assert not (tmp_path / "stores/yard/splits").exists()
