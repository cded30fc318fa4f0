"""Every key of every tree acts in every mode that has it, is refused, or has a test of its own.

Keys are walked, each with other values, in the first mode that has them. In another mode the very
same functions have to read a key, which is seen by watching them while jobs of that mode are
built; where other ones do, the key is walked in that mode, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import pytest
import torch

from codecctl.engine.origin import Origin
from codecctl.engine.prepare import prepare
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.keys import KeyFact, key_facts
from codecctl.engine.profile.library import PACKAGED, Library
from codecctl.engine.profile.schema import MODES
from codecctl.engine.session import Session
from codecctl.errors import ProfileError

from .key_proofs import BEFORE, ELSEWHERE, ELSEWHERE_IN, EXPORTED, IDLE, WAITING, WITHOUT_CODES
from .key_readers import Readers, watched
from .key_scenes import MOVED, SCENES, Scene
from .key_stores import write_stores
from .key_variants import MOVED_ELSEWHERE, VARIANTS
from .key_walk import Walk, stands_in, tree_of

pytestmark = pytest.mark.long


TESTS = Path(__file__).parent
ORDER = ("paired", "baseline", "soundstream", "spectral", "mono")
"""Modes that share builders; networks are walked in the first one that has them."""
OF_A_MODE = ("array_measures", "balancer", "discriminator", "ema", "order", "previews", "stages")
"""Tables of `trainer.` that each recipe uses in its own way, beside the weights of terms; others,
as all of `data.`, are read by what knows no mode, and are walked once for each kind of tree."""


@cache
def key_list() -> list[KeyFact]:
    return key_facts()


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


@pytest.fixture(scope="module")
def seen(walk: Walk) -> Callable[[str], Readers]:
    """What reads the keys of a mode while its scenes are built."""

    @cache
    def of(mode: str) -> Readers:
        readers = Readers()
        for scene in _scenes(mode):
            walk.watch(scene, readers)
        for scene in (*MOVED.get(mode, ()), *MOVED_ELSEWHERE.get(mode, ())):
            walk.watch(scene, readers, moving=True)
        return readers

    return of


@pytest.fixture(scope="module")
def jobs(walk: Walk) -> Callable[[str], Readers]:
    """What reads the keys of a mode in a whole training of one update."""

    @cache
    def of(mode: str) -> Readers:
        scene = SCENES[mode][0]
        changes = (*scene.overrides, "trainer.fast_dev_run=true", "trainer.profile=true")
        resolved = load_profile(scene.profile, [*changes, "trainer.logger=jsonl"])
        readers = Readers()
        walk.forget()
        with pytest.MonkeyPatch.context() as monkeypatch, watched(readers, monkeypatch):
            prepared = prepare(resolved.profile, walk.source(resolved.profile))
            session = Session(
                prepared,
                Path(f"job-{mode}").absolute(),
                origin=Origin("", resolved, ()),
                tell=print,
                on_phase=print,
            )
            assert session.train(lambda _: None).step == 1
        walk.forget()
        return readers

    return of


@pytest.mark.parametrize("mode", sorted(MODES))
def test_a_key_acts_is_refused_or_is_listed(walk: Walk, mode: str) -> None:
    facts = [
        fact
        for fact in key_list()
        if mode in fact.modes and fact.label not in ELSEWHERE and not _moves(fact)
        if _of_a_mode(fact) or mode == _first(fact)
        if not _is_idle(fact.label, mode)
    ]
    found = silent(walk, facts, _scenes(mode))
    assert not found


@pytest.mark.parametrize("mode", sorted(MODES))
def test_the_same_functions_read_a_key_in_every_other_mode_or_it_acts(
    walk: Walk, seen: Callable[[str], Readers], mode: str
) -> None:
    """What reads a key where it was walked reads it here: one implementation, one proof."""
    others: list[KeyFact] = []
    for fact in _here(mode):
        walked = seen("soundstream" if _moves(fact) else _first(fact))
        if not _read_alike(fact.label, walked, seen(mode)):
            others.append(fact)
    assert len(others) < 25, "all would be walked: the functions are not seen"
    moving = [fact for fact in others if _moves(fact)]
    found = silent(walk, [fact for fact in others if not _moves(fact)], _scenes(mode))
    found |= silent(walk, moving, MOVED_ELSEWHERE.get(mode, ()), moving=True)
    assert not found


@pytest.mark.filterwarnings("ignore")  # torch's own, of its compiler
@pytest.mark.parametrize("mode", sorted(MODES))
def test_the_same_functions_read_what_a_test_of_one_mode_proves(
    walk: Walk, jobs: Callable[[str], Readers], mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short trainings, as what a whole job does with a key is not to be seen in what it is of."""
    facts = [
        fact
        for fact in key_list()
        if mode in fact.modes and fact.label in ELSEWHERE
        if fact.label not in (*BEFORE, *EXPORTED, *ELSEWHERE_IN)
    ]
    assert len(facts) > 5
    others = [fact for fact in facts if not _read_alike(fact.label, jobs("paired"), jobs(mode))]
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    found = silent(walk, others, _scenes(mode))
    torch.compiler.reset()
    assert not found


@pytest.mark.parametrize("mode", sorted(MOVED))
def test_an_argument_of_any_optimizer_or_schedule_acts(walk: Walk, mode: str) -> None:
    facts = [fact for fact in key_list() if mode in fact.modes and _moves(fact)]
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
        for fact in key_list():
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
    assert label in {fact.label for fact in key_list()}, "take it out of tests/key_proofs.py"


def silent(
    walk: Walk, facts: list[KeyFact], scenes: tuple[Scene, ...], *, moving: bool = False
) -> dict[str, str]:
    """Keys that do nothing in any scene that has them, and why; also those that stand in none."""
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
            reasons = [f"{where}: {why}" for where, why in told.items()]
            found[fact.label] = "; ".join(reasons) or "it stands in no scene"
    return found


def _scenes(mode: str) -> tuple[Scene, ...]:
    return (*SCENES[mode], *VARIANTS[mode])


def _here(mode: str) -> Iterator[KeyFact]:
    """Keys of a mode that the other tests have not walked in it."""
    for fact in key_list():
        if mode not in fact.modes or fact.label in ELSEWHERE or _is_idle(fact.label, mode):
            continue
        if any((mode, part) in WITHOUT_CODES for part in _parts(fact)):
            continue
        if mode not in MOVED if _moves(fact) else not _of_a_mode(fact) and mode != _first(fact):
            yield fact


def _parts(fact: KeyFact) -> list[str]:
    """Quantizers that have a key, as an override names them."""
    kinds = [kind for place, kind in fact.variants if place == ("model", "quantizer")]
    return [given for _, given in WITHOUT_CODES if any(f'"{kind}"' in given for kind in kinds)]


def _read_alike(label: str, proven: Readers, here: Readers) -> bool:
    return bool(proven.of(label)) and proven.of(label) <= here.of(label)


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


def _is_idle(label: str, mode: str) -> bool:
    """Whether a key waits for something that the mode refuses, which it says."""
    if (mode, label) in WAITING:
        return True
    return any(label.startswith(start) and _refuses(mode, given) for start, given in IDLE.items())


@cache
def _refuses(mode: str, override: str) -> bool:
    scene = SCENES[mode][0]
    try:
        load_profile(scene.profile, [*scene.overrides, override])
    except ProfileError:
        return True
    return False
