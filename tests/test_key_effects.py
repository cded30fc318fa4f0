"""Every key of the codecs changes what a small training does, or is listed with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from codecctl.engine.profile import load_profile
from codecctl.engine.profile.keys import KeyFact, key_facts
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.schema import Profile
from codecctl.engine.profile.shape import EVERY, Shape, shape_of
from codecctl.errors import CodecctlError

from .key_proofs import NOT_SEEN
from .key_traces import SMALL, planned, trained, write_stores

pytestmark = pytest.mark.long

OWN_TESTS = ("optimizer", "scheduler", "stages")
"""Tables with tests of their own for each key: test_optimizers, test_schedules, test_stages."""
FACTS = {
    fact.label: fact
    for fact in key_facts()
    if "paired" in fact.modes and not any(part in OWN_TESTS for part in fact.key)
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    write_stores(folder)
    return folder


@pytest.mark.parametrize("label", sorted(set(FACTS) - set(NOT_SEEN)))
def test_a_key_acts_or_is_refused(label: str, stores: Path) -> None:
    fact = FACTS[label]
    given = SMALL
    before = load_profile("paired", given, search=(PACKAGED,)).profile.model_dump(mode="json")
    here = next(fact.values_in(before), None)
    key = ".".join("0" if part == EVERY else part for part in fact.key)
    seen = []
    for other in _others(here, fact, before):
        changed = (*given, f"{key}={other}")
        try:
            if planned("paired", changed) != planned("paired", given):
                return
            if trained("paired", changed, stores) != trained("paired", given, stores):
                return
        except CodecctlError as error:
            seen.append(f"{other}: {error}")
            continue
        seen.append(f"{other}: nothing differs")
    pytest.fail(
        f"{label} = {here}: {'; '.join(seen) or 'no other value is known'}. A key without effect "
        "is a bug; where the effect is not in plans, weights or validation of this small "
        "training, say in NOT_SEEN of tests/key_proofs.py where it is"
    )


def test_no_entry_is_left_of_a_key_that_is_gone() -> None:
    assert set(NOT_SEEN) <= set(FACTS), "take it out of tests/key_proofs.py"


def _others(here: object, fact: KeyFact, tree: object) -> Iterator[str]:
    """Other values that the key allows, as an override writes them."""
    if isinstance(here, bool):
        yield json.dumps(not here)
    elif isinstance(here, int):
        yield from (str(here + 1), str(2 * here), str(max(0, here - 1)))
    elif isinstance(here, float):
        yield from (repr(here * 0.5), repr(here * 2 + 0.1), repr(here + 0.01))
    elif isinstance(here, list):
        yield from (json.dumps(each) for each in (here[:-1], [*here, *here[-1:]], here[::-1]))
        if all(isinstance(value, (int, float)) for value in here):
            yield json.dumps([value * 2 for value in here])
            yield json.dumps([value * 0.5 for value in here])
    else:
        shape: Shape | None = shape_of(Profile).at(fact.key, tree)
        words = shape.words if shape else ()
        yield from (word for word in words if word != here)
