"""Garbage of the dashboard is searched for seldom, and not among what was there before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from codecctl.commands import dashboard as command
from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.garbage import NEW_OBJECTS, search_for_garbage_seldom


@pytest.fixture
def searches() -> Iterator[list[int]]:
    """The generation of each search; the usual pace, which comes back afterwards."""
    before, seen = gc.get_threshold(), list[int]()

    def note(phase: str, facts: dict[str, int]) -> None:
        if phase == "start":
            seen.append(facts["generation"])

    gc.set_threshold(700)
    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)
    gc.set_threshold(*before)


def test_thousands_of_new_objects_lead_to_few_searches(searches: list[int]) -> None:
    known: list[list[int]] = [[] for _ in range(100)]
    search_for_garbage_seldom()
    searches.clear()
    kept: list[list[int]] = [[] for _ in range(4 * NEW_OBJECTS)]
    assert 3 <= len(searches) <= 5
    assert len(kept) > 28 * 700
    looked_at = {id(each) for each in gc.get_objects()}
    assert not any(id(each) in looked_at for each in known)
    assert id(kept) in looked_at


def test_the_command_sets_it_before_it_starts(
    searches: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    paces: list[int] = []
    monkeypatch.setenv(command.WEB_DRIVER, "a driver")
    monkeypatch.setenv("CODECCTL_HOME", str(tmp_path))
    monkeypatch.setattr(DashboardApp, "run", lambda app: paces.append(gc.get_threshold()[0]))
    command.dashboard()
    assert paces == [NEW_OBJECTS]
    assert searches
