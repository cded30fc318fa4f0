"""docs/losses.md names every term and measure, and nothing else."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from codecctl.engine.build import term_weights
from codecctl.engine.metrics import EVAL_LOSSES
from codecctl.engine.profile import aliased_options, load_profile
from codecctl.engine.profile.library import PACKAGED

PAGE = (Path(__file__).parents[1] / "docs" / "losses.md").read_text(encoding="utf-8")


def test_every_term_stands_in_the_table_of_its_group() -> None:
    losses = load_profile("spectral-vae").profile.trainer.loss_config
    groups = {name: set(group.weights.model_dump()) for name, group in losses}
    found: dict[str, set[str]] = {}
    for group, terms in re.findall(r"^\| `(\w+)` \| (`[^|]+`) \|", PAGE, re.MULTILINE):
        if group in groups:
            found.setdefault(group, set()).update(re.findall(r"`(\w+)`", terms))
    assert found == groups
    assert set(term_weights(losses)) <= set().union(*groups.values())


def test_every_measure_stands_there() -> None:
    measures = PAGE.partition("## Measures")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", measures, re.MULTILINE)) == set(EVAL_LOSSES)


@pytest.mark.parametrize("command", re.findall(r"^    codecctl train (.+)", PAGE, re.MULTILINE))
def test_every_command_resolves(command: str) -> None:
    words = shlex.split(command)
    assert words[0] == "--profile"
    _, overrides = aliased_options(words[2:])
    load_profile(words[1], overrides, search=(PACKAGED,))
