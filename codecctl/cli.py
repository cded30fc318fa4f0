"""The command line: groups, and one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from codecctl import __version__
from codecctl.commands import dashboard, data, profile, runs, train
from codecctl.errors import CodecctlError
from codecctl.output import note, result

app = typer.Typer(
    name="codecctl",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a disk of multichannel recordings to a trained neural audio codec.",
)
app.add_typer(data.app, name="data")
app.add_typer(profile.app, name="profile")
app.add_typer(runs.app, name="runs")
app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(train.train)
app.command()(dashboard.dashboard)


def _version(wanted: bool) -> None:
    if wanted:
        result(f"codecctl {__version__}")
        raise typer.Exit


@app.callback()
def main_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback on errors.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Options of every command."""
    _ = debug, version  # main() looks for --debug itself: it acts after the command has failed


def main() -> None:
    """Run a command; an error the user can act on is one line on stderr and its exit code."""
    try:
        app()
    except BrokenPipeError:
        # The reader of a pipe left (`| head`); flushing at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except CodecctlError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        _fail(str(error), 1)


def _fail(message: str, exit_code: int) -> None:
    if "--debug" in sys.argv:
        raise  # Called from an except block: shows the traceback of what happened.
    note(f"codecctl: {message}")
    sys.exit(exit_code)
