"""Where items come from, as a run and its store say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from codecctl.dashboard.origin import Origin, array_of_item, item_number, origin_of, store_of_run

from .dashboard_runs import make_run
from .small_stores import write_small_store

RATE = 8000


def make(folder: Path, *, channels: list[int]) -> Path:
    """A run on a store of four channels."""
    audio = {"Park.1": np.full((4, RATE), 0.1, np.float32)}
    store = write_small_store(folder / "store", audio, rate=RATE)
    run = make_run(folder, "run")
    profile = json.loads((run / "profile.json").read_text())
    profile["profile"]["data"] = {"rate": RATE}
    (run / "profile.json").write_text(json.dumps(profile))
    said = {"store": {"path": str(store), "fingerprint": "abc"}}
    (run / "environment.json").write_text(json.dumps(said))
    item = {"recording": "Park.1", "start": 2000, "channels": channels}
    (run / "validation_items.json").write_text(json.dumps([item]))
    return run


def test_an_item_has_recording_second_and_channels(tmp_path: Path) -> None:
    run = make(tmp_path, channels=[3, 1])
    assert origin_of(run, "item-000") == origin_of(run, "item-000.swap")
    assert origin_of(run, "item-000") == Origin("Park.1", 0.25, (3, 1))
    assert origin_of(run, "item-001") is None
    assert origin_of(run, "whole-000") is None
    store = store_of_run(run)
    assert store is not None
    assert (store.path, store.fingerprint) == (tmp_path / "store", "abc")


@pytest.mark.parametrize(
    ("name", "number"),
    [("item-000", 0), ("item-012.swap", 12), ("item-1", None), ("whole-000", None), ("", None)],
)
def test_previews_are_numbered_as_the_validation_is(name: str, number: int | None) -> None:
    assert item_number(name) == number


def test_the_array_is_known_where_all_of_its_channels_are_heard(tmp_path: Path) -> None:
    run = make(tmp_path, channels=[0, 1, 2, 3])
    assert array_of_item(run, "item-000", 4) == "unknown-4ch"
    assert array_of_item(run, "item-000", 2) == ""
    assert array_of_item(run, "whole-000", 32) == "em32"
    assert array_of_item(run, "whole-000.shared", 32) == "em32"
    assert array_of_item(run, "whole-000", 4) == ""
    (tmp_path / "store" / "index.json").unlink()
    assert array_of_item(run, "item-000", 4) == ""


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"start": "x"}]', "[" * 50_000, "[null]"])
def test_damaged_files_say_nothing(tmp_path: Path, text: str) -> None:
    run = make(tmp_path, channels=[0, 1])
    (run / "validation_items.json").write_text(text)
    assert origin_of(run, "item-000") is None
    (run / "environment.json").write_text(text)
    assert store_of_run(run) is None
    assert array_of_item(run, "item-000", 2) == ""
