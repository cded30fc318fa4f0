"""docs/trainer.md: its reference is that of the schema, its commands and settings work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.engine.profile import aliased_options, load_profile
from codecctl.engine.profile.aliases import KEY_ALIASES
from codecctl.engine.profile.keys import BEGIN, RENEW, key_facts, renewed
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.schedules import SCHEDULERS
from codecctl.errors import DataError

PATH = Path(__file__).parents[1] / "docs" / "trainer.md"
PAGE = PATH.read_text(encoding="utf-8")
WORDS = PAGE.partition(BEGIN)[0]
SCHEDULER = WORDS.partition("## Scheduler")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"^    codecctl train ([^\n#]+)", PAGE, re.MULTILINE)


def test_the_reference_is_that_of_the_schema() -> None:
    stale = renewed(PAGE, label="docs/trainer.md") != PAGE
    assert not stale, f"the page is not that of the schema; renew it with: {RENEW}"


def test_every_key_says_what_it_is_for() -> None:
    silent = [fact.label for fact in key_facts() if not fact.description]
    assert not silent, "give them a docstring in engine/profile/schema_*.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_training_of_the_page_resolves(command: str) -> None:
    words = shlex.split(command)
    assert words[0] == "--profile"
    chosen, overrides = aliased_options(words[2:])
    load_profile(chosen or words[1], overrides, search=(PACKAGED,))


def test_every_key_of_the_text_is_in_the_reference() -> None:
    keys = {".".join(part for part in fact.key) for fact in key_facts()}
    branches = {".".join(key.split(".")[:n]) for key in keys for n in range(1, key.count(".") + 1)}
    quoted = " ".join(re.findall(r"`([^`\n]+)`", WORDS))
    named = set(re.findall(r"\b(?:data|model|trainer)\.[a-z_0-9.]+", quoted))
    assert len(named) > 20
    elsewhere = {"trainer.trainer.", "data.train_dataloader.", "data.eval_dataloader."}
    elsewhere |= {"model.autoencoder.", *KEY_ALIASES}
    assert not named - keys - branches - elsewhere


def test_every_schedule_has_its_formula() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", SCHEDULER, re.MULTILINE)) - {"type"} == {
        *SCHEDULERS,
        "Plateau",
    }


def test_a_page_is_renewed_between_its_marks_only(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("above\n<!-- keys: begin -->\nstale text\n<!-- keys: end -->\nbelow\n")
    done = CliRunner().invoke(app, ["profile", "keys", "--into", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert text.startswith("above\n") and text.endswith("\nbelow\n") and "stale text" not in text
    assert "`trainer.seed`" in text
    page.write_text("no marks\n")
    done = CliRunner().invoke(app, ["profile", "keys", "--into", str(page)])
    assert page.read_text() == "no marks\n"
    assert isinstance(done.exception, DataError) and "found no lines" in str(done.exception)


def test_keys_are_told_in_the_terminal_and_as_json() -> None:
    told = CliRunner().invoke(app, ["profile", "keys"])
    assert "trainer.seed: a whole number at least 0. Of initialization" in told.stdout
    told = CliRunner().invoke(app, ["profile", "keys", "--json"])
    assert '"trainer.seed"' in told.stdout
