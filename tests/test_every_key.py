"""Every key of every tree changes what a job is made of, is refused, or has a test of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch

from codecctl.engine.profile import load_profile
from codecctl.engine.profile.keys import KeyFact, key_facts
from codecctl.engine.profile.library import PACKAGED, Library
from codecctl.engine.profile.schema import MODES
from codecctl.errors import ProfileError

from .key_proofs import ELSEWHERE, IDLE, WAITING
from .key_scenes import MOVED, SCENES, Scene
from .key_stores import write_stores
from .key_walk import Walk, stands_in, tree_of

pytestmark = pytest.mark.long


TESTS = Path(__file__).parent
FACTS = key_facts()
ORDER = ("paired", "baseline", "soundstream", "spectral", "mono")
"""Modes that share builders; networks are walked in the first one that has them."""
OF_A_MODE = ("array_measures", "balancer", "discriminator", "ema", "order", "previews", "stages")
"""Tables of `trainer.` that each recipe uses in its own way, beside the weights of terms; others,
as all of `data.`, are read by what knows no mode, and are walked once for each kind of tree."""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("stores")
    write_stores(folder)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        monkeypatch.setitem(os.environ, "CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        yield Walk(folder, monkeypatch)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    torch.autograd.set_detect_anomaly(False)
    torch.backends.cudnn.benchmark = False


@pytest.mark.parametrize("mode", sorted(MODES))
def test_a_key_acts_is_refused_or_is_listed(walk: Walk, mode: str) -> None:
    facts = [
        fact
        for fact in FACTS
        if mode in fact.modes and fact.label not in ELSEWHERE and not _moves(fact)
        if _of_a_mode(fact) or mode == _first(fact)
        if not _is_idle(fact.label, mode)
    ]
    found = silent(walk, facts, SCENES[mode])
    assert not found


@pytest.mark.parametrize("mode", sorted(MOVED))
def test_an_argument_of_any_optimizer_or_schedule_acts(walk: Walk, mode: str) -> None:
    facts = [fact for fact in FACTS if mode in fact.modes and _moves(fact)]
    found = silent(walk, facts, MOVED[mode], moving=True)
    without = {fact.label for fact in facts if "ithout influence here" in fact.description}
    assert {label.rpartition("[")[2] for label in without} == {
        "Constant].enabled",
        "Constant].interval",
    }
    assert set(found) <= without, found


def test_each_profile_that_ships_has_the_keys_that_are_walked() -> None:
    for name in Library((PACKAGED,)).names():
        profile = load_profile(name, search=(PACKAGED,)).profile
        tree = profile.model_dump(mode="json")
        scenes = (*SCENES[profile.mode], *MOVED.get(profile.mode, MOVED["soundstream"]))
        for fact in FACTS:
            if profile.mode in fact.modes and stands_in(tree, fact):
                there = any(stands_in(tree_of(s), fact) for s in scenes)
                assert there, (name, fact.label)


@pytest.mark.parametrize(("label", "node"), sorted(ELSEWHERE.items()))
def test_a_key_that_is_listed_has_the_test_that_is_named(label: str, node: str) -> None:
    file, _, test = node.partition("::")
    text = (TESTS / file).read_text(encoding="utf-8")
    assert f"def {test}(" in text
    key = label.rpartition(".")[2]
    assert key in text, f"{file} does not name {label}"
    assert label in {fact.label for fact in FACTS}, "take it out of tests/key_proofs.py"


def silent(
    walk: Walk, facts: list[KeyFact], scenes: tuple[Scene, ...], *, moving: bool = False
) -> dict[str, str]:
    """Keys that do nothing in any scene that has them, and why; others stand in no scene."""
    found: dict[str, str] = {}
    for fact in facts:
        told: dict[str, str] = {}
        for number, scene in enumerate(scenes):
            if not stands_in(tree_of(scene), fact):
                continue
            why = walk.silence(fact, scene, moving=moving)
            if not why:
                break
            told[f"{scene.profile} {number}"] = why
        else:
            if told or fact.key[0] != "trainer":
                found[fact.label] = "; ".join(f"{where}: {why}" for where, why in told.items())
    return found


def _moves(fact: KeyFact) -> bool:
    return "optimizer" in fact.key or "scheduler" in fact.key


def _of_a_mode(fact: KeyFact) -> bool:
    if fact.key[0] != "trainer":
        return False
    return fact.key[1] in OF_A_MODE or {"loss_config", "weights"} <= set(fact.key)


def _first(fact: KeyFact) -> str:
    """The first mode that has a key in a scene."""
    modes = [mode for mode in (*ORDER, "lossless") if mode in fact.modes]
    having = [m for m in modes if any(stands_in(tree_of(s), fact) for s in SCENES[m])]
    return having[0] if having else modes[0]


@cache
def _is_idle(label: str, mode: str) -> bool:
    """Whether a key waits for something that the mode refuses, which it says."""
    if (mode, label) in WAITING:
        return True
    override = next((given for start, given in IDLE.items() if label.startswith(start)), "")
    scene = SCENES[mode][0]
    try:
        load_profile(scene.profile, [*scene.overrides, override or "trainer.seed=1"])
    except ProfileError:
        return True
    return False
