"""Whole commands in processes that have loaded torch already.

A server with the engine imported, which has not computed anything, forks one process for each
command: the same code as that of the installed program, less 4 s of imports. What is about the
start, about signals or about kills uses the program itself.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest import mock

ROOT = str(Path(__file__).parents[2])
PROGRAM = str(Path(sys.executable).with_name("codecctl"))
SECONDS = 120


def run_warm(folder: Path, *arguments: str, environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in a folder."""
    with tempfile.TemporaryDirectory() as kept:
        said, told = Path(kept, "stdout"), Path(kept, "stderr")
        words = (str(folder), arguments, dict(environment), str(said), str(told))
        with (
            mock.patch.dict(os.environ, environment, clear=True),  # the server keeps its first
            mock.patch.object(sys, "path", [*sys.path, ROOT]),  # where it finds this module
        ):
            process = _server().Process(target=_command, args=words)
            process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"codecctl {' '.join(arguments)}: {told.read_text()}")
        return process.exitcode, said.read_text("utf-8"), told.read_text("utf-8")


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["codecctl.app", "codecctl.engine.session"])
    return context


def _command(
    folder: str, arguments: tuple[str, ...], environment: dict[str, str], said: str, told: str
) -> None:
    """Be the program `codecctl`, to the exit code."""
    for number, path in ((1, said), (2, told)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path.remove(ROOT)
    sys.argv = [PROGRAM, *arguments]
    from codecctl.cli import main

    main()
