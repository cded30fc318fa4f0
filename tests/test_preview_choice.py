from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.preview_choice import (
    chosen_channels,
    chosen_direction,
    chosen_recording,
    chosen_span,
)
from codecctl.datasets.listening import Span
from codecctl.datasets.store import Store
from codecctl.errors import NotFoundError, UsageError


@pytest.fixture
def store(make_store: Callable[..., Path]) -> Store:
    silence = np.zeros((8, 16_000), np.float32)
    return Store.open(make_store({"Beach.1": silence, "Park.1": silence}))


def test_channels_are_counted_from_one_and_kept_in_order(store: Store) -> None:
    info = store.recordings[0]
    assert chosen_channels("8,1,2-4, 3", info) == (7, 0, 1, 2, 3)


@pytest.mark.parametrize("text", ["0", "9", "4-2", "1-9"])
def test_channels_that_are_not_there_are_refused(store: Store, text: str) -> None:
    with pytest.raises(UsageError, match=r"Beach\.1 has channels 1 to 8, found"):
        chosen_channels(text, store.recordings[0])


@pytest.mark.parametrize("text", ["a", "1,,2", "-1", "1;2", "99999999999"])
def test_what_is_no_list_of_channels_is_refused(store: Store, text: str) -> None:
    with pytest.raises(UsageError, match="needed numbers such as 1,2,5-8"):
        chosen_channels(text, store.recordings[0])


def test_a_direction_is_azimuth_and_elevation() -> None:
    assert chosen_direction("90,-30.5") == (90, -30.5)
    assert chosen_direction("-90") == (-90, 0)


@pytest.mark.parametrize("text", ["", "left", "1,2,3", "0,91", "400,0", "nan,0", "inf,0"])
def test_what_is_no_direction_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="needed AZIMUTH,ELEVATION in degrees"):
        chosen_direction(text)


def test_a_span_ends_with_the_recording(store: Store) -> None:
    info = store.recordings[0]
    assert chosen_span(info, at=0.5, seconds=1) == Span(4000, 8000)
    assert chosen_span(info, at=1.5, seconds=10) == Span(12_000, 4000)


@pytest.mark.parametrize("at", [-1.0, 2.0, float("nan"), float("inf")])
def test_a_span_outside_the_recording_is_refused(store: Store, at: float) -> None:
    with pytest.raises(UsageError, match=r"Beach\.1 has 2\.00 s; needed less"):
        chosen_span(store.recordings[0], at=at, seconds=1)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 121.0, float("nan")])
def test_a_span_that_cannot_be_drawn_is_refused(store: Store, seconds: float) -> None:
    with pytest.raises(UsageError, match="needed more than 0, at most 120"):
        chosen_span(store.recordings[0], at=0, seconds=seconds)


def test_an_unknown_recording_names_what_may_have_been_meant(store: Store) -> None:
    with pytest.raises(NotFoundError, match=r"did you mean Beach\.1\?"):
        chosen_recording(store, "beach1")
    with pytest.raises(NotFoundError, match=r"have: Beach\.1, Park\.1"):
        chosen_recording(store, "xyz")
