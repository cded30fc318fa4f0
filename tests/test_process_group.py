"""Two processes that agree, and what the other is told when one of them fails."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.long

SCRIPT = """
import os, sys
import torch
from codecctl.ending import leaving_at_once
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.topology import find_place
from codecctl.errors import CodecctlError, ProfileError

torch.set_num_threads(1)

def meet():
    with ProcessGroup(find_place(os.environ)) as group:
        assert group.agree(3 * group.rank) == 3
        assert group.share(["first", "second"][group.rank]) == "first"
        assert list(group.gather(group.rank)) == ([0, 1] if group.rank == 0 else [])
        total = torch.full((2,), 1.0 + group.rank)
        group.sum_(total)
        assert total.tolist() == [3.0, 3.0]
        network = torch.nn.Linear(2, 2)
        group.equalize(network.parameters())
        weights = group.gather(network.weight.tolist())
        assert group.rank or weights[0] == weights[1]
        if group.rank == 1 and sys.argv[1] == "error":
            raise ProfileError("data.batch_size: found 3, needed 4")
        if group.rank == 1 and sys.argv[1] == "bug":
            raise ZeroDivisionError("in the middle")
        group.agree(0)
        print("done")

with leaving_at_once():
    try:
        meet()
    except CodecctlError as error:
        print(f"{type(error).__name__}: {error}")
        sys.exit(error.exit_code)
"""


def ranks(what: str) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of each of two processes."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # not said to be exported

    from codecctl.engine.topology import Node

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    node = Node(processes=2, port=store.port)
    shared = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, what],
            env={**shared, **node.variables(rank), "TORCHELASTIC_USE_AGENT_STORE": "True"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    ended = []
    for process in started:
        out, err = process.communicate(timeout=120)
        ended.append((process.returncode, out.strip(), err))
    return ended


def test_processes_agree_share_gather_and_add() -> None:
    assert [(code, out) for code, out, _ in ranks("none")] == [(0, "done"), (0, "done")]


def test_the_others_end_with_the_error_of_the_one_that_failed() -> None:
    first, second = ranks("error")
    message = "data.batch_size: found 3, needed 4"
    assert second[:2] == (3, f"ProfileError: {message}")
    assert first[:2] == (3, f"OtherProcessFailedError: process 1 of 2: {message}")


def test_a_defect_in_one_process_is_told_with_its_class() -> None:
    first, second = ranks("bug")
    assert second[0] == 1 and "ZeroDivisionError: in the middle" in second[2]
    assert first[:2] == (
        1,
        "OtherProcessFailedError: process 1 of 2: ZeroDivisionError: in the middle",
    )
