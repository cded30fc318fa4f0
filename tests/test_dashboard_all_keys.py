"""Every key of every page is pressed, does what it says, and is told by `?`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.pilot import Pilot

import codecctl.dashboard
from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.keys import key_names

from .dashboard_home import make_home
from .dashboard_presses import WALKS, Press, Walk
from .dashboard_runs import NOW, settle

SIZE = (130, 40)


def places() -> dict[str, type]:
    """Every class of the dashboard with keys of its own, by its name."""
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(codecctl.dashboard.__path__):
        loaded = importlib.import_module(f"codecctl.dashboard.{module.name}")
        for name, value in vars(loaded).items():
            if inspect.isclass(value) and value.__module__ == loaded.__name__:
                found |= {name: value} if "BINDINGS" in vars(value) else {}
    return found


def bindings(place: type) -> list[Binding]:
    """Its keys, in full."""
    own = vars(place)["BINDINGS"]
    assert all(isinstance(each, Binding) for each in own), place
    return list(own)


def test_every_key_of_every_page_is_pressed_by_a_walk() -> None:
    pressed = {(press.place.__name__, press.key) for walk in WALKS for press in walk.presses}
    declared = {
        (name, key)
        for name, place in places().items()
        for binding in bindings(place)
        for key in binding.key.split(",")
    }
    assert declared - pressed == set()
    assert pressed - declared == set()


def test_every_key_has_a_name_under_which_one_gives_it_another() -> None:
    names = {each.id for place in places().values() for each in bindings(place)}
    assert names == key_names()


async def press(app: DashboardApp, pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(app, pilot)


@pytest.mark.long
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
async def test_a_key_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walk: Walk
) -> None:
    monkeypatch.chdir(tmp_path)
    make_home(Path("h"))
    done: list[tuple[Any, str]] = []
    inner = DashboardApp.run_action

    async def run_action(
        self: DashboardApp, action: Any, default_namespace: Any = None, namespaces: Any = None
    ) -> bool:
        handled = await inner(self, action, default_namespace, namespaces)
        if handled:
            done.append((default_namespace, action))
        return handled

    monkeypatch.setattr(DashboardApp, "run_action", run_action)  # listens
    app = DashboardApp(Path("h/runs"), only=walk.only, clock=lambda: NOW, stores=Path("h/stores"))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(app, pilot)
        await press(app, pilot, *walk.way)
        for each in walk.presses:
            await press(app, pilot, *each.first)
            await check(app, pilot, each, done)


async def check(
    app: DashboardApp, pilot: Pilot[None], each: Press, done: list[tuple[Any, str]]
) -> None:
    """Press a key: its own action runs, and something that was not there is seen."""
    (action,) = (b.action for b in bindings(each.place) if each.key in b.key.split(","))
    app.clear_notifications()
    if each.unfocused:
        app.set_focus(None)
    await pilot.pause()
    before = each.by(app)
    done.clear()
    await pilot.press(each.key)
    if not app._exit:
        await settle(app, pilot)
    after = each.by(app)
    where = (each.key, each.place.__name__)
    ran = [(type(place).__name__, text) for place, text in done]
    assert any(isinstance(p, each.place) and text == action for p, text in done), (where, ran)
    assert before != after, where
    assert each.seen in after, (where, after)
    assert not each.seen or each.seen not in before, (where, before)
    assert each.gone in before, (where, before)
    assert not each.gone or each.gone not in after, (where, after)
