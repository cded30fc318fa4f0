"""Kill trainings at random moments, resume them, and compare with trainings that nobody disturbed.

    python -m benchmarks.soak.training_kills [--kills 20] [--seed 0] [--profiles A,B] [--fixed]

Tiny trainings of the codec profiles, with averaged weights, adaptive weights, dropout of codebooks
and portions among them: 12 updates with a warm-up, discriminators from the fifth, a checkpoint
after every second, validation and previews; soundstream hands over to its second stage after the
sixth. SIGKILL comes from within, so that a moment can be
named: after an update, at a byte of a checkpoint, before or after a rename, before a row of the
validation, before a file of a preview. `codecctl train --resume` then has to end with the rows,
fixed items, weights, averages, optimizers, codebooks, balancer and previews of the undisturbed
training, to the last bit. `--fixed` is the sample of the test suite, over five profiles.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.soak.moments import KINDS, WHERE, Moments
from codecctl.engine import session
from codecctl.engine.profile import load_profile
from codecctl.engine.rundir import read_metrics, read_rows
from tests.e2e.training import NARROW, TINY, assert_equal_runs, write_store

STEPS = 12
BOOKS = "model.quantizer.codebook_size=8"
EVERY = (
    *(word for word in TINY[2:] if word not in (BOOKS, *NARROW)),
    f"trainer.max_steps={STEPS}",
    "trainer.discriminator.scheduler.enabled=true",
    "trainer.discriminator.start.step=4",
    "trainer.val_every_n_steps=5",
    "trainer.save_every_n_steps=2",
    "trainer.keep_last=2",
    "trainer.logger=jsonl",
)
WARM = (
    *NARROW,
    "trainer.scheduler.config.warmup_epochs=0.8",  # four updates
    "trainer.discriminator.scheduler.config.warmup_epochs=0.8",
)
"""All but soundstream, which has discriminators of its own."""
AVERAGED = ("trainer.ema.enabled=true", "trainer.ema.decay=0.5")
ADAPTIVE = tuple(
    f"trainer.loss_config.pairwise.{term}.config.weighting=gradient_share"
    for term in ("similarity", "diversity")
)
PROFILES: dict[str, tuple[str, ...]] = {
    "baseline-1ch": (*WARM, *AVERAGED),
    "baseline-32ch": (
        *WARM,
        "data.capsules.count=3",
        "model.generator.channels=3",
        "trainer.accumulate_grad_batches=2",
    ),
    "mono": (*WARM, BOOKS, "model.quantizer.dropout=true"),
    "paired": (*WARM, BOOKS, *ADAPTIVE, *AVERAGED),
    "paired-bounded": (*WARM, BOOKS),
    "soundstream": (
        BOOKS,
        "trainer.scheduler.config.warmup_steps=4",
        "data.segment_seconds=0.25",
        "data.min_source_seconds=0.25",
        "model.discriminators.0.num_filters=8",
        "model.quantizer.num_codebooks=2",
        "model.quantizer.bandwidths=[0.3]",
        "model.discriminators.1.factors=[1]",
        *(f"trainer.stages.{index}.length={{steps=6}}" for index in range(2)),
    ),
}
FIXED = tuple(name for name in PROFILES if name != "soundstream")
"""Of the test suite, which kills staged trainings elsewhere."""
DRAWN = ("baseline-1ch", "baseline-32ch", "mono", "paired", "soundstream")
CHANGES = (
    (),
    ("data.prefetch_batches=1",),
    ("data.prefetch_batches=5", "data.io_threads=2"),
    ("data.check_reads=true", "data.io_threads=3"),
)
"""What a resumed training may do otherwise."""


@dataclass(frozen=True)
class Kill:
    """One killed training and what became of it."""

    profile: str
    kind: str
    number: int
    of: int
    step: int
    """The last one with a row when it died."""
    resumed: int
    """The step that the next job began at."""
    changes: tuple[str, ...]

    def line(self) -> str:
        """A row of the table."""
        moment = f"{WHERE[self.kind]} {self.number:,} of {self.of:,}"
        changed = ", ".join(word.partition(".")[2] for word in self.changes) or "nothing"
        return f"| {self.profile} | {moment} | {self.step} | {self.resumed} | {changed} | equal |"


def main() -> None:
    """Kill, resume, compare; an AssertionError ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fixed", action="store_true")
    parser.add_argument("--profiles", default=",".join(DRAWN), help="of the drawn kills")
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.fsync = _no_sync  # type: ignore[assignment]  # a killed process loses nothing unsynced
    home = Path(tempfile.mkdtemp(prefix="training-kills-"))
    generator = random.Random(options.seed)
    profiles = FIXED if options.fixed else options.profiles.split(",")
    try:
        write_store(home / "stores" / "noise")
        for profile in profiles:
            load_profile(
                profile
            )  # the shape of its tree is worked out here once, not by every child
        counts = {profile: undisturbed(home, profile) for profile in profiles}
        plan = _fixed(counts) if options.fixed else _drawn(counts, options.kills, generator)
        print("| profile | killed | at step | resumed from | changed at resume | outcome |")
        print("|---|---|---|---|---|---|")
        for profile, kind, number in plan:
            changes = generator.choice(CHANGES)
            kill = one_kill(home, profile, kind, number, of=counts[profile][kind], changes=changes)
            print(kill.line(), flush=True)
    finally:
        shutil.rmtree(home)
    print(f"{len(plan)} kills, seed {options.seed}: every resumed training equals the undisturbed")


def undisturbed(home: Path, profile: str) -> dict[str, int]:
    """Train a profile to its end; how many moments of each kind there are."""
    moments, counted = Moments(), home / f"{profile}.txt"

    def work() -> None:
        moments.watch()
        try:
            _train(home, profile, f"{profile}-whole")
        finally:
            counted.write_text(" ".join(str(moments.counts[kind]) for kind in KINDS))

    status = _in_child(home / f"{profile}.log", work)
    assert status == 0, (home / f"{profile}.log").read_text()
    return dict(zip(KINDS, map(int, counted.read_text().split()), strict=True))


def one_kill(
    home: Path, profile: str, kind: str, number: int, *, of: int, changes: Sequence[str]
) -> Kill:
    """Kill a training at a moment, resume it, compare it with the undisturbed one."""
    name = f"{profile}-{kind}-{number}"
    run, log = home / "runs" / name, home / f"{name}.log"

    def killed() -> None:
        Moments((kind, number)).watch()
        _train(home, profile, name)

    assert _in_child(log, killed) == signal.SIGKILL, log.read_text()
    reached = max((int(str(row["step"])) for row in read_metrics(run)), default=0)
    # The very first steps may die before there is a checkpoint; then it starts again.
    status = _in_child(log, lambda: _train(home, profile, name, "--resume", *changes))
    assert status == 0, log.read_text()
    whole = home / "runs" / f"{profile}-whole"
    assert_equal_runs(whole, run, steps=STEPS)
    assert _files(whole) == _files(run)
    begun = [
        row for row in read_rows(run / "events.jsonl") if row["kind"] in ("started", "resumed")
    ]
    shutil.rmtree(run)
    return Kill(profile, kind, number, of, reached, int(str(begun[-1]["step"])), tuple(changes))


def _train(home: Path, profile: str, name: str, *further: str) -> None:
    from codecctl.cli import main as codecctl

    os.chdir(home)
    words = ("--profile", profile, *EVERY, *PROFILES[profile], "--run", name, *further)
    sys.argv = ["codecctl", "train", *words]
    codecctl()


def _in_child(log: Path, work: Callable[[], None]) -> int:
    """Wait status of a forked process; exit code 0 is 0."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    status = 1
    try:
        with log.open("ab") as file:
            for descriptor in (1, 2):
                os.dup2(file.fileno(), descriptor)
            work()
            status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


def _drawn(
    counts: Mapping[str, Mapping[str, int]], kills: int, generator: random.Random
) -> list[tuple[str, str, int]]:
    """Profiles in turn, updates and bytes twice as often as the other kinds."""
    kinds = ("update", "byte", "update", "rename", "byte", "validation", "preview")
    plan = []
    for index in range(kills):
        profile, kind = list(counts)[index % len(counts)], kinds[index % len(kinds)]
        plan.append((profile, kind, generator.randint(1, counts[profile][kind])))
    return plan


def _fixed(counts: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str, int]]:
    """Each in the warm-up or among the discriminators, and at a moment of another kind."""
    plan = []
    kinds = ("byte", "rename", "validation", "preview", "byte")
    for index, ((profile, of), kind) in enumerate(zip(counts.items(), kinds, strict=True)):
        plan.append((profile, "update", (3, 7)[index % 2]))
        plan.append((profile, kind, of[kind] * (index + 3) // 9))
    return plan


def _files(run: Path) -> dict[str, bytes]:
    """Every preview, and the weights of every checkpoint that stays."""
    patterns = ("previews/*/*.wav", "checkpoints/*/*.safetensors")
    return {
        str(path.relative_to(run)): path.read_bytes()
        for pattern in patterns
        for path in run.glob(pattern)
    }


def _no_sync(_: int) -> None:
    return


if __name__ == "__main__":
    assert session.FINISHED  # loaded here once, not by every child
    main()
