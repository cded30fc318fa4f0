"""What a job of a profile is built of, and what becomes of it when one key says something else."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import nn

from codecctl.datasets.choose import choose_store
from codecctl.datasets.store import AudioSource
from codecctl.engine import build
from codecctl.engine.alarms import codes_of
from codecctl.engine.assemble import enter, parts_of
from codecctl.engine.build_objective import build_metrics
from codecctl.engine.lease import Lease
from codecctl.engine.lossless_source import open_stream
from codecctl.engine.metrics import METRICS, WaveMetric
from codecctl.engine.need import need_of
from codecctl.engine.origin import Origin
from codecctl.engine.prepare import Prepared, prepare, tracker_settings
from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.profile.compose import Resolved
from codecctl.engine.profile.keys import KeyFact
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.schema import MODES, LosslessProfile
from codecctl.engine.profile.shape import EVERY, Key, content, shape_of
from codecctl.engine.profile.tree import Source, Tree
from codecctl.engine.profile.validate import validate
from codecctl.engine.recipes.adversary import Jury
from codecctl.engine.recipes.base import Recipe, Runtime
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.player import Player
from codecctl.engine.redraws import RedrawReport
from codecctl.engine.rundir import RunDirectory
from codecctl.engine.session import Session
from codecctl.engine.signals import StopSignals
from codecctl.engine.topology import plan_node
from codecctl.errors import CodecctlError

from .key_digest import Digest
from .key_readers import Readers, watched
from .key_scenes import Scene
from .key_values import other_values


class Walk:
    """Looks at what jobs are made of.

    Args:
        stores: Folder of the stores; the working directory.
        monkeypatch: Networks of the same layout are built once: they are never trained.
    """

    def __init__(self, stores: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._stores, self._monkeypatch = stores, monkeypatch
        self._run = RunDirectory.create(stores / "run")
        self._bases: dict[tuple[Scene, str], str] = {}
        self._networks: dict[str, tuple[CodecNetwork, Jury | None]] = {}
        self._known: dict[int, str] = {}
        self._metrics: dict[str, dict[str, WaveMetric]] = {}
        self._build_networks, self._build_metrics = build.build_networks, build_metrics
        monkeypatch.setattr(build, "build_networks", self._networks_once)
        monkeypatch.setattr(build, "build_metrics", self._metrics_once)
        # Built four times for a job, and the same for all.
        monkeypatch.setitem(METRICS, "mel", cache(METRICS["mel"]))
        # It looks for plugins in every installed distribution, for each runtime.
        monkeypatch.setattr("lightning_fabric.fabric._load_external_callbacks", lambda _group: [])

    def silence(self, fact: KeyFact, scene: Scene, *, moving: bool = False) -> str:
        """Why a key does nothing in a scene; "" where it acts or takes no other value.

        Args:
            fact: The key.
            scene: Where to look.
            moving: Look at optimizers and schedules alone.
        """
        built = self._movers if moving else self._built
        resolved = loaded(scene)
        tree = tree_of(scene)
        key, here = next(_places(tree, fact.key, (), dict(fact.variants)))
        shape = shape_of(MODES[resolved.profile.mode].schema).at(fact.key, tree)
        idle: list[str] = []
        for other in other_values(here, shape):
            if repr(other) == repr(here):
                continue
            try:
                changed = _changed(scene, key, other)
                if built(changed) != self._base(scene, built):
                    return ""
                idle.append(json.dumps(other))
            except CodecctlError as error:
                assert str(error).strip(), "a refusal says why"
        return f"nothing differs with {' or '.join(idle)}" if idle else ""

    def watch(self, scene: Scene, readers: Readers, *, moving: bool = False) -> None:
        """Note what reads the keys of a scene, all parts built anew unless optimizers alone."""
        if not moving:
            self.forget()
        profile = loaded(scene).profile
        with watched(readers, self._monkeypatch):
            (self._movers if moving else self._built)(profile)

    def forget(self) -> None:
        """Build networks and metrics anew from here on."""
        for known in (self._networks, self._metrics, self._known):
            known.clear()

    def _base(self, scene: Scene, built: Callable[[Profile], str]) -> str:
        if (scene, built.__name__) not in self._bases:
            self._bases[scene, built.__name__] = built(loaded(scene).profile)
        return self._bases[scene, built.__name__]

    def _built(self, profile: Profile) -> str:
        """The digest of a job that trains a profile."""
        trainer = profile.trainer
        prepared = prepare(profile, self.source(profile))
        digest = Digest(self._known)
        digest.add(_switches(prepared))
        digest.add(tracker_settings(profile, default="run"))
        nodes, gpus = trainer.num_nodes, trainer.num_gpus
        digest.add(plan_node({}, asked=0, num_gpus=gpus, num_nodes=nodes, gpus=0, portions=4))
        parts = parts_of(prepared, signals=StopSignals(), warn=print)
        digest.add(parts)
        batches = vars(parts.open_batches(0))
        ring = batches.pop("_ring")
        digest.add([batches, [(memory.shape, str(memory.dtype)) for memory in ring]])
        digest.add([prepared.data.train._draw(step, attempt=0) for step in (0, 1, 25)])
        digest.add(codes_of(profile))
        origin = Origin("", Resolved(profile, {}, (), ()), ())
        session = Session(prepared, self._run.path, origin=origin, tell=print, on_phase=print)
        desk = session._desk(self._run, cast("Lease", None), cast("RedrawReport", None), print)
        digest.add([desk.keep, desk.previews, desk.survey])
        return " ".join([digest.text(), *self._of_stages(prepared, lambda recipe: recipe)])

    def _movers(self, profile: Profile) -> str:
        """The digest of optimizers and schedules alone, stage by stage."""
        prepared = prepare(profile, self.source(profile))
        digest = Digest(self._known)
        digest.add(players(prepared.recipe))
        return " ".join([digest.text(), *self._of_stages(prepared, players)])

    def _of_stages(self, prepared: Prepared, part: Callable[[Recipe], object]) -> Iterator[str]:
        for stage in prepared.cadence.stages[1:]:
            enter(prepared.recipe, stage)
            digest = Digest(self._known, since=stage.first_step)
            digest.add(part(prepared.recipe))
            yield digest.text()

    def source(self, profile: Profile) -> AudioSource:
        """The audio of a scene."""
        if isinstance(profile, LosslessProfile):
            return open_stream(profile.data, self._stores, profile.data.store)
        return choose_store(self._stores, need_of(profile), profile.data.store)

    def _networks_once(self, profile: Profile) -> tuple[CodecNetwork, Jury | None]:
        settings = (profile.model, profile.data.rate, profile.trainer.seed, profile.trainer.compile)
        if repr(settings) not in self._networks:
            network, jury = self._build_networks(profile)
            self._networks[repr(settings)] = (network, jury)
            for inner in (
                network.autoencoder,
                network.quantizer,
                *(jury or nn.Module()).children(),
            ):
                self._learn(inner)
        built = self._networks[repr(settings)]
        for part in built:
            for module in part.modules() if part is not None else ():
                module._forward_hooks.clear()  # of the recipe before
        return built

    def _metrics_once(self, profile: Profile, runtime: Runtime) -> dict[str, WaveMetric]:
        settings = repr((profile.data.rate, profile.trainer.eval_loss_config))
        if settings not in self._metrics:
            self._metrics[settings] = self._build_metrics(profile, runtime)
            for metric in self._metrics[settings].values():
                self._learn(metric)
        return dict(self._metrics[settings])

    def _learn(self, value: object) -> None:
        """Digest once what is the same in many jobs."""
        digest = Digest()
        digest.add(value)
        self._known[id(value)] = digest.text()


@cache
def loaded(scene: Scene) -> Resolved:
    """The profile of a scene."""
    return load_profile(scene.profile, scene.overrides, search=(PACKAGED,))


@cache
def tree_of(scene: Scene) -> dict[str, object]:
    """The same as values; not to be changed."""
    return loaded(scene).profile.model_dump(mode="json")


def players(recipe: Recipe) -> list[Player]:
    """Networks with what moves them."""
    found: list[Player] = []
    for name in ("_recipe", "_codec", "_adversary", "_classifier", "_generator", "_player"):
        inner = vars(recipe).get(name)
        if isinstance(inner, Player):
            found.append(inner)
        elif inner is not None:
            found += players(inner)
    player = vars(recipe).get("player")
    return [*found, player] if isinstance(player, Player) else found


def _switches(prepared: Prepared) -> list[object]:
    """What is set for the whole process, and the precision."""
    return [
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.is_anomaly_enabled(),
        torch.backends.cudnn.benchmark,
        type(prepared.runtime._fabric._precision).__name__,
    ]


def stands_in(tree: object, fact: KeyFact) -> bool:
    """Whether a tree has a key."""
    return next(_places(tree, fact.key, (), dict(fact.variants)), None) is not None


def _changed(scene: Scene, key: Key, other: object) -> Profile:
    """The profile of a scene with another value at a key.

    Raises:
        CodecctlError: It is refused.
    """
    if key[0] == "defaults":
        override = f"{key[1]}={other}"
        return load_profile(scene.profile, [*scene.overrides, override], search=(PACKAGED,)).profile
    if key[-1] == "type":  # what the old variant knew has to go
        override = f"{'.'.join(key)}={other}"
        return load_profile(scene.profile, [*scene.overrides, override], search=(PACKAGED,)).profile
    mode = loaded(scene).profile.mode
    tree = Tree(shape_of(MODES[mode].schema), Source("scene"))
    tree.values = copy.deepcopy(tree_of(scene))
    table: object = tree.values
    for part in key[:-1]:
        table = content(table, part)
    assert isinstance(table, dict), key
    table[key[-1]] = other
    profile, findings = validate(tree, mode)
    if profile is None or findings:
        raise CodecctlError("; ".join(finding.what for finding in findings))
    return profile


def _places(
    tree: object, key: Key, done: Key, variants: Mapping[Key, str], at: Key = ()
) -> Iterator[tuple[Key, object]]:
    """Where a key stands in a tree, with what stands there; None where a table leaves it out."""
    if done in variants and content(tree, "type") != variants[done]:
        return
    if not key:
        yield at, tree
    elif key[0] == EVERY:
        for index, entry in enumerate(tree if isinstance(tree, list) else ()):
            inner = (*at, str(index))
            yield from _places(entry, key[1:], (*done, EVERY), variants, inner)
    elif isinstance(tree, Mapping) and (key[0] in tree or len(key) == 1):
        inner = (*at, key[0])
        yield from _places(tree.get(key[0]), key[1:], (*done, key[0]), variants, inner)
