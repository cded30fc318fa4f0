"""A new run from the profile of a run: made on a page or in an editor, started after a question."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.draft import free_name, name_problem, new_draft
from codecctl.dashboard.draft_screen import DraftScreen
from codecctl.dashboard.listing import Listing
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.engine.profile import load_profile, profile_file
from codecctl.engine.rerun import basis_of_profile

from .dashboard_runs import NOW, dashboard, make_run, screen_text, settle

pytestmark = pytest.mark.long


SIZE = (100, 40)
DEMO = ("model=tiny", "trainer=demo", "trainer.seed=7")


def make(folder: Path, name: str = "night", status: str = "finished") -> Path:
    run = make_run(folder / "runs", name, status=status)
    stored = profile_file("paired", load_profile("paired", DEMO))
    (run / "profile.json").write_text(json.dumps(stored), encoding="utf-8")
    return run


def contents(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def told(app: DashboardApp) -> list[str]:
    return [note.message for note in app._notifications]


def page(app: DashboardApp) -> DraftScreen:
    assert isinstance(app.screen, DraftScreen), app.screen
    return app.screen


async def type_line(pilot: Pilot[None], text: str) -> None:
    await pilot.press("a")
    await pilot.pause()
    pilot.app.screen.query_one("#draft-edit", Input).value = text
    await pilot.pause()


def test_a_change_replaces_an_earlier_one_of_its_key_and_can_be_taken_back() -> None:
    draft = new_draft(basis_of_profile("paired", DEMO))
    changed = draft.with_edit("trainer.seed = 8").with_edit("trainer.seed= 9")
    assert changed.edits == ("trainer.seed=9",)
    assert changed.changes() == ["trainer.seed 7 → 9"]
    assert changed.without_edit("trainer.seed").changes() == []


def test_changes_that_fit_only_together_are_right_together() -> None:
    draft = new_draft(basis_of_profile("paired", DEMO))
    sizes = "model.discriminators.0.n_ffts=[512]", "model.discriminators.0.hop_lengths=[128]"
    half = draft.with_edit(sizes[0])
    assert half.problems
    assert half.resolved is draft.resolved
    whole = half.with_edit(sizes[1]).with_edit("model.discriminators.0.win_lengths=[512]")
    assert whole.problems == ()
    assert "model.discriminators.0.n_ffts [512]" not in draft.changes()
    assert any(change.endswith("→ [512]") for change in whole.changes())


def test_names_of_new_runs_are_free_and_folder_names(tmp_path: Path) -> None:
    for name in ("night", "night-2", "night-2-9"):
        (tmp_path / name).mkdir()
    assert free_name(tmp_path, "night") == "night-3"
    assert free_name(tmp_path, "night-2-9") == "night-2-10"
    assert free_name(tmp_path, "paired-20261128-010203") == "paired-20261128-010203-2"
    assert "a run of this name exists" in name_problem(tmp_path, "night")
    assert "needed letters" in name_problem(tmp_path, "../night")
    assert name_problem(tmp_path, "new") == ""


@asynccontextmanager
async def new_run_page(folder: Path) -> AsyncIterator[tuple[DashboardApp, Pilot[None]]]:
    """A dashboard in which the page of a new run was asked for."""
    app = dashboard(folder)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("N")
        await pilot.pause()
        yield app, pilot


async def test_a_value_is_changed_under_the_cursor_and_checked_letter_by_letter(
    tmp_path: Path,
) -> None:
    run = make(tmp_path)
    before = contents(run)
    async with new_run_page(tmp_path / "runs") as (app, pilot):
        assert "new run from night · profile paired · 0 changes" in screen_text(app)
        await pilot.press("slash", *"seed", "enter")
        await pilot.pause()
        table = page(app).query_one("#draft-table", Listing)
        table.select_key("trainer.seed")
        await pilot.press("enter")
        await pilot.pause()
        line = page(app).query_one("#draft-edit", Input)
        assert line.value == "trainer.seed=7"
        assert "Allowed: a whole number at least 0." in " ".join(screen_text(app).split())
        line.value = "trainer.seeed=7"
        await pilot.pause()
        assert "did you mean 'seed'?" in screen_text(app)
        line.value = "trainer.seed=-7"
        await pilot.pause()
        assert "at least 0" in screen_text(app)
        line.value = "trainer.seed=8"
        await pilot.press("enter")
        await pilot.pause()
        text = screen_text(app)
        assert "1 change" in text
        assert "8  was 7" in text
        await pilot.press("u")
        await pilot.pause()
        assert "0 changes" in screen_text(app)
        await type_line(pilot, "trainer.seeed=8")
        await pilot.press("enter", "ctrl+s")
        await pilot.pause()
        assert page(app).draft.problems
        assert any("not started" in text for text in told(app))
        await pilot.press("u")  # the cursor is on it
        await pilot.pause()
        assert page(app).draft.problems == ()
        page(app).query_one("#draft-name", Input).value = "night"
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "a run of this name exists" in screen_text(app)
        await pilot.press("escape", "escape")  # the search, the page
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)
        assert contents(run) == before


async def test_a_start_is_asked_for_and_its_failure_told_with_its_last_line(
    tmp_path: Path,
) -> None:
    run = make(tmp_path)
    before = contents(run)
    async with new_run_page(tmp_path / "runs") as (app, pilot):
        await type_line(pilot, 'data.store="nowhere"')
        await pilot.press("enter", "ctrl+s")
        await pilot.pause()
        asked = str(app.screen.query("#confirm Static").first().render())
        assert "Train night-2 on" in asked
        assert 'data.store "auto" → "nowhere"' in " ".join(asked.split())
        await pilot.press("n")
        await settle(app, pilot)
        assert sorted(path.name for path in run.parent.iterdir()) == ["night"]
        await pilot.press("ctrl+s", "y")
        for _ in range(600):
            if any("ended with exit code 5" in text for text in told(app)):
                break
            await pilot.pause(0.1)
        log = run.parent / ".start-night-2.log"
        last = log.read_text(encoding="utf-8").strip().splitlines()[-1]
        assert f"night-2: starting ended with exit code 5: {last}" in told(app)
        assert "nowhere" in last
        assert contents(run) == before


@pytest.mark.parametrize("key", ["N", "E"])
async def test_no_run_is_made_where_nothing_may_be_changed(tmp_path: Path, key: str) -> None:
    run = make(tmp_path)
    app = DashboardApp(run.parent, clock=lambda: NOW, may_steer=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press(key)
        await pilot.pause()
        assert any("read-only" in text for text in told(app))
        assert isinstance(app.screen, RunsScreen)


async def test_no_run_is_made_of_a_damaged_profile_or_outside_a_folder_of_runs(
    tmp_path: Path,
) -> None:
    make_run(tmp_path / "runs", "odd")
    make_run(tmp_path / "kept", "odd")
    for folder, text in (("runs", "which this version needs"), ("kept", "is not a folder `runs`")):
        async with new_run_page(tmp_path / folder) as (app, _):
            assert any(text in message for message in told(app)), told(app)
            assert isinstance(app.screen, RunsScreen)


def editor(folder: Path, script: str) -> str:
    path = folder / "edit.sh"
    path.write_text(f"#!/bin/sh\nfor file; do :; done\n{script}\n", encoding="utf-8")
    path.chmod(0o700)
    return f"{path} --wait"


@pytest.fixture
def lent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A terminal that can be lent, which that of a test cannot."""
    given: list[str] = []

    @contextmanager
    def suspend(app: DashboardApp) -> Iterator[None]:
        given.append("lent")
        yield

    monkeypatch.setattr(DashboardApp, "suspend", suspend)
    monkeypatch.delenv("VISUAL", raising=False)
    yield given


async def test_what_the_editor_changed_is_offered_and_its_mistakes_are_told_with_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lent: list[str]
) -> None:
    run = make(tmp_path)
    before = contents(run)
    script = """
    if grep -q "^seeed" "$file"; then sed -i "s/^seeed = 7/seed = 9/" "$file"
    else sed -i "s/^seed = 7/seeed = 7/" "$file"; fi
    """
    monkeypatch.setenv("EDITOR", editor(tmp_path, script))
    app = dashboard(tmp_path / "runs")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("E")
        await settle(app, pilot)
        text = " ".join(screen_text(app).replace("│", " ").split())
        assert "did you mean 'seed'?" in text
        assert "Open it again?" in text
        await pilot.press("y")
        await settle(app, pilot)
        assert page(app).draft.edits == ("trainer.seed=9",)
        assert "1 change" in screen_text(app)
        monkeypatch.setenv("VISUAL", "true")  # goes before $EDITOR
        await pilot.press("E")
        await settle(app, pilot)
        assert page(app).draft.edits == ("trainer.seed=9",)
        assert lent == ["lent", "lent", "lent"]
        assert contents(run) == before


async def test_an_editor_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = dashboard(tmp_path)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "ed")
    async with app.run_test(size=SIZE):  # whose terminal cannot be lent
        assert "cannot be given to an editor" in app._run_editor(tmp_path / "a")
    monkeypatch.setattr(DashboardApp, "suspend", lambda app: nullcontext())
    for chosen, said in (
        ("no-such-editor", "cannot be started"),
        ("false", "ended with exit code 1; nothing was taken over"),
        ('vi "', "cannot be started: No closing quotation"),
    ):
        monkeypatch.setenv("EDITOR", chosen)
        assert said in app._run_editor(tmp_path / "a")


async def test_a_browser_is_refused_the_editor_of_this_machine_and_told_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lent: list[str]
) -> None:
    make(tmp_path)
    monkeypatch.setattr(DashboardApp, "is_web", True)
    monkeypatch.setenv("EDITOR", "false")
    app = dashboard(tmp_path / "runs")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("E")
        await settle(app, pilot)
        assert told(app) == ["a browser has no $EDITOR: N changes values here"]
        assert isinstance(app.screen, RunsScreen)
        await pilot.press("N")
        await settle(app, pilot)
        await pilot.press("E")
        await settle(app, pilot)
        assert "enter changes the value under the cursor, a adds one" in told(app)[-1]
        assert page(app).draft.edits == ()
        assert lent == []
