"""`codecctl dashboard`: watch runs in the terminal, in a browser, or once as text."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from codecctl.errors import NotFoundError, UsageError
from codecctl.locations import home, runs_folder
from codecctl.output import note, result, result_json

RUN_MARKER = "profile.json"
WEB_DRIVER = "TEXTUAL_DRIVER"
"""Set by a server that shows the dashboard in a browser and reads its stdout."""


def dashboard(
    runs: Annotated[
        str, typer.Argument(metavar="[RUNS]", help="Folder of runs, or one run; default ./runs.")
    ] = "",
    once: Annotated[bool, typer.Option("--once", help="Print a text snapshot and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="With --once: for scripts.")] = False,
    width: Annotated[int, typer.Option(min=0, help="Of the snapshot; default: terminal.")] = 0,
    height: Annotated[int, typer.Option(min=0, help="Of the snapshot; default: terminal.")] = 0,
    web: Annotated[bool, typer.Option("--web", help="Serve it to a browser on this host.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="With --web; 0: the first free one from 8000 on.")
    ] = 0,
    steer: Annotated[bool, typer.Option("--steer", help="With --web: may change runs.")] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Never change a run.")] = False,
) -> None:
    """Watch runs and look at stores: live curves, validation, previews to see and hear, events."""
    folder, only = _locate(runs)
    if json and not once:
        raise UsageError("--json: belongs to --once; add it")
    if steer and not web:
        raise UsageError("--steer: belongs to --web; the terminal may steer without it")
    if steer and read_only:
        raise UsageError("--steer: contradicts --read-only; leave one of them out")
    if port and not web:
        raise UsageError("--port: belongs to --web; add it")
    if once:
        _print_once(folder, only, as_json=json, width=width, height=height)
    elif web:
        _serve(runs, folder, port, may_steer=steer)
    elif not sys.stdout.isatty() and WEB_DRIVER not in os.environ:
        raise UsageError("dashboard: stdout is no terminal; use --once for a text snapshot")
    else:
        # Here, not above: `codecctl --help` must not wait for Textual.
        from codecctl.dashboard.app import DashboardApp
        from codecctl.dashboard.garbage import search_for_garbage_seldom
        from codecctl.dashboard.keymap import FILE_NAME, read_keymap
        from codecctl.dashboard.keys import key_names

        keymap = read_keymap(home() / FILE_NAME, key_names())
        search_for_garbage_seldom()
        DashboardApp(folder, only=only, may_steer=not read_only, keymap=keymap).run()


def _locate(runs: str) -> tuple[Path, str]:
    """The folder of runs, and the name of the only run to show ("" for all).

    Raises:
        NotFoundError: Neither a folder nor a run has this name.
    """
    if not runs:
        return runs_folder(), ""
    for path in (runs_folder() / runs, Path(runs)):
        if (path / RUN_MARKER).is_file():
            path = path.resolve()
            return path.parent, path.name
    if Path(runs).is_dir():
        return Path(runs), ""
    raise NotFoundError(
        f"{runs}: no folder of runs and no run in {runs_folder()}; see: codecctl runs list"
    )


def _print_once(folder: Path, only: str, *, as_json: bool, width: int, height: int) -> None:
    from codecctl.dashboard.snapshot import read_everything, snapshot_rows, snapshot_text

    snapshot = read_everything(folder, only=only)
    if as_json:
        result_json(snapshot_rows(snapshot))
        return
    terminal = shutil.get_terminal_size()
    result(
        snapshot_text(
            folder, snapshot, width=width or terminal.columns, height=height or terminal.lines
        )
    )


def _serve(runs: str, folder: Path, port: int, *, may_steer: bool) -> None:
    """Serve the dashboard to browsers that know a token, read-only unless `may_steer`.

    Raises:
        UsageError: The extra is not installed, or the port is taken.
    """
    try:
        from codecctl.web.server import HOST, DashboardServer, open_port
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("codecctl"):
            raise
        raise UsageError("--web: needs textual-serve: pip install 'codecctl[web]'") from None
    from codecctl.web.gate import new_token

    arguments = [sys.argv[0], "dashboard", *([runs] if runs else [])]
    arguments += [] if may_steer else ["--read-only"]
    token = new_token()
    with open_port(port) as listening:
        chosen = listening.getsockname()[1]
        result(f"http://{HOST}:{chosen}/{token}/")
        note(
            f"from another machine first: ssh -N -L {chosen}:{HOST}:{chosen} "
            f"{getpass.getuser()}@{socket.gethostname()}"
        )
        note("whoever knows this address may look" + (" and steer" if may_steer else ""))
        note("ctrl+c ends it")
        DashboardServer(shlex.join(arguments), runs=folder, token=token).serve_on(listening)
