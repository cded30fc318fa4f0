"""A small training of each profile whose validation has to improve.

    .venv/bin/python -m benchmarks.small_runs STORE OUT [--steps 200] [--only baseline-1ch]

`model=tiny`, half a second, 8 capsule windows a batch (two items of 32 capsules); discriminators
join for the last quarter. What is there already is not done again. Results: OUT/small/PROFILE.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.training.short import curve, keep, kept, short_training, stamp, trained

CAPSULES = {"baseline-1ch": 1, "baseline-32ch": 32, "mono": 1, "paired": 2, "paired-bounded": 2}
SHOWN = ("val/mel", "val/si_sdr", "val/codebook/1/usage", "val/codebook/2/usage")


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--only", default="", choices=["", *CAPSULES])
    given = parser.parse_args()
    for profile in [given.only] if given.only else CAPSULES:
        path = given.out / "small" / f"{profile}.json"
        if kept(path) is None:
            stamp(f"{profile}: training")
            keep(path, small_run(profile, given.store, given.out, steps=given.steps))
        stamp(f"{profile}: done")


def small_run(profile: str, store: Path, out: Path, *, steps: int) -> dict[str, object]:
    """Train one profile; its validation curves."""
    capsules = CAPSULES[profile]
    continuous = profile.startswith("baseline")
    changes = [
        *short_training(
            steps=steps,
            signals=8 if capsules < 8 else 2 * capsules,
            capsules=capsules,
            seed=1,
            decay=None if continuous else 0.99,
        ),
        f"trainer.discriminator.start.step={steps * 3 // 4}",
    ]
    run = trained(out, store, name=f"small-{profile}", profile=profile, changes=changes)
    return {"changes": changes, **{name: curve(run, "val", name) for name in SHOWN}}


if __name__ == "__main__":
    main()
