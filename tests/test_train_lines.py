from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codecctl.commands.train import train
from codecctl.commands.train_lines import (
    ProgressLine,
    duration,
    left_out_lines,
    progress_text,
    summary_lines,
)
from codecctl.commands.train_transcript import Transcript
from codecctl.engine.loop_parts import Report
from codecctl.errors import NotFoundError

VALUES = {
    "loss/mel": 0.53124,
    "loss/mel/capsule1": 0.2,
    "loss/time": 0.01,
    "grad_norm/generator": 3.0,
    "speed/step_seconds": 0.5,
}


def _report(step: int = 12, max_steps: int = 100) -> Report:
    return Report(
        step=step,
        max_steps=max_steps,
        epoch=2,
        values=VALUES,
        audio_seconds_per_second=31.26,
        seconds_left=44.0,
    )


def test_the_progress_line_has_losses_speed_and_time_left() -> None:
    assert progress_text(_report()) == (
        "step 12/100 epoch 2 | 31.3 audio-s/s, 0:44 min left | mel 0.531 time 0.01"
    )


def test_before_the_first_row_the_progress_line_says_where_the_training_stands() -> None:
    resumed = replace(_report(145, 6000), values={}, seconds_left=0.0, audio_seconds_per_second=0.0)
    assert progress_text(resumed) == "step 145/6000 epoch 2"


def test_elsewhere_than_on_a_terminal_a_line_comes_now_and_at_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = ProgressLine(Transcript())
    for step in range(1, 11):
        line.report(_report(step, 10))
    line.tell("a note")
    line.close()

    written = capsys.readouterr().err
    assert [text.split()[1] for text in written.splitlines()] == ["1/10", "10/10", "note"]
    assert "\x1b" not in written


def test_elsewhere_than_on_a_terminal_a_phase_is_said_after_half_a_minute_of_silence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 101.0, 102.0, 131.0])
    monkeypatch.setattr("codecctl.commands.train_lines.time.monotonic", lambda: next(clock))
    line = ProgressLine(Transcript())
    line.phase("step 0: validating")
    line.report(_report(1, 100))
    line.phase("step 5: validating")
    line.phase("step 9: validating")
    said = [text.partition(":")[0] for text in capsys.readouterr().err.splitlines()]
    assert said == ["step 0", "step 1/100 epoch 2 | 31.3 audio-s/s, 0", "step 9"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0:00 min"),
        (59.6, "1:00 min"),
        (125, "2:05 min"),
        (3600 * 5 + 120, "5 h 2 min"),
        (86400 * 41 + 3600 * 7, "41 d 7 h"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_summary_compares_first_and_last_validation() -> None:
    first = {"step": 0, "val/mel": 0.8}
    last = {
        "step": 300,
        "val/mel": 0.5,
        "val/si_sdr": -1.25,
        "val/similarity": 0.01,
        "val/diversity": -0.02,
        "val/codebook/1/usage": 0.553,
        "val/codebook/2/usage": 0.9,
        "val/codebook/2/perplexity": 500.0,
    }
    assert summary_lines(first, last, metric="val/mel") == [
        "val/mel: 0.8 -> 0.5 (-37.5 %), step 0 to 300",
        "entries in use over the fixed items: codebook 1 55 %, codebook 2 90 %",
        "val/similarity: 0.01",
        "val/diversity: -0.02",
        "val/si_sdr: -1.25 dB",
    ]


def test_a_summary_of_values_that_are_not_finite_says_so() -> None:
    lines = summary_lines({"val/mel": "NaN"}, {"val/mel": "Infinity"}, metric="val/mel")
    assert lines == ["val/mel: nan -> inf (+nan %), step None to None"]
    assert summary_lines({}, {}, metric="val/mel") == []


def test_resuming_a_run_with_a_damaged_profile_says_which_one_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODECCTL_HOME", str(tmp_path))
    (tmp_path / "runs" / "a").mkdir(parents=True)
    (tmp_path / "runs" / "a" / "profile.json").write_text('{"')
    with pytest.raises(NotFoundError, match="no store here"):
        train(profile="paired", run="a", resume=True)
    said = "a: profile.json is missing or damaged; takes the profile of this command"
    assert said in capsys.readouterr().err


def test_recordings_that_are_left_out_for_one_reason_share_a_line() -> None:
    mono = [f"door{number}: found 1 channel, needed 2" for number in range(3)]
    assert left_out_lines([*mono, "Beach.1: found 0.5 s, needed 1 s"]) == [
        "3 recordings: found 1 channel, needed 2 (door0, door1, door2)",
        "Beach.1: found 0.5 s, needed 1 s",
    ]
