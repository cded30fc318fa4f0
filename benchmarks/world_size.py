"""One global batch on 1, 2 and 4 gloo processes and in micro-batches: how far the weights differ.

    .venv/bin/python benchmarks/world_size.py [CASE[=N:PARTS] ...]    prints the table

Exit code 1 where a difference is above its bound. All trainings are forked from a process that has
loaded torch and computes nothing.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from world_size_cases import CASES, FRAMES, IN_PARTS, STEPS, TINY, needs_deepspeed

from codecctl.ending import leaving_at_once
from codecctl.engine.build import build_recipe
from codecctl.engine.build_lossless import build_lossless_recipe
from codecctl.engine.build_stages import staged_recipe
from codecctl.engine.prepare import cadence_of
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.quantizers import Ranks, ResidualVectorQuantizer
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.staged import StagedRecipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.sharding import gathered
from codecctl.engine.task import WHOLE, Task
from codecctl.engine.topology import Node, find_place

CODEBOOKS = "codebooks"
"""A case of its own: float32 codebooks that code the same latents, as of a frozen encoder."""
CODEBOOK_STEPS = 200
EVERY_CASE = (*CASES, *IN_PARTS, CODEBOOKS)
SPLITS = ((2, 1), (4, 1), (2, 2))
"""Processes, and parts that each of them trains its rows in."""


@dataclass(frozen=True)
class Gap:
    """A line of the table."""

    what: str
    processes: int
    parts: int
    found: float
    bound: float

    @property
    def held(self) -> bool:
        """Whether the difference is within its bound."""
        return self.found <= self.bound

    def text(self) -> str:
        """The line."""
        word = "held" if self.held else "MISSED"
        numbers = f"{self.processes} | {self.parts} | {self.found:.1e} | {self.bound:g}"
        return f"| {self.what} | {numbers} | {word} |"


def batch(capsules: int, seed: int, *, frames: int = 1200) -> Tensor:
    """Four items, each twice as loud as the one before."""
    generator = torch.Generator().manual_seed(seed)
    loud = 0.05 * 2.0 ** torch.arange(4, dtype=torch.float64).reshape(-1, 1, 1)
    audio = loud * torch.randn(4, capsules, frames, generator=generator, dtype=torch.float64)
    return audio.clamp(-1.0, 0.99)


def train(case: str, parts: int, group: ProcessGroup | None) -> dict[str, Tensor]:
    """Weights of all networks after `STEPS` updates."""
    in_parts = case in IN_PARTS
    name, capsules, overrides = IN_PARTS[case] if in_parts else CASES[case]
    given = overrides if in_parts else (*TINY, *overrides)
    profile = load_profile(name, [*given, f"trainer.accumulate_grad_batches={parts}"]).profile
    strategy = case.partition("-")[0] if in_parts else "auto"
    narrow = needs_deepspeed(case)
    precision = "32-true" if narrow else "64-true"
    runtime = FabricRuntime(0, precision=precision, group=group, strategy=strategy)
    recipe, frames = built(profile, runtime), FRAMES.get(case, 1200)

    def items(seed: int) -> Tensor:
        items = batch(capsules, seed, frames=frames)
        return items.float() if narrow else items

    with runtime.whole(recipe.modules().values()):
        recipe.initialize(items(100 + index) for index in range(100))
    for step in range(STEPS):
        if isinstance(recipe, StagedRecipe) and step == STEPS // 2:
            recipe.enter(1)
        recipe.train_step(items(step).chunk(runtime.world_size)[runtime.rank], step)
    return {
        f"{role}.{key}": value
        for role, network in recipe.modules().items()
        for key, value in gathered(dict(network.state_dict())).items()
    }


def built(profile: Profile | LosslessProfile, runtime: FabricRuntime) -> Recipe:
    """The recipe of a profile, with stages or without."""
    if isinstance(profile, LosslessProfile):
        return build_lossless_recipe(profile, runtime=runtime, updates_per_epoch=10)
    codec = profile

    def of_stage(profile: Profile, task: Task) -> Recipe:
        return build_recipe(profile, runtime=runtime, updates_per_epoch=10, task=task)

    stages = cadence_of(codec).stages
    return staged_recipe(codec, stages, of_stage) if stages else of_stage(codec, WHOLE)


def code(group: ProcessGroup | None) -> dict[str, Tensor]:
    """Codebooks after `CODEBOOK_STEPS` updates on latents that stand fixed."""
    runtime = FabricRuntime(0, group=group)
    ranks = Ranks(runtime.rank, runtime.world_size, runtime.all_reduce_)
    quantizer = ResidualVectorQuantizer(
        dim=8,
        num_codebooks=2,
        codebook_size=32,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=10,
        dead_threshold=2.0,
        ema="correct",
    )
    quantizer.initialize(latents(1000).transpose(1, 2).flatten(0, 1), generator_at(0, 0))
    for step in range(CODEBOOK_STEPS):
        quantizer(latents(step).chunk(runtime.world_size)[runtime.rank])
        quantizer.update(generator_at(1, step), ranks=ranks)
    return {"codebooks": quantizer.codebooks}


def latents(step: int) -> Tensor:
    """Four items of 64 frames around 40 centers, of which the last ones come late."""
    centers = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    generator = generator_at(2, step)
    known = 20 if step < CODEBOOK_STEPS // 2 else 40
    chosen = centers[torch.randint(known, (4, 64), generator=generator)]
    return (chosen + 0.1 * torch.randn(4, 64, 8, generator=generator)).transpose(1, 2)


def generator_at(stream: int, step: int) -> torch.Generator:
    """Random numbers of their own for each stream and step."""
    return torch.Generator().manual_seed(1000 * step + stream)


def alone(case: str, folder: Path) -> dict[str, Tensor]:
    """What one process ends with that has the whole of each batch."""
    return _trained(case, folder / f"{case}.pt", 1, [{}])


def together(case: str, world_size: int, folder: Path, *, parts: int = 1) -> dict[str, Tensor]:
    """What the first of so many processes ends with."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # not said to be exported

    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    node = Node(processes=world_size, port=store.port)
    shared = {"GLOO_SOCKET_IFNAME": "lo", "TORCHELASTIC_USE_AGENT_STORE": "True"}
    places = [{**shared, **node.variables(rank)} for rank in range(world_size)]
    return _trained(case, folder / f"{case}-{world_size}-{parts}.pt", parts, places)


def _trained(
    case: str, out: Path, parts: int, places: Sequence[Mapping[str, str]]
) -> dict[str, Tensor]:
    context = multiprocessing.get_context("fork")
    ranks = [context.Process(target=_rank, args=(case, out, parts, place)) for place in places]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join(300)
    codes = [rank.exitcode for rank in ranks]
    assert codes == [0] * len(ranks), codes
    weights: dict[str, Tensor] = torch.load(out, weights_only=True)
    return weights


def largest_difference(left: dict[str, Tensor], right: dict[str, Tensor]) -> float:
    """Between two sets of weights."""
    return max(float((left[name] - right[name]).abs().max()) for name in left)


def _rank(case: str, out: Path, parts: int, variables: Mapping[str, str]) -> None:
    """One process, placed by torch's variables; by none where it is alone."""
    os.environ.update(variables)
    with leaving_at_once():
        if not variables:
            torch.save(_weights(case, parts, None), out)
            return
        place = find_place(os.environ)
        assert place is not None
        with ProcessGroup(place) as group:
            weights = _weights(case, parts, group)
            if not group.rank:
                torch.save(weights, out)


def _weights(case: str, parts: int, group: ProcessGroup | None) -> dict[str, Tensor]:
    return code(group) if case == CODEBOOKS else train(case, parts, group)


def gaps(case: str, folder: Path, splits: Sequence[tuple[int, int]]) -> Iterator[Gap]:
    """How far each split of the batch ends from one process with the whole of it."""
    single = alone(case, folder)
    if case == CODEBOOKS:
        for world_size in dict.fromkeys(world_size for world_size, _ in splits):
            found = largest_difference(single, together(case, world_size, folder))
            what = f"codebooks, {CODEBOOK_STEPS} steps, float32"
            yield Gap(what, world_size, 1, found, bound=1e-6)
        return
    for world_size, parts in splits:
        found = largest_difference(single, together(case, world_size, folder, parts=parts))
        numbers, bound = ("float32", 1e-5) if needs_deepspeed(case) else ("float64", 1e-9)
        yield Gap(f"{case}, {STEPS} steps, {numbers}", world_size, parts, found, bound=bound)


def _wanted(text: str) -> tuple[str, Sequence[tuple[int, int]]]:
    """A case, and its splits."""
    case, _, split = text.partition("=")
    if case not in EVERY_CASE:
        raise argparse.ArgumentTypeError(f"found {case}, allowed: {', '.join(EVERY_CASE)}")
    processes, _, parts = split.partition(":")
    return case, [(int(processes), int(parts or 1))] if split else SPLITS


def main() -> None:
    """Print one line for each case, number of processes and number of parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", type=_wanted, metavar="CASE[=N:PARTS]")
    given = parser.parse_args().cases or [(case, SPLITS) for case in EVERY_CASE]
    torch.set_num_threads(1)
    print("| case | processes | parts | largest difference of a weight | bound | |")
    print("|---|---|---|---|---|---|")
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        for case, splits in given:
            if needs_deepspeed(case) and not find_spec("deepspeed"):
                print(f"| {case} | | | | | the package deepspeed is not installed |")
                continue
            for gap in gaps(case, Path(folder), splits):
                print(gap.text(), flush=True)
                missed |= not gap.held
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
