"""`codecctl train` on two nodes: two agents of torchrun, each with one process of the training."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # not said to be exported

from codecctl.engine.rundir import list_checkpoints, read_rows, read_state

from .training import CODECCTL, SHORT, assert_equal_runs, environment, run

pytestmark = [pytest.mark.e2e, pytest.mark.long]


@contextmanager
def two_nodes(home: Path, *arguments: str) -> Iterator[list[subprocess.Popen[str]]]:
    """An agent for each node, which meet on this machine."""
    free = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    port = free.port
    del free
    shared = ("--nnodes=2", "--nproc-per-node=1", "--master-addr=127.0.0.1")
    nodes = [
        subprocess.Popen(
            [
                str(CODECCTL.with_name("torchrun")),
                *(*shared, f"--master-port={port}", f"--node-rank={rank}"),
                *("--", str(CODECCTL), "train", *arguments),
            ],
            cwd=home,
            env={**environment(), "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for rank in range(2)
    ]
    try:
        yield nodes
    finally:
        for node in nodes:
            if node.poll() is None:
                kill(node)
            node.communicate(timeout=60)


def kill(node: subprocess.Popen[str]) -> None:
    """A node is gone: its agent and its process of the training, which has a session of its own."""
    listed = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text(encoding="ascii")
    for pid in (node.pid, *(int(child) for child in listed.split())):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_for_checkpoint(run_folder: Path, step: int, node: subprocess.Popen[str]) -> None:
    while not any(each.step >= step for each in list_checkpoints(run_folder)):
        assert node.poll() is None, node.communicate()[1]
        time.sleep(0.02)


def test_two_nodes_train_and_go_on_exactly_after_one_was_lost(home: Path) -> None:
    name = ("--run", "nodes")
    folder = home / "runs" / "nodes"
    with two_nodes(home, *SHORT, *name, "--resume") as nodes:
        wait_for_checkpoint(folder, 3, nodes[0])
        kill(nodes[1])
        said = nodes[0].communicate(timeout=60)[1]
    assert nodes[0].returncode == 1  # torchrun's
    lines = [line for line in said.splitlines() if line.startswith("codecctl: ")]
    assert len(lines) == 1
    assert re.match(r"codecctl: another of the 2 processes has ended, .*--resume$", lines[0])
    state = read_state(folder)
    assert state is not None
    assert state.status == "failed"

    with two_nodes(home, *SHORT, *name, "--resume") as nodes:
        errors = [node.communicate(timeout=100)[1] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], errors
    kinds = [row["kind"] for row in read_rows(folder / "events.jsonl")]
    assert (kinds[0], kinds.count("resumed")) == ("started", 1)

    code, _, err = run(home, "train", *SHORT, "--run", "one-node", "--processes", "2")
    assert code == 0, err
    assert_equal_runs(folder, home / "runs" / "one-node")


def test_where_the_leading_node_is_lost_the_other_says_why_it_ends(home: Path) -> None:
    folder = home / "runs" / "headless"
    with two_nodes(home, *SHORT, "--run", "headless", "--resume") as nodes:
        wait_for_checkpoint(folder, 2, nodes[0])
        kill(nodes[0])
        _, said = nodes[1].communicate(timeout=60)
    assert nodes[1].returncode == 1
    assert "codecctl: another of the 2 processes has ended" in said
