"""Two processes that agree, and what the other is told when one of them fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

Ranks = Callable[[str], list[tuple[int, str, str]]]

SCRIPT = """
import json, os, sys
import torch
from torch.distributed import TCPStore
from codecctl.ending import leaving_at_once
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.topology import Node, find_place
from codecctl.errors import CodecctlError, ProfileError

torch.set_num_threads(1)

def meet(what):
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
        if group.rank == 1 and what == "error":
            raise ProfileError("data.batch_size: found 3, needed 4")
        if group.rank == 1 and what == "bug":
            raise ZeroDivisionError("in the middle")
        group.agree(0)
        print("done")

def be(what, rank, port):
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{what}-{rank}.{name}", os.O_WRONLY | os.O_CREAT), number)
    os.environ.update(Node(processes=2, port=port).variables(rank))
    with leaving_at_once():
        try:
            meet(what)
        except CodecctlError as error:
            print(f"{type(error).__name__}: {error}")
            sys.exit(error.exit_code)

def fork(*arguments):
    child = os.fork()
    if not child:
        be(*arguments)
    return child

codes = {}
for what in sys.argv[1:]:
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    children = [fork(what, rank, store.port) for rank in range(2)]
    codes[what] = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(json.dumps(codes))
"""
"""Loads torch, computes nothing, and forks two processes for each word of its command line."""


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Ranks:
    """Exit code, stdout and stderr of each of two processes, by what happens to one of them."""
    folder = tmp_path_factory.mktemp("ranks")
    shared = {"GLOO_SOCKET_IFNAME": "lo", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "none", "error", "bug"],
        cwd=folder,
        env={**os.environ, **shared, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    codes = json.loads(done.stdout)

    def ended(what: str) -> list[tuple[int, str, str]]:
        return [(code, *_said(folder / f"{what}-{rank}")) for rank, code in enumerate(codes[what])]

    return ended


def _said(path: Path) -> tuple[str, str]:
    out, err = (path.with_suffix(f".{name}").read_text(encoding="utf-8") for name in ("out", "err"))
    return out.strip(), err


def test_processes_agree_share_gather_and_add(ranks: Ranks) -> None:
    assert [(code, out) for code, out, _ in ranks("none")] == [(0, "done"), (0, "done")]


def test_the_others_end_with_the_error_of_the_one_that_failed(ranks: Ranks) -> None:
    first, second = ranks("error")
    message = "data.batch_size: found 3, needed 4"
    assert second[:2] == (3, f"ProfileError: {message}")
    assert first[:2] == (3, f"OtherProcessFailedError: process 1 of 2: {message}")


def test_a_defect_in_one_process_is_told_with_its_class(ranks: Ranks) -> None:
    first, second = ranks("bug")
    assert second[0] == 1 and "ZeroDivisionError: in the middle" in second[2]
    assert first[:2] == (
        1,
        "OtherProcessFailedError: process 1 of 2: ZeroDivisionError: in the middle",
    )
