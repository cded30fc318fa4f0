"""What codecctl makes of a damaged store, against what was done to it."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import numpy as np

from codecctl import cli
from codecctl.datasets.ingest_target import inspect_target
from codecctl.datasets.store import RecordingInfo, Store, committed_recordings
from codecctl.errors import CodecctlError

from .store_mutations import Damaged

Samples = dict[str, np.ndarray]


def read_all(folder: Path) -> Samples:
    """Every sample of a sound store, (C, T) float32 by name."""
    with Store.open(folder) as store:
        return {
            info.name: store.read(info.name, 0, info.frames, range(info.channels))
            for info in store.recordings
        }


def judge(folder: Path, done: Damaged, sound: Samples) -> tuple[str, str]:
    """How a damaged store ended: `refused`, `read` or `found`; `wrong` and why is a bug."""
    try:
        inspect_target(folder)
    except CodecctlError as error:
        if "\n" in str(error):
            return "wrong", f"inspect_target: {error!r}"
    whole = set(committed_recordings(folder)) & set(sound)
    if done.expect == "structure" and done.recording in whole and done.how[:9] != "exchanged":
        return "wrong", "a damaged file counts as whole"
    opened, line = _opened(folder)
    if opened is None and not line:
        return "wrong", "no clear line"
    verdict = _of_opening(opened, done, sound)
    found = _of_verify(folder, done)
    return verdict if verdict[0] == "wrong" else found


def run(*words: str) -> tuple[int, str, str]:
    """Run codecctl in this process; exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["codecctl", *words]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                cli.main()
                code = 0
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


def judge_commands(folder: Path, done: Damaged) -> tuple[str, str]:
    """Whether `verify`, `info` and `list` end with an exit code that fits, without a traceback."""
    good = {"sound": (0,), "audio": (4,), "structure": (4, 5), "index": (4, 5), "forged": (0, 4, 5)}
    for command in ("verify", "info", "list"):
        words = ["data", command, *([] if command == "list" else [str(folder)])]
        code, _, complaint = run(*words)
        allowed = good[done.expect] if command == "verify" else (0, 4, 5)
        if code not in allowed or "Traceback" in complaint:
            return "wrong", f"{command}: exit {code}: {complaint[-300:]}"
    return "fine", ""


def _opened(folder: Path) -> tuple[Store | None, str]:
    try:
        return Store.open(folder), ""
    except CodecctlError as error:
        return None, str(error) if _is_line(error) else ""


def _of_opening(opened: Store | None, done: Damaged, sound: Samples) -> tuple[str, str]:
    if opened is None:
        if done.expect in ("sound", "audio"):
            return "wrong", "refused though its structure is sound"
        return "refused", ""
    if done.expect in ("structure", "index"):
        return "wrong", "opened in spite of its damage"
    with opened:
        for info in opened.recordings:
            try:
                found = opened.read(info.name, 0, info.frames, range(info.channels))
            except CodecctlError as error:
                if done.expect != "forged" or not _is_line(error):
                    return "wrong", f"read: {error}"
                continue
            if done.expect == "forged":
                continue
            if not _equal(found, sound[info.name], info, done):
                return "wrong", f"{info.name}: other samples than were written"
    return "read", ""


def _equal(found: np.ndarray, sound: np.ndarray, info: RecordingInfo, done: Damaged) -> bool:
    """Whether everything but the damaged seconds is as it was, to the last bit."""
    same = np.ones(found.shape, dtype=bool)
    if info.name == done.recording:
        for channel, second in done.chunks:
            same[channel, second * info.sample_rate : (second + 1) * info.sample_rate] = False
    return found.shape == sound.shape and bool(
        (found.view(np.int32)[same] == sound.view(np.int32)[same]).all()
    )


def _of_verify(folder: Path, done: Damaged) -> tuple[str, str]:
    try:
        with Store.open(folder, check=False) as store:
            damages = store.verify()
    except CodecctlError as error:
        if done.expect in ("index", "forged") and _is_line(error):
            return "refused", ""
        return "wrong", f"verify: {error}"
    if done.expect == "forged":
        return ("found" if damages else "read"), ""
    if done.expect == "sound":
        return ("wrong", f"verify finds {damages[0]}") if damages else ("read", "")
    if done.expect == "index":
        return "wrong", "verify opened a damaged index"
    if done.recording not in {damage.recording for damage in damages}:
        return "wrong", f"verify names {[str(damage) for damage in damages]}"
    if done.expect == "audio":
        named = {
            (channel, second)
            for damage in damages
            if damage.channels is not None and damage.seconds is not None
            for channel in range(damage.channels[0], damage.channels[1] + 1)
            for second in range(damage.seconds[0], damage.seconds[1] + 1)
        }
        if named != done.chunks:
            return "wrong", f"verify names {sorted(named)}"
    return "found", ""


def _is_line(error: CodecctlError) -> bool:
    text = str(error)
    return error.exit_code in (2, 4, 5) and "\n" not in text and 10 < len(text) < 600
