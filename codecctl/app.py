"""The tree of commands: groups, and the options of every command."""

from __future__ import annotations

from typing import Annotated

import typer

from codecctl import __version__
from codecctl.commands import (
    coding,
    dashboard,
    data,
    eval_,
    export,
    import_,
    inspect_,
    profile,
    runs,
    train,
)
from codecctl.output import result

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
app.command()(coding.encode)
app.command()(coding.decode)
app.command("inspect")(inspect_.inspect)
app.command("eval")(eval_.evaluate)
app.command()(dashboard.dashboard)
app.command()(export.export)
app.command("import")(import_.import_weights)


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
    _ = debug, version  # cli.main() looks for --debug: it acts after the command has failed
