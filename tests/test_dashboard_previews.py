"""The audio pane, driven by keys and mouse."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from codecctl.dashboard import playing
from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.heard import Heard
from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.previews import VIEWS, Previews
from codecctl.dashboard.queue_view import QueueView, worst_first
from codecctl.dashboard.run_screen import TABS
from codecctl.dashboard.space import between_of
from codecctl.dashboard.space_view import _PATIENCE_SECONDS, SpaceView
from codecctl.dashboard.speaker import Speaker
from codecctl.dashboard.views import ItemScore
from codecctl.datasets.between import Between

from .dashboard_runs import append, dashboard, make_run, screen_text, settle
from .preview_files import field, write_item, write_sound
from .test_directions import em32_wave

pytestmark = pytest.mark.long


WAVE = em32_wave(90, 0, seconds=0.15)
CODES = [[[5, 6, 7] * 20, [1, 2, 3] * 20], [[5, 9, 7] * 20, [1, 0, 0] * 20]]


def make_previews(folder: Path) -> Path:
    """A run with two steps of a pair, and one of an array that hears a wave from the left."""
    run = make_run(folder, "run")
    for step, level in ((0, 0.01), (20, 0.5)):
        write_item(run, step, level=level, codes=CODES)
        write_item(run, step, item="whole-000", audio=0.05 * WAVE, level=level)
    for item, mel in ((0, 0.5), (1, 2.5), (2, 1.5)):
        row = {"step": 40, "item": item, "recording": f"Beach.{item}", "scene": "Beach"}
        place = {"start_seconds": 1.5 * item, "channels": [3, 8]}
        append(
            run / "validation.jsonl",
            {**row, **place, "metric": "mel", "value": mel},
            {**row, **place, "metric": "si_sdr", "value": mel},
        )
    return run


async def opened(app: DashboardApp, pilot: Pilot[None]) -> Previews:
    await settle(app, pilot)
    await pilot.press(str(TABS.index("previews") + 1))
    await settle(app, pilot)
    return app.screen.query_one(Previews)


async def press(app: DashboardApp, pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
    await settle(app, pilot)
    return screen_text(app)


def told(app: DashboardApp) -> str:
    """What was said in passing."""
    return "\n".join(str(notice.message) for notice in app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_every_view_fits_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        text = await press(app, pilot, "up")
        assert "step 20 (2/2) ─● · whole-000 (2/2) · channel 1/32 · 24000 Hz" in text
        expected = {
            "spectra": ("A reference · peak", "B reconstruction · peak", "B - A · mean"),
            "space": ("B reconstruction · ", "coherence A", "beam to azimuth 0°"),
            "tokens": ("whole-000.codes.json: not written",),
            "queue": ("recording", "Beach.1"),
        }
        for view in VIEWS:
            text = screen_text(app)
            assert all(len(line) <= size[0] for line in text.split("\n"))
            for words in expected[view]:
                assert words in text, (view, words)
            assert "? Help" in text
            if view == "space":  # both maps, from one side to the other
                (axis,) = (line for line in text.split("\n") if line.count(" front ") == 2)
                assert len(axis) >= size[0] - 4
                (caption,) = (line for line in text.split("\n") if "A reference · " in line)
                assert caption.count(" dB") == 2
                assert "colors -" in text
                wide = size[0] > 100
                assert ("B - A · mean -6.0 dB · blue lacks" in text) == wide
                assert ("direction B" in text) == wide
                assert ("179-180°" in text) == wide
            await press(app, pilot, "v")


async def test_one_step_holds_for_all_items_and_the_newest_is_followed(tmp_path: Path) -> None:
    run = make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        text = await press(app, pilot, "left")
        assert "step 0 (1/2) ●─ · item-000 (1/2)" in text
        assert "-46.0 dB" in text or "-57.0 dB" in text
        assert "step 0 (1/2) ●─ · whole-000 (2/2)" in await press(app, pilot, "i")
        assert "step 20 (2/2)" in await press(app, pilot, "]")
        write_item(run, 40)
        await settle(app, pilot)
        assert "step 40 (3/3) ──● · item-000 (1/2)" in screen_text(app)
        assert "step 0 (1/3)" in await press(app, pilot, "home")
        assert "step 40 (3/3)" in await press(app, pilot, "end")
        assert "channel 2/2" in await press(app, pilot, "c")
        assert "channel 1/2" in await press(app, pilot, "c")


async def test_the_arrows_and_the_mouse_aim_a_beam(tmp_path: Path) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await opened(app, pilot)
        text = await press(app, pilot, "up", "v")
        loudest = re.findall(r"loudest (-?\d+)°, (-?\d+)°", text)
        assert len(loudest) == 2
        assert all(abs(int(azimuth) - 90) <= 5 for azimuth, _ in loudest)
        assert "moved 0°" in text
        front = re.search(r"beam to azimuth 0°, elevation 0° \(front\): A (-[\d.]+), B", text)
        text = await press(app, pilot, *["left"] * 9)
        left = re.search(r"azimuth 90°, elevation 0° \(left\): A (-[\d.]+), B \S+ dB (\S+)", text)
        assert front
        assert left
        assert float(left[1]) > float(front[1]) + 10
        assert left[2] == "(-6.0)"
        assert "elevation 10°" in await press(app, pilot, "up")
        assert "azimuth 0°, elevation 0°" in await press(app, pilot, "home")
        await pilot.click("#map-reference", offset=(12, 4))
        await settle(app, pilot)
        azimuth, elevation = pane.query_one(SpaceView).direction
        assert 70 < azimuth < 110
        assert 20 < elevation < 60


async def test_maps_that_come_too_late_for_their_size_are_not_shown(tmp_path: Path) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(80, 24)) as pilot:
        pane = await opened(app, pilot)
        await press(app, pilot, "I", "v")
        view = pane.query_one(SpaceView)
        loaded, field = view._loaded, view._field
        assert loaded is not None
        assert field is not None
        assert field.maps is not None
        size = (field.maps.reference.shape[1], field.maps.reference.shape[0])
        narrow = SpaceView.Computed((loaded, size, view.direction), field, None)
        await pilot.resize_terminal(120, 36)
        await settle(app, pilot)
        text = screen_text(app)
        assert "B - A" in text
        view.post_message(narrow)
        await settle(app, pilot)
        assert screen_text(app) == text


async def test_numbers_of_another_item_do_not_stand_while_one_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    computed = threading.Event()

    def late(loaded: Loaded) -> Between:
        assert computed.wait(20)
        return between_of(loaded)

    async with app.run_test(size=(100, 30)) as pilot:
        pane = await opened(app, pilot)
        assert "no map and no beam" in await press(app, pilot, "v")
        monkeypatch.setattr("codecctl.dashboard.space_view.between_of", late)
        await pilot.press("I")
        text = pane.query_one("#space-text", Static)
        while "computing" not in str(text.content):
            await asyncio.sleep(0.01)
        assert not pane.query_one("#between-charts").display
        computed.set()
        await settle(app, pilot)
        assert "loudest" in screen_text(app)
        await asyncio.sleep(_PATIENCE_SECONDS)
        assert "loudest" in screen_text(app)


async def test_the_mouse_chooses_steps_and_views(tmp_path: Path) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        line = screen_text(app).split("\n")[3]
        await pilot.click("#preview-status", offset=(line.index("─"), 0))
        await settle(app, pilot)
        text = screen_text(app)
        assert "step 0 (1/2) ●─" in text
        await pilot.click("#preview-views", offset=(text.split("\n")[4].index("tokens"), 0))
        await settle(app, pilot)
        assert "codebook 1: capsules 1 and 2" in screen_text(app)
        await pilot.click("#preview-views", offset=(70, 0))  # nothing there
        await settle(app, pilot)
        assert "codebook 1: capsules 1 and 2" in screen_text(app)


async def test_previews_that_are_deleted_while_one_looks_are_a_line(tmp_path: Path) -> None:
    run = make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        (run / "previews" / "reference" / "whole-000.wav").unlink()
        assert "A reference: not written" in await press(app, pilot, "i")
        shutil.rmtree(run / "previews")
        assert "no previews yet" in await press(app, pilot, "i", "v", "p", "h", "a")


async def test_a_pair_has_coherence_and_no_map(tmp_path: Path) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        text = await press(app, pilot, "v")
        assert "errors between capsules: coherence 0.0" in text
        assert "no map and no beam" in text
        assert "loudest" not in text
        assert "coherence of A and B" in text
        assert "phase error, rad" in text
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        text = screen_text(app)
        assert "coherence of A and B" in text
        assert "phase error, rad" not in text
        text = await press(app, pilot, "I")  # an array, with maps in place of them
        assert "coherence of A and B" not in text


async def test_the_tokens_of_both_capsules_and_the_jump(tmp_path: Path) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        text = await press(app, pilot, "v", "v")
        assert "codebook 1: capsules 1 and 2 agree in 40 of 60 frames (67%)" in text
        assert "first codes differ first in frame 1 (0.013 s)" in text
        assert " 0.00 " in text
        text = await press(app, pilot, "right", "right")
        assert " 0.00 " not in text
        assert "1 capsule 1    9" not in text
        text = await press(app, pilot, *["n"] * 3, "home")
        assert " 0.00 " in text
        assert "capsules 2 and 1" in await press(app, pilot, "c")
        await press(app, pilot, "N", "left")


async def test_the_queue_has_the_worst_first_and_leads_to_previews(tmp_path: Path) -> None:
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        pane = await opened(app, pilot)
        text = await press(app, pilot, "v", "v", "v")
        rows = [line.split() for line in text.split("\n") if "Beach." in line]
        assert [row[2] for row in rows] == ["Beach.1", "Beach.2", "Beach.0"]
        assert rows[0] == ["1", "2.500", "Beach.1", "1.50", "4,", "9", "Beach"]
        assert rows[2][-1] == "preview"
        await press(app, pilot, "k")
        queue = pane.query_one(QueueView)
        assert queue.metric == "si_sdr"
        assert queue.selected_key == "0"  # the lowest ratio is the worst
        text = await press(app, pilot, "enter")
        assert "item-000" in text
        assert "A reference · peak" in text


def test_an_error_that_is_not_finite_comes_first() -> None:
    items = tuple(
        ItemScore(number, "", "", 0.0, (), {"mel": value})
        for number, value in enumerate((1.0, float("nan"), 3.0))
    )
    assert [item.item for item in worst_first(items, "mel")] == [1, 2, 0]
    assert worst_first(items, "other") == []


class _Device:
    """Stands in for loudspeakers."""

    def __init__(self) -> None:
        self.started: list[Heard] = []
        self.side = 0
        self.playing = False

    def start(self, heard: Heard) -> None:
        self.started.append(heard)
        self.playing = True

    def stop(self) -> None:
        self.playing = False

    def other(self) -> int:
        self.side = 1 - self.side
        return self.side


async def test_what_is_open_is_played_and_follows_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_previews(tmp_path)
    device = _Device()
    monkeypatch.setattr(playing, "Speaker", lambda: device)
    monkeypatch.setattr("codecctl.playback.missing_playback", lambda: "")
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        text = await press(app, pilot, "p")
        assert "▶ A reference, channels 1, 2, B +6.0 dB" in text
        assert "▶ B reconstruction" in await press(app, pilot, "a")
        assert "B +40.0 dB" in await press(app, pilot, "left")
        assert device.started[-1].match_db == pytest.approx(40)
        await press(app, pilot, "end", "i", "v")
        assert device.started[-1].label == "beam to 0°, 0°"
        await press(app, pilot, "left")
        assert device.started[-1].label == "beam to 10°, 0°"
        assert "p plays B reconstruction" in await press(app, pilot, "p")
        assert not device.playing
        await press(app, pilot, "p", "1")  # another tab is silent
        assert not device.playing


async def test_without_a_device_a_page_is_written_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_previews(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    app = dashboard(tmp_path / "runs", only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await press(app, pilot, "p")
        assert "needs sounddevice" in told(app)
        pages = list(tmp_path.glob("*.html"))
        assert [page.name for page in pages] == ["run-step-20-item-000.html"]
        await press(app, pilot, "h")
        assert (tmp_path / "run-step-20-item-000-2.html").exists()


async def test_a_browser_opens_the_page_of_what_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_previews(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(DashboardApp, "is_web", True)
    wanted: list[str] = []
    monkeypatch.setattr(DashboardApp, "open_url", lambda _, url: wanted.append(url))
    app = dashboard(tmp_path / "runs", only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await press(app, pilot, "p", "c", "h")
        await press(app, pilot, "i", "v")
        await press(app, pilot, "left")
        await press(app, pilot, "p")
    assert wanted == [
        "listen/run/20/item-000#play",
        "listen/run/20/item-000?channel=2#play",
        "listen/run/20/whole-000?azimuth=10&elevation=0#play",
    ]
    assert list(tmp_path.glob("*.html")) == []


async def test_a_dashboard_that_changes_nothing_writes_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_previews(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    app = DashboardApp(tmp_path / "runs", only="run", may_steer=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        await press(app, pilot, "h", "p")
        assert "not written: --read-only" in told(app)
        assert "not played: needs sounddevice" in told(app)
        assert list(tmp_path.glob("*.html")) == []


async def test_foreign_and_damaged_previews_are_lines(tmp_path: Path) -> None:
    run = make_previews(tmp_path)
    step = run / "previews" / "step-000000020"
    (step / "item-000.wav").write_bytes(b"RIFF, but not for long")
    write_sound(step / "whole-000.wav", field(3))
    write_sound(step / "item-007.wav", field(2))
    (step / "item-000.codes.json").write_text("[" * 10_000)
    (run / "validation_items.json").write_text('{"no": "list"}')
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        wide = "found 3 channels at 24000 Hz, its reference has 32"
        for words in ("item-000.wav: ", "not written", wide):
            text = screen_text(app)
            assert words in text
            await press(app, pilot, *["v"] * len(VIEWS), "p", "h", "o", "i")


async def test_without_color_marks_stand_for_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    make_previews(tmp_path)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(app, pilot)
        text = await press(app, pilot, "home")  # 40 dB too soft
        assert "- lacks" in text
        assert "======" in text
        text = await press(app, pilot, "up", "v")
        assert "╋" in text
        assert "█" in text


def test_a_speaker_keeps_its_side_between_items(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []

    class Stream:
        def start(self) -> None:
            log.append("start")

        def close(self) -> None:
            log.append("close")

    monkeypatch.setattr("codecctl.dashboard.speaker.open_stream", lambda *_, **__: Stream())
    side = np.zeros((1, 100), np.float32)
    heard = Heard(side, side + 1, 1000, "channel 1", 0.0, 0.0)
    speaker = Speaker()
    assert speaker.other() == 1
    speaker.start(heard)
    assert speaker._mixer is not None
    assert speaker._mixer.side == 1
    speaker.start(heard)
    assert speaker.other() == 0
    assert speaker._mixer.side == 0
    speaker.stop()
    speaker.stop()
    assert log == ["start", "close", "start", "close"]
    assert not speaker.playing
