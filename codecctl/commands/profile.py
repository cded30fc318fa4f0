"""`codecctl profile`: what can be trained, with which values, and where each comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.output import note, result, result_json

if TYPE_CHECKING:
    from codecctl.engine.profile import Resolved

app = typer.Typer(
    no_args_is_help=True,
    help="""Look at profiles: what will be trained, and how.

    Your own stand in ./profiles or in the configuration folder: NAME.toml names a mode and an
    option of each group, and sets what differs; data/, model/ and trainer/ hold options. An option
    with `overlay = true` changes only what it names, in any group.
    """,
)

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[GROUP=OPTION] [KEY=VALUE] [~KEY]...",
        help="As behind `train --profile NAME`, e.g. model=tiny trainer.max_epochs=10.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_profiles(json: Json = False) -> None:
    """List profiles with their mode, and the options of the groups."""
    from codecctl.engine.profile.listing import list_options, list_profiles

    profiles, options = list_profiles(), list_options()
    if json:
        result_json(
            {
                "schema": 1,
                "profiles": [entry.as_dict() for entry in profiles],
                "options": [entry.as_dict() for entry in options],
            }
        )
        return
    width = max((len(entry.name) for entry in profiles), default=0)
    modes = max((len(entry.mode) for entry in profiles), default=0)
    for entry in profiles:
        result(f"{entry.name:{width}}  {entry.mode:{modes}}  {entry.description or entry.problem}")
    note("\noptions, as in `codecctl train --profile paired model=tiny`:")
    written = max((len(entry.written) for entry in options), default=0)
    for option in options:
        result(f"{option.written:{written}}  {option.description or option.problem}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of a profile, or a TOML file.")],
    overrides: Overrides = None,
    provenance: Annotated[
        bool, typer.Option(help="Say which file or override each value comes from.")
    ] = True,
    toml: Annotated[bool, typer.Option("--toml", help="Print TOML that loads again.")] = False,
    json: Json = False,
) -> None:
    """Show every value that a training would use."""
    from codecctl.engine.profile import load_profile, profile_hash

    resolved = load_profile(name, overrides or ())
    for notice in resolved.notices:
        note(notice)
    values = resolved.profile.model_dump(mode="json")
    if json:
        result_json(
            {
                "schema": 1,
                "profile": values,
                "provenance": resolved.provenance,
                "overrides": list(resolved.overrides),
                "notices": list(resolved.notices),
                "hash": profile_hash(resolved.profile),
            }
        )
    elif toml:
        import tomli_w

        result(tomli_w.dumps(values).rstrip())
    else:
        _show_table(resolved, provenance=provenance)


@app.command()
def check(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A profile, or any TOML file.")],
    overrides: Overrides = None,
) -> None:
    """Check a profile, or a file that is one or an option of a group: all errors at once."""
    from codecctl.engine.profile.listing import check_file

    for line in check_file(name, overrides or ()):
        result(line)


@app.command()
def schema() -> None:
    """Print a JSON schema with which editors complete and check profiles.

    Save it, and begin a TOML file with `#:schema ./codecctl.schema.json`.
    """
    from codecctl.engine.profile.editor import editor_schema

    result_json(editor_schema())


@app.command()
def keys(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print tables of a page.")] = False,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE", help="Put the tables between the marks of a Markdown page instead."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List every key: what may stand there, what the shipped profiles say, what it is for."""
    from codecctl.engine.profile import keys as reference

    if into is not None:
        reference.renew(into)
        note(f"{into}: renewed")
    elif markdown:
        result(reference.markdown().rstrip())
    elif json:
        facts = reference.key_facts()
        told = reference.values_by_profile(facts)
        rows = [{**fact.as_dict(), "shipped": said} for fact, said in zip(facts, told, strict=True)]
        result_json({"schema": 1, "keys": rows})
    else:
        for fact in reference.key_facts():
            result(f"{fact.label}: {fact.allowed}. {fact.description}")


def _show_table(resolved: Resolved, *, provenance: bool) -> None:
    from codecctl.engine.profile.listing import rows

    table = list(rows(resolved))
    keys = max(len(row.key) for row in table)
    values = max(len(row.value) for row in table if len(row.value) <= 40)
    for row in table:
        line = f"{row.key:{keys}} = {row.value:{values if provenance else 0}}"
        result(f"{line}  # {row.source}" if provenance else line)
