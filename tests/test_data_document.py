"""docs/data.md: every command and option that it prints exists."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from codecctl.commands.data import app

DOCS = Path(__file__).parents[1] / "docs"


def test_every_command_and_option_of_the_page_exists() -> None:
    text = (DOCS / "data.md").read_text()
    group = typer.main.get_command(app)
    found = re.findall(r"codecctl data ([a-z]+)(?![a-z…])([^`\n#]*)", text)
    assert len(found) > 20
    for name, rest in found:
        assert name in group.commands, name  # type: ignore[attr-defined]  # it is a group
        known = {
            option
            for parameter in group.commands[name].params  # type: ignore[attr-defined]
            for option in parameter.opts
        }
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, (name, rest)


def test_every_page_that_is_linked_exists() -> None:
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), (page.name, target)
