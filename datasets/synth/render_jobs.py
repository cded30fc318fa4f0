"""Renders the recordings of a corpus, in this process or in several."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

import numpy as np
import numpy.typing as npt

from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.datasets.synth.corpus import Corpus, Task, remove_temporaries, write_log
from codecctl.datasets.synth.plan import SAMPLE_RATE
from codecctl.datasets.synth.renderer import render
from codecctl.datasets.synth.wave import write_wave
from codecctl.errors import CodecctlError

OnProgress = Callable[[float, str], None]
"""(seconds of audio since the last call, name of the recording)."""


def render_corpus(corpus: Corpus, *, jobs: int, on_progress: OnProgress) -> None:
    """Render what is missing.

    Args:
        corpus: From `plan_corpus`, its folder prepared.
        jobs: Processes; each renders one recording at a time. The result does not depend on it.
        on_progress: Called in this process.

    Raises:
        CodecctlError: A recording could not be written; those before it stay.
    """
    if jobs <= 1 or len(corpus.tasks) <= 1:
        for task in corpus.tasks:
            render_task(task, on_progress)
        return
    num_workers = min(jobs, len(corpus.tasks))
    workers = [_start(corpus.tasks[first::num_workers]) for first in range(num_workers)]
    try:
        _listen([connection for connection, _ in workers], on_progress)
    finally:
        for connection, process in workers:
            connection.close()
            process.terminate()
        for _, process in workers:
            process.join()
            if process.pid is not None:
                remove_temporaries(corpus.folder, process.pid)


def render_task(task: Task, on_progress: OnProgress) -> None:
    """Render one recording and its log, in this process."""

    def counted(block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        on_progress(block.shape[1] / SAMPLE_RATE, task.target.name)
        return block

    blocks = map(counted, render(task.plan, sources_folder=task.sources_folder))
    clipped = write_wave(task.target, blocks, sample_rate=SAMPLE_RATE, channels=NUM_CAPSULES)
    write_log(task, clipped=clipped)


def _start(tasks: Sequence[Task]) -> tuple[Connection, SpawnProcess]:
    # Spawned, not forked: BLAS and libsndfile of the parent may hold threads and locks.
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(tuple(tasks), sender), daemon=True)
    process.start()
    sender.close()  # so that the end of the process ends the connection
    return receiver, process


def _work(tasks: Sequence[Task], sender: Connection) -> None:
    """Body of a process: sends (seconds, name) as it goes, and an error or None at the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    try:
        for task in tasks:
            render_task(task, lambda seconds, name: sender.send((seconds, name)))
    except BrokenPipeError:
        return  # the parent is gone, and with it everyone who would read
    except CodecctlError as error:
        sender.send(error)
    except OSError as error:
        sender.send(CodecctlError(str(error)))
    else:
        sender.send(None)


def _listen(connections: Sequence[Connection], on_progress: OnProgress) -> None:
    running = list(connections)
    while running:
        for connection in wait(running):
            assert isinstance(connection, Connection), type(connection)
            try:
                message = connection.recv()
            except EOFError as error:
                raise CodecctlError(
                    "a rendering process ended without a word; out of memory? Run again with "
                    "fewer --jobs: finished recordings are kept"
                ) from error
            if message is None:
                running.remove(connection)
            elif isinstance(message, CodecctlError):
                raise message
            else:
                on_progress(*message)
