"""Seconds that the checkpoint of a full-size training takes, against the 30 s that a job has.

    .venv/bin/python -m benchmarks.save_time [PROFILE...] [--folder DIR] [--times 3]

Networks, discriminators and averages are those of the profile; moments are filled with numbers as
after an update, so that the state is as large as it gets. Each save is whole: finite values are
checked, files written, synced and hashed, the folder renamed. Exit code 1 where one takes longer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from codecctl.engine.build import build_recipe
from codecctl.engine.checkpoint import Identity, load_state, save_checkpoint
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.delegate import Delegate
from codecctl.engine.runtime import FabricRuntime

PROFILES = ("soundstream", "waveform-vae", "spectral-vae")
"""The largest: all networks with their moments."""
LIMIT_SECONDS = 30.0
"""Between the signal of a scheduler and its patience's end."""


def fill_moments(recipe: Recipe) -> None:
    """Make the moments of all optimizers, by a step of gradients that are small random numbers."""
    inner = recipe.innermost if isinstance(recipe, Delegate) else recipe
    codec = getattr(inner, "_codec", inner)
    players = [codec._generator]
    if codec._adversary is not None:
        players.append(codec._adversary.player)
    torch.manual_seed(0)
    for player in players:
        for weight in player.network.parameters():
            weight.grad = 1e-3 * torch.randn_like(weight)
        player._optimizer.step()
        player.forget()


def measured(profile: str, folder: Path, *, times: int) -> tuple[float, float, float]:
    """Megabytes of a checkpoint, and the longest and the mean time of a save, in seconds."""
    resolved = load_profile(profile, ["trainer.num_gpus=0", "trainer.stages=[]"]).profile
    recipe = build_recipe(resolved, runtime=FabricRuntime(0), updates_per_epoch=1000)  # type: ignore[arg-type]
    fill_moments(recipe)
    seconds: list[float] = []
    for step in range(1, times + 1):
        began = time.perf_counter()
        networks = recipe.modules()
        path = save_checkpoint(
            folder,
            {"recipe": recipe.state_dict()},
            generator=networks["generator"],
            average=networks.get("average"),
            identity=Identity(resolved.mode, "", ""),
            step=step,
            epoch=1,
            metrics={},
        )
        seconds.append(time.perf_counter() - began)
    assert isinstance(load_state(path)["recipe"], dict)
    size = sum(file.stat().st_size for file in path.iterdir())
    return size / 1e6, max(seconds), sum(seconds) / times


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profiles", nargs="*", default=PROFILES)
    parser.add_argument("--folder", type=Path, help="on the file system that counts")
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args(arguments)
    print(f"{os.cpu_count()} cores, {torch.get_num_threads()} threads")
    print("| profile | checkpoint, MB | longest, s | mean, s | limit, s | |")
    print("|---|---|---|---|---|---|")
    late = False
    for profile in given.profiles:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            size, longest, mean = measured(profile, Path(folder), times=given.times)
        held = longest <= LIMIT_SECONDS
        late |= not held
        word = "held" if held else "MISSED"
        print(
            f"| {profile} | {size:.0f} | {longest:.1f} | {mean:.1f} | {LIMIT_SECONDS:g} | {word} |",
            flush=True,
        )
    sys.exit(int(late))


if __name__ == "__main__":
    main()
