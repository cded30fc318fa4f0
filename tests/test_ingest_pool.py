from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from codecctl.datasets.ingest_pool import Outcome, Pool
from codecctl.datasets.ingest_recording import Job, Output


def jobs(folder: Path, names: list[str]) -> list[Job]:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (48_000, 2))
    for name in names:
        soundfile.write(folder / f"{name}.wav", audio, 48_000, subtype="PCM_16")
    return [
        Job(
            path=str(folder / f"{name}.wav"),
            source_name=f"{name}.wav",
            corpus="",
            scene="",
            array="unknown-2ch",
            source_size=0,
            outputs=(
                Output(
                    store=str(folder / "s"),
                    name=name,
                    take=name,
                    sample_rate=24_000,
                    dtype="int16",
                    target_size=0,
                ),
            ),
        )
        for name in names
    ]


def workers() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if "codecctl.datasets.ingest_worker" in " ".join(child.cmdline())
    ]


@pytest.mark.long
def test_a_worker_that_is_killed_loses_its_recording_and_no_other(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []
    killed: list[int] = []

    def kill_once(_: int) -> None:
        if not killed:
            killed.append(workers()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    with Pool(1, locks=(), on_bytes=kill_once, on_idle=lambda: None) as pool:
        # The first recording has more than one block, so that its end is still to come.
        begun = jobs(tmp_path, ["b", "c"])
        long = np.zeros((6_000_000, 2), np.int16)
        soundfile.write(tmp_path / "b.wav", long, 48_000, subtype="PCM_16")
        pool.run(begun, outcomes.append)
    found = {outcome.job.source_name: outcome for outcome in outcomes}
    assert found["b.wav"].crashed == "the ingest process was killed by SIGKILL"
    assert found["c.wav"].stored[0] is not None
    assert workers() == []


def test_a_library_that_dies_is_quoted(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []
    (job,) = jobs(tmp_path, ["a"])
    # A job from the future: the worker cannot read it and ends with a traceback.
    broken = replace(job, outputs=(replace(job.outputs[0], dtype="int7"),))
    with Pool(2, locks=(), on_bytes=lambda _: None, on_idle=lambda: None) as pool:
        pool.run([broken], outcomes.append)
    assert "ended with 1: AssertionError: int7" in outcomes[0].crashed


def test_after_a_full_disk_no_recording_is_begun(tmp_path: Path) -> None:
    outcomes: list[Outcome] = []
    begun = jobs(tmp_path, ["a", "b"])
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "rec").write_text("in the way")
    with Pool(1, locks=(), on_bytes=lambda _: None, on_idle=lambda: None) as pool:
        pool.run(begun, outcomes.append)
    assert [(outcome.job.source_name, bool(outcome.failed)) for outcome in outcomes] == [
        ("a.wav", True)
    ]


def test_leaving_early_ends_the_workers_and_takes_their_files_back(tmp_path: Path) -> None:
    begun = jobs(tmp_path, ["a"])
    soundfile.write(tmp_path / "a.wav", np.zeros((6_000_000, 2), np.int16), 48_000)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        Pool(1, locks=(), on_bytes=interrupt, on_idle=lambda: None) as pool,
    ):
        pool.run(begun, lambda _: None)
    assert workers() == []
    assert [path.name for path in (tmp_path / "s").rglob("*") if path.is_file()] == []
