"""Keys of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.keymap import read_keymap
from codecctl.dashboard.keys import key_names
from codecctl.errors import UsageError

from .dashboard_runs import NOW, make_run, settle


def test_without_a_file_the_keys_are_the_usual_ones(tmp_path: Path) -> None:
    assert read_keymap(tmp_path / "none.toml", {"a"}) == {}


def test_every_place_has_its_names() -> None:
    assert {
        "app.quit",
        "charts.smoothing",
        "chart.left",
        "compare.next",
        "app.data",
        "previews.later",
        "previews.play",
        "queue.metric",
        "space.left",
        "store.check",
        "stores.open",
        "tokens.next",
        "window.go",
        "run.codes",
        "runs.pin",
        "run.save",
    } <= key_names()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"runs.pinn" = "p"', r'"runs.pinn" is nothing that has a key; did you mean runs.pin\?'),
        ('"runs.pin" = 3', r'"runs.pin": found 3, needed a key such as "p"'),
        ('"runs.pin" = ""', r"needed a key"),
        ("runs.pin", r"found no TOML: .*; correct or remove it"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_way_out(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "dashboard-keys.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_keymap(path, {"runs.pin", "app.quit"})


@pytest.mark.long
async def test_a_key_of_ones_own_takes_the_place_of_the_usual_one(tmp_path: Path) -> None:
    path = tmp_path / "dashboard-keys.toml"
    path.write_text('"runs.pin" = "p"\n')
    make_run(tmp_path / "runs", "run")
    keymap = read_keymap(path, key_names())
    app = DashboardApp(tmp_path / "runs", clock=lambda: NOW, keymap=keymap)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app, pilot)
        await pilot.press("b")
        await settle(app, pilot)
        assert app.choice.pinned == ""
        await pilot.press("p")
        await settle(app, pilot)
        assert app.choice.pinned == "run"
