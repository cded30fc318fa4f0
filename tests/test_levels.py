from __future__ import annotations

import math

import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest import ingest, prepare
from codecctl.datasets.ingest_survey import Rules
from codecctl.datasets.levels import recording_level_db, scene_levels_db
from codecctl.datasets.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("levels")
    (folder / "source").mkdir()
    sine = np.sin(2 * np.pi * 1000 * np.arange(10 * 24_000) / 24_000)[:, None] * np.ones(2)
    for name, gain in (("Beach.1", 1.0), ("Beach.2", 0.0), ("Park.1", 0.01)):
        soundfile.write(folder / "source" / f"{name}.wav", gain * sine, 24_000, subtype="FLOAT")
    prepared = prepare(folder / "source", folder / "s", Rules((24_000,)))
    ingest(prepared, num_workers=1, on_bytes=lambda _: None)
    return Store.open(folder / "s")


def test_a_full_scale_sine_has_three_decibels_less_than_full_scale(store: Store) -> None:
    assert recording_level_db(store, store.recording("Beach.1")) == pytest.approx(-3.01, abs=0.01)


def test_silence_has_no_level(store: Store) -> None:
    assert recording_level_db(store, store.recording("Beach.2")) == -math.inf


def test_a_scene_has_the_mean_power_of_its_recordings(store: Store) -> None:
    levels = scene_levels_db(store)
    assert levels["Beach"] == pytest.approx(-6.02, abs=0.01)
    assert levels["Park"] == pytest.approx(-43.01, abs=0.01)
