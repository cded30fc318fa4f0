"""Starts the processes of a training on this node, passes signals on, and ends them together.

Each process is the same command again with torch's variables of a place, as `torchrun` sets them
(`engine.topology`). torchrun itself is not used: it ends on SIGUSR1, turns every exit code into 1,
and prints a page about the process that failed, where a command of ours prints its line.

This process keeps the store where the others meet, so that the error of the first one that fails
outlives it (`engine.process_group`), also where nothing but its exit code is left to say why.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FrameType

from torch.distributed import TCPStore  # type: ignore[attr-defined]  # not said to be exported

from codecctl.engine.children import FORWARDED, die_with_parent
from codecctl.engine.process_group import MEETING, Failure, read_failure, tell_failure
from codecctl.engine.topology import Node
from codecctl.errors import CodecctlError

GRACE_SECONDS = 30.0
"""For the others, to write down what happened when one has failed."""
_ORDERLY = (0, 75, 130)
"""Exit codes that all processes agree on."""
_LAST_CTRL_C = 3
"""The first saves, the second quits, and this one waits for nobody."""


class Supervisor:
    """The processes of one node; `run` them.

    Args:
        command: What each of them executes.
        node: How many, and where all meet.
        tell: Shows a line to the user, where no process is left to do it.

    Raises:
        CodecctlError: The first of several nodes cannot be reached.
    """

    def __init__(self, command: Sequence[str], node: Node, *, tell: Callable[[str], None]) -> None:
        self._command = list(command)
        self._tell = tell
        try:
            self._store = TCPStore(
                node.address,
                node.port,
                is_master=node.index == 0,
                timeout=MEETING,
                wait_for_workers=False,
            )
        except RuntimeError as error:
            raise CodecctlError(
                f"node {node.index} of {node.nodes}: found no meeting point at {node.address}:"
                f"{node.port}: {str(error).splitlines()[0]}"
            ) from error
        self._node = replace(node, port=self._store.port)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ended: queue.Queue[tuple[int, int]] = queue.Queue()
        self._interrupts = 0
        self._forwarded = 0

    def run(self) -> int:
        """Start the processes and wait for all of them.

        Returns:
            The exit code of the training.
        """
        before = {
            number: signal.signal(number, self._forward)
            for number in FORWARDED
            # As in `engine.signals`: `nohup` alone is respected.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            for local_rank in range(self._node.processes):
                self._start(local_rank)
            codes = self._wait()
        finally:
            self._kill()
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._verdict(codes)

    def _start(self, local_rank: int) -> None:
        cores = len(os.sched_getaffinity(0))
        environment = {
            "OMP_NUM_THREADS": str(max(1, cores // self._node.processes)),
            # One node needs no network, and the name of its host may lead nowhere.
            **({"GLOO_SOCKET_IFNAME": "lo"} if self._node.nodes == 1 else {}),
            **os.environ,
            **self._node.variables(local_rank),
            # The store is here, and not in the first process.
            "TORCHELASTIC_USE_AGENT_STORE": "True",
        }
        process = subprocess.Popen(
            self._command,
            env=environment,
            # A session of its own: Ctrl-C comes through `_forward`, once.
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        self._processes.append(process)
        threading.Thread(
            target=lambda: self._ended.put((local_rank, process.wait())), daemon=True
        ).start()

    def _wait(self) -> dict[int, int]:
        """Exit codes by local rank, in the order in which the processes ended."""
        codes: dict[int, int] = {}
        deadline: float | None = None
        while len(codes) < self._node.processes:
            patience = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            try:
                local_rank, code = self._ended.get(timeout=patience)
            except queue.Empty:
                self._kill()
                deadline = None
                continue
            codes[local_rank] = code
            if code not in _ORDERLY:
                rank = self._node.index * self._node.processes + local_rank
                tell_failure(self._store, Failure(rank, _words(code), exit_code=1))
            if deadline is None and (code not in _ORDERLY or local_rank == 0):
                deadline = time.monotonic() + GRACE_SECONDS
        return codes

    def _verdict(self, codes: dict[int, int]) -> int:
        """One exit code of all; a line where the leading process could not write it."""
        if self._forwarded and -self._forwarded in codes.values():
            return 128 + self._forwarded  # before any process could save
        first = next((code for code in codes.values() if code), 0)
        leader = codes[0] if self._node.index == 0 else first
        if leader >= 0:
            return leader or abs(first)
        failure = read_failure(self._store, MEETING)
        assert failure is not None, codes
        self._tell(
            f"codecctl: process {failure.rank} of {self._node.world_size}: {failure.message}"
        )
        return failure.exit_code

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self._forwarded = number
        self._interrupts += number == signal.SIGINT
        if self._interrupts >= _LAST_CTRL_C:
            self._kill()
            return
        for process in self._processes:
            process.send_signal(number)

    def _kill(self) -> None:
        for process in self._processes:
            process.kill()


def _words(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    hint = "; the system does that when memory runs out" if code == -signal.SIGKILL else ""
    return f"was killed by {signal.Signals(-code).name}{hint}"
