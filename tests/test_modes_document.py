"""docs/modes.md: every command resolves, every key and every name of the documents exists."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path

import pytest
import typer.main

from codecctl.app import app
from codecctl.engine.profile import MODES, aliased_options, load_profile
from codecctl.engine.profile.aliases import BRANCH_ALIASES, canonical_key
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.schema import Profile, SpectralProfile
from codecctl.engine.profile.shape import shape_of
from codecctl.errors import ProfileError

PAGE = (Path(__file__).parents[1] / "docs" / "modes.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    codecctl (train [^\n#]+)", PAGE, re.MULTILINE)
PROFILES = (
    *("baseline-1ch", "baseline-32ch", "mono", "paired", "paired-bounded"),
    *("spectral-vae", "spectral-complex", "waveform-vae", "soundstream"),
)
OPTIONS = ("--run", "--resume", "--dry-run", "--from", "--stage")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_training_of_the_page_resolves(command: str) -> None:
    words = shlex.split(command)[1:]
    profile = "paired"
    if "--profile" in words:
        at = words.index("--profile")
        profile, words = words[at + 1], words[:at] + words[at + 2 :]
    words = [word for word in words if word not in (*OPTIONS, "NAME", "RUN", "adversarial")]
    chosen, overrides = aliased_options(words)
    resolved = load_profile(chosen or profile, overrides, search=(PACKAGED,))
    assert resolved.profile.mode in MODES


def test_the_page_has_commands_of_every_profile() -> None:
    assert len(COMMANDS) > 20
    for name in PROFILES:
        assert any(f"--profile {name}" in command for command in COMMANDS), name


def test_every_other_command_exists() -> None:
    group = typer.main.get_command(app)
    found = re.findall(r"codecctl ([a-z]+)(?: ([a-z]+))?", PAGE)
    assert len(found) > 30
    for name, inner in found:
        command = group.commands[name]  # type: ignore[attr-defined]  # it is a group
        if name not in ("train", "dashboard") and inner:
            assert inner in command.commands, (name, inner)


def test_every_key_in_code_style_is_one_of_the_tree() -> None:
    shapes = [shape_of(schema) for schema in (Profile, SpectralProfile)]
    leaves = {".".join(key) for shape in shapes for key in shape.leaves()}
    branches = {
        leaf.rsplit(".", depth)[0] for leaf in leaves for depth in range(1, leaf.count(".") + 1)
    }
    quoted = " ".join(re.findall(r"`([^`]+)`", PAGE))
    keys = set(re.findall(r"\b(?:data|model|trainer|datasets|pairwise)\.[a-z_0-9.]+", quoted))
    files = {key for key in keys if key.endswith((".md", ".py", ".jsonl"))}
    for key in keys - files - set(BRANCH_ALIASES):
        # Lists; the settings below try them.
        if not key.startswith(("model.discriminators.", "trainer.stages")):
            assert canonical_key(key) in leaves | branches, key


@pytest.mark.long
def test_every_setting_in_code_style_fits_a_profile() -> None:
    settings = set(re.findall(r"`([a-z_0-9.]+=[^\s`]+)`", PAGE))
    assert len(settings) > 15
    for setting in settings - {"data.split=NAME", "data.store=NAME"}:
        fits = []
        for name in PROFILES:
            with suppress(ProfileError):
                load_profile(name, [setting], search=(PACKAGED,))
                fits.append(name)
        assert fits, setting
