"""Every shipped codec profile through the same commands: train, validate, stop, resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.engine.rundir import read_metrics

from .training import SHORT, assert_equal_runs, run

pytestmark = pytest.mark.e2e

BOOKS = "model.quantizer.codebook_size=8"
OTHERS: dict[str, tuple[str, ...]] = {
    "baseline-1ch": (),
    "baseline-32ch": ("data.capsules.count=3", "model.generator.channels=3"),
    "mono": (BOOKS,),
    "paired-bounded": (BOOKS,),
    "paired-classifier": (BOOKS,),
}
"""What a tiny training of each changes beside `SHORT`; the store has three channels."""


def train(home: Path, profile: str, name: str, *, steps: int, resume: bool = False) -> Path:
    short = tuple(word for word in SHORT[2:] if word != BOOKS)
    end = (
        f"trainer.max_steps={steps}",
        "trainer.val_every_n_steps=2",
        "trainer.discriminator.start.step=1",
    )
    words = ("--profile", profile, *short, *OTHERS[profile], *end, "--run", name)
    code, _, err = run(home, "train", *words, *(("--resume",) if resume else ()))
    assert code == 0, err
    return home / "runs" / name


@pytest.mark.parametrize("profile", OTHERS)
def test_a_profile_trains_judges_and_validates(home: Path, profile: str) -> None:
    folder = train(home, profile, profile, steps=2)
    rows = read_metrics(folder)
    measured = [row for row in rows if row["split"] == "val"]
    assert [row["step"] for row in measured] == [0, 2]
    assert all(float(str(row["val/mel"])) > 0 for row in measured)
    assert any("loss/discriminator" in row for row in rows)
    assert any((folder / "previews").iterdir())
    spatial = {"val/level_error", "val/phase_error", "val/coherence_error"} & set(measured[0])
    assert len(spatial) == (0 if profile in ("baseline-1ch", "mono") else 3)


def test_all_channels_together_resume_to_the_last_bit(home: Path) -> None:
    whole = train(home, "baseline-32ch", "together", steps=4)
    train(home, "baseline-32ch", "halves", steps=2)
    halves = train(home, "baseline-32ch", "halves", steps=4, resume=True)
    assert_equal_runs(whole, halves, steps=4)
