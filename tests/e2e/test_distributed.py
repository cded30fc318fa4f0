"""`codecctl train` in several processes: the same training, and one end for all of them."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from codecctl.engine.rundir import list_checkpoints, read_rows, read_state

from .training import ENDLESS, SHORT, STEPS, flat, rows, run, start, wait_for_step

pytestmark = pytest.mark.e2e


def assert_close_runs(left: Path, right: Path) -> None:
    """The same rows and items, but for rounding."""
    for ours, theirs in zip(rows(left), rows(right), strict=True):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            if isinstance(value, float):
                assert math.isclose(float(str(ours[name])), value, rel_tol=1e-3, abs_tol=1e-5), name
            else:
                assert ours[name] == value, name
    for name in ("validation_items.json", "split.json"):
        assert (left / name).read_bytes() == (right / name).read_bytes()
    mine, others = (read_rows(path / "validation.jsonl") for path in (left, right))
    assert [{**row, "value": 0} for row in mine] == [{**row, "value": 0} for row in others]


def test_two_processes_train_as_one_does_and_one_goes_on(home: Path) -> None:
    code, _, err = run(
        home, "train", *SHORT, "--run", "two", "--processes", "2", f"trainer.max_steps={STEPS // 2}"
    )
    assert code == 0, err
    assert "on 2 processes, each on CPU" in err
    assert err.count("loading torch") == 1  # only the first of them speaks

    longer = f"trainer.trainer.max_steps={STEPS}"
    code, _, err = run(home, "train", "--run", "two", "--resume", longer)
    assert code == 0, err
    log = (home / "runs" / "two" / "train.log").read_text(encoding="utf-8")
    assert log.count(" loading torch\n") == 2  # once for each job
    kinds = [row["kind"] for row in read_rows(home / "runs" / "two" / "events.jsonl")]
    assert (kinds[0], kinds.count("resumed")) == ("started", 1)
    ours = [row for row in rows(home / "runs" / "two") if row["step"] == STEPS]
    theirs = [row for row in rows(home / "runs" / "whole") if row["step"] == STEPS]
    assert [row["split"] for row in ours] == [row["split"] for row in theirs] == ["train", "val"]
    for name in ("loss/total", "val/mel", "codebook/1/usage"):
        mine, other = (
            next(float(str(row[name])) for row in found if name in row) for found in (ours, theirs)
        )
        assert mine == pytest.approx(other, rel=1e-3), name


def test_two_processes_have_the_rows_and_items_of_one(home: Path) -> None:
    code, _, err = run(home, "train", *SHORT, "--run", "shared", "--processes", "2")
    assert code == 0, err
    assert_close_runs(home / "runs" / "shared", home / "runs" / "whole")


ONE_SIDE = (
    *("--profile", "mono", *SHORT[2:], "model.discriminators=[]"),
    "trainer.loss_config.adversarial.weights.generator=0",
    "trainer.loss_config.adversarial.weights.feature=0",
    'trainer.balancer.covers=["mel"]',
)


@pytest.mark.parametrize(("strategy", "name"), [("fsdp", "parts"), ("deepspeed", "moments")])
def test_a_run_in_parts_writes_what_others_do_and_goes_on_alone(
    home: Path, strategy: str, name: str
) -> None:
    """Two processes in parts, with validation and previews, then one of auto, then two again."""
    if strategy == "deepspeed" and not find_spec("deepspeed"):
        pytest.skip("needs DeepSpeed, of the extra deepspeed")
    keys = [key for key in ONE_SIDE if "discriminators.0" not in key]
    code, out, err = run(
        home,
        *("train", *keys, "--run", name, "--processes", "2"),
        *(f"trainer.strategy={strategy}", "trainer.max_steps=8", "trainer.keep_every_n_steps=8"),
    )
    assert code == 0, err
    assert "deepspeed" not in (out + err).lower()  # it has much to say
    code, _, err = run(
        home,
        *("train", "--run", name, "--resume"),
        *("trainer.strategy=auto", f"trainer.max_steps={STEPS}"),
    )
    assert code == 0, err
    assert "continues with other values of trainer.max_steps, trainer.strategy" in err
    run_folder = home / "runs" / name
    kinds = [row["kind"] for row in read_rows(run_folder / "events.jsonl")]
    assert (kinds.count("preview"), kinds.count("resumed")) == (5, 1)
    values = [row for row in rows(run_folder) if row["split"] == "val"]
    assert [row["step"] for row in values] == [0, 6, 8, 12, STEPS]
    # What two processes gathered has the names and shapes of what one has written, and no more.
    gathered, own = (
        dict(flat(torch.load(each.path / "state.pt", weights_only=True)["recipe"]))
        for each in list_checkpoints(run_folder)
        if each.step in (8, STEPS)
    )
    assert list(gathered) == list(own)
    for path, value in gathered.items():
        other = own[path]
        if isinstance(value, torch.Tensor):
            assert isinstance(other, torch.Tensor)
            assert (value.shape, value.dtype) == (other.shape, other.dtype), path
            assert value.untyped_storage().nbytes() == value.nbytes, path
    assert_goes_on_alike(home, run_folder, strategy)


def assert_goes_on_alike(home: Path, run_folder: Path, strategy: str) -> None:
    """Two processes in parts continue what one process left as one does, but for rounding."""
    alone = run_folder.with_name(f"{run_folder.name}-alone")
    shutil.copytree(run_folder, alone)
    ends: list[dict[str, object]] = []
    for folder, keys in (
        (run_folder, (f"trainer.strategy={strategy}", "--processes", "2")),
        (alone, ()),
    ):
        more = f"trainer.max_steps={STEPS + 2}"
        code, _, err = run(home, "train", "--run", folder.name, "--resume", more, *keys)
        assert code == 0, err
        last = list_checkpoints(folder)[-1]
        assert last.step == STEPS + 2
        ends.append(dict(flat(torch.load(last.path / "state.pt", weights_only=True)["recipe"])))
    ours, theirs = ends
    assert list(ours) == list(theirs)
    for path, value in ours.items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(value, theirs[path], rtol=1e-3, atol=1e-5, msg=path)


def test_a_batch_that_cannot_be_shared_evenly_is_one_line(home: Path) -> None:
    code, _, err = run(home, "train", *SHORT, "--run", "uneven", "--processes", "3")
    assert code == 3
    assert "data.batch_size: found 2, needed a multiple of 3 processes" in err
    assert err.count("codecctl: ") == 1
    assert not (home / "runs" / "uneven").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_ends_the_others_with_its_name(home: Path, rank: int) -> None:
    name = f"lost-{rank}"
    parent = start(home, "train", *ENDLESS, "--run", name, "--processes", "2")
    wait_for_step(parent)
    os.kill(_children(parent)[rank], signal.SIGKILL)
    _, err = parent.communicate(timeout=60)
    assert parent.returncode == 1
    assert (
        err.strip()
        .splitlines()[-1]
        .startswith(f"codecctl: process {rank} of 2: was killed by SIGKILL")
    )
    state = read_state(home / "runs" / name)
    assert state is not None
    # Where the process that writes is gone, the heartbeat alone tells of it.
    assert state.status in (("starting", "running") if rank == 0 else ("failed",))


def test_a_scheduler_may_stop_any_of_them(home: Path) -> None:
    parent = start(home, "train", *ENDLESS, "--run", "told", "--processes", "2")
    wait_for_step(parent)
    os.kill(_children(parent)[1], signal.SIGUSR1)
    _, err = parent.communicate(timeout=60)
    assert parent.returncode == 75, err
    state = read_state(home / "runs" / "told")
    assert state is not None
    assert list_checkpoints(home / "runs" / "told")[-1].step == state.step


def _children(parent: subprocess.Popen[str]) -> list[int]:
    """Process ids, in the order in which they were started."""
    listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text(encoding="ascii")
    return sorted(int(pid) for pid in listed.split())
