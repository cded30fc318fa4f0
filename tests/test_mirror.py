from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.engine import mirror
from codecctl.engine.mirror import MAX_ITEMS, Clip, Clips, Job, copy_run, scalars_of
from codecctl.engine.rows import Row
from codecctl.engine.rundir import RunDirectory


class Sink:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, object, object]] = []
        self.clips: list[tuple[str, int]] = []
        self.flushes = 0

    def row(self, row: Row) -> None:
        self.rows.append((row["step"], row["split"], row["loss/mel"]))

    def clip(self, clip: Clip) -> None:
        self.clips.append((clip.name, clip.step))

    def flush(self) -> None:
        self.flushes += 1


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "a")


def _metric(run: RunDirectory, step: int, value: float, split: str = "train") -> None:
    run.metric(step, split, {"loss/mel": value}, epoch=1, seconds=1.0, audio_seconds=1.0)


def _preview(run: RunDirectory, step: int, *, items: int = 1, channels: int = 1) -> None:
    for name in ("reference", f"step-{step:09d}"):
        folder = run.path / "previews" / name
        folder.mkdir(exist_ok=True)
        for item in range(items):
            audio = np.arange(channels) / 64 * np.ones((20, 1))
            soundfile.write(folder / f"item-{item:03d}.wav", audio, 1000, subtype="PCM_24")
    run.event("preview", step, f"{items} items")


def _job(run: RunDirectory, step: int = 0, ended: Callable[[], bool] = lambda: True) -> Job:
    """A job that begins with what the run holds now."""
    metrics, events = (
        (run.path / name).stat().st_size for name in ("metrics.jsonl", "events.jsonl")
    )
    return Job(run.path, step, metrics, events, arguments=(), ended=ended)


def _during(actions: Sequence[Callable[[], None]]) -> Callable[[], bool]:
    """Does one thing at each look; the training ends with the last."""
    left = list(actions)

    def ended() -> bool:
        left.pop(0)()
        return not left

    return ended


def test_items_come_before_what_else_was_made_of_them(run: RunDirectory) -> None:
    _preview(run, 1, items=MAX_ITEMS)
    folder = run.path / "previews" / "step-000000001"
    shutil.copy(folder / "item-000.wav", folder / "item-000.swap.wav")
    names = [clip.name for clip in Clips(run.path / "previews").of_step(1)]
    assert names[MAX_ITEMS:] == [f"preview/item-{index:03d}" for index in range(MAX_ITEMS)]
    (folder / "item-007.wav").unlink()
    assert "preview/item-000.swap" in [c.name for c in Clips(run.path / "previews").of_step(1)]


def test_rows_and_previews_are_followed_until_the_end(run: RunDirectory) -> None:
    def last() -> None:
        _metric(run, 2, 0.25)
        _preview(run, 2, items=2)

    sink = Sink()
    actions = (lambda: _metric(run, 1, 0.5), lambda: _preview(run, 1, items=2), last)
    copy_run(_job(run, ended=_during(actions)), sink, replay=False)

    assert sink.rows == [(1, "train", 0.5), (2, "train", 0.25)]
    assert sink.clips == [
        ("reference/item-000", 1),
        ("reference/item-001", 1),
        ("preview/item-000", 1),
        ("preview/item-001", 1),
        ("preview/item-000", 2),
        ("preview/item-001", 2),
    ]
    assert sink.flushes >= 3


def _resume_at_two(run: RunDirectory, sink: Sink, *, replay: bool) -> None:
    """Three steps were written, the last after the checkpoint; it comes again with a fourth."""
    for step in (1, 2, 3):
        _metric(run, step, step / 10)
    _metric(run, 2, 0.7, "val")
    _preview(run, 2)
    _preview(run, 3)

    def again() -> None:
        _metric(run, 3, 0.3)
        _preview(run, 3)
        _metric(run, 4, 0.4)
        _preview(run, 4)

    copy_run(_job(run, 2, _during([again])), sink, replay=replay)


def test_a_sink_that_starts_anew_gets_each_step_once_and_the_later_one(run: RunDirectory) -> None:
    sink = Sink()
    _resume_at_two(run, sink, replay=True)
    assert sorted(sink.rows, key=str) == sorted(
        [
            (1, "train", 0.1),
            (2, "train", 0.2),
            (2, "val", 0.7),
            (3, "train", 0.3),
            (4, "train", 0.4),
        ],
        key=str,
    )
    names = [("reference/item-000", 2), *(("preview/item-000", step) for step in (2, 3, 4))]
    assert sink.clips == names


def test_a_sink_that_goes_on_gets_nothing_twice(run: RunDirectory) -> None:
    sink = Sink()
    _resume_at_two(run, sink, replay=False)
    assert sink.rows == [(4, "train", 0.4)]
    assert sink.clips == [("preview/item-000", 4)]


@pytest.mark.parametrize(("channels", "heard"), [(1, [0]), (2, [0, 1]), (4, [0]), (32, [6, 10])])
def test_of_many_channels_two_or_one_are_heard_and_none_is_summed(
    run: RunDirectory, channels: int, heard: list[int]
) -> None:
    _preview(run, 5, channels=channels)
    *_, clip = Clips(run.path / "previews").of_step(5)
    np.testing.assert_allclose(clip.audio[0], np.array(heard) / 64, atol=2**-23)
    assert (clip.audio.shape, clip.sample_rate) == ((20, len(heard)), 1000)


def test_what_is_sent_is_bounded(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "MAX_SECONDS", 0.005)
    _preview(run, 5, items=mirror.MAX_ITEMS + 3)
    clips = list(Clips(run.path / "previews").of_step(5))
    assert len(clips) == 2 * mirror.MAX_ITEMS
    assert all(len(clip.audio) == 5 for clip in clips)


def test_words_for_what_is_not_finite_become_numbers() -> None:
    values = scalars_of({"schema": 1, "split": "val", "step": 3, "a": "-Infinity", "b": "NaN"})
    assert values["a"] == float("-inf")
    assert values["b"] != values["b"]
    assert list(values) == ["step", "a", "b"]
