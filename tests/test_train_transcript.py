from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codecctl.commands.train_lines import ProgressLine
from codecctl.commands.train_transcript import BYTES_AT_ONCE, LINE_CHARACTERS, Lines, Transcript
from codecctl.engine.loop_parts import Report
from codecctl.engine.rundir import RunDirectory
from codecctl.errors import CodecctlError
from codecctl.output import note, result

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def kept(run: Path) -> list[str]:
    """The lines of train.log without their times, which each must have."""
    lines = (run / "train.log").read_text(encoding="utf-8").splitlines()
    assert all(_TIME.match(line) for line in lines)
    return [_TIME.sub("", line, count=1) for line in lines]


def report(step: int) -> Report:
    return Report(step, 1000, 1, {"loss/mel": 0.5}, audio_seconds_per_second=1.0, seconds_left=9.0)


def test_what_is_said_before_the_run_is_there_comes_first_and_all_comes_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    transcript = Transcript()
    with transcript.listening():
        note("store noise")
        assert list(tmp_path.iterdir()) == []
        run = RunDirectory.create(tmp_path / "run")
        transcript.into(run.path)
        run.event("warning", 3, "a window was silent")
        transcript.aside("warning: a window was silent")
        result("val/mel: 2 -> 1")
        sys.stderr.write("half a line")
        sys.stderr.write(", the other half\n")
    note("after it")
    lines = kept(run.path)
    assert lines == [
        "store noise",
        "step 3: warning: a window was silent",
        "val/mel: 2 -> 1",
        "half a line, the other half",
    ]
    said = capsys.readouterr()
    assert said.out == "val/mel: 2 -> 1\n"
    assert said.err.startswith("store noise\nwarning: a window was silent\nhalf a line, the other")
    run.close()


_LIBRARY = """
import logging, sys, warnings
from pathlib import Path
from codecctl.commands.train_transcript import Transcript

with Transcript().listening() as transcript:
    transcript.into(Path(sys.argv[1]))
    warnings.warn("is deprecated")
    logging.getLogger("library").warning("is slow")
"""


def test_warnings_and_log_messages_of_libraries_are_kept(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIBRARY, tmp_path], capture_output=True, text=True, check=True
    )
    assert kept(tmp_path) == ["<string>:8: UserWarning: is deprecated", "is slow"]
    assert done.stderr.splitlines() == kept(tmp_path)


def test_of_the_progress_line_on_a_terminal_a_state_is_kept_every_half_minute_and_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, now = Terminal(), [100.0]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("codecctl.commands.train_lines.time.monotonic", lambda: now[0])
    transcript = Transcript(clock=lambda: now[0])
    with transcript.listening():
        transcript.into(tmp_path)
        line = ProgressLine(transcript)
        for step in range(1, 301):
            now[0] += 0.25
            line.report(report(step))
        line.tell("step 300: stage 2")
        transcript.aside("warning: an event", line.tell)
        line.report(report(1000))
        line.phase("step 1000: validating")
        line.close()
        note("val/mel: 2 -> 1")
    steps = [text.split()[1] for text in kept(tmp_path)]
    assert steps == ["1/1000", "121/1000", "241/1000", "300:", "1000/1000", "2"]
    assert terminal.getvalue().count("\r") == 302
    assert "\nwarning: an event\n\r" in terminal.getvalue()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["a\nb", "c\n\n"], ["a", "bc"]),
        (["\x1b[1mloud\x1b[0m\x07\n"], ["loud"]),
        (["line\r", "\nnext\r\n"], ["line", "next"]),
        (["\r 1 %", "\r 2 %", "\r 3 %\n"], ["1 %", "3 %"]),
        (["1 %\r", "2 %\r", "3 %\r\n"], ["1 %", "3 %"]),
        (["\r\x1b[K", "one", "\r\x1b[Ktwo", "\n"], ["one", "two"]),
    ],
)
def test_lines_are_what_stays_on_a_terminal(pieces: list[str], expected: list[str]) -> None:
    lines = Lines()
    given = [line.strip() for piece in pieces for line in lines.take(piece, now=0.0)]
    assert given == expected


def test_a_library_that_says_too_much_is_cut_short_and_the_end_is_kept(tmp_path: Path) -> None:
    now = [0.0]
    transcript = Transcript(clock=lambda: now[0])
    transcript.into(tmp_path)
    for _ in range(2000):
        transcript.keep("x" * 2 * LINE_CHARACTERS)
    size = (tmp_path / "train.log").stat().st_size
    assert BYTES_AT_ONCE - LINE_CHARACTERS - 100 < size <= BYTES_AT_ONCE
    now[0] = 86400.0
    transcript.keep("a day later")
    transcript.keep("y")
    assert kept(tmp_path)[-3:] == ["1752 lines left out: too many at once", "a day later", "y"]
    for _ in range(2000):
        transcript.keep("x" * LINE_CHARACTERS)
    transcript.renew()
    transcript.keep("the end")
    assert kept(tmp_path)[-1] == "the end"


def test_a_full_disk_is_told_once_and_does_not_end_a_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.log").symlink_to("/dev/full")
    transcript = Transcript()
    with transcript.listening():
        transcript.into(tmp_path)
        note("one")
        note("two")
    assert capsys.readouterr().err.splitlines() == [
        "one",
        f"warning: {tmp_path}/train.log: cannot write: No space left on device; it keeps nothing "
        "of what is said from here on",
        "two",
    ]


def test_an_error_is_kept_as_the_terminal_has_it_and_only_of_a_run_of_this_job(
    tmp_path: Path,
) -> None:
    for opens in (False, True):
        transcript = Transcript()
        with pytest.raises(CodecctlError), transcript.listening():
            note("before")
            if opens:
                transcript.into(tmp_path)
            raise CodecctlError("weights.npz: disk full")
        assert (tmp_path / "train.log").exists() == opens
    assert kept(tmp_path) == ["before", "codecctl: weights.npz: disk full"]
