"""Each command that the documents print, word by word behind `codecctl train`, trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.engine.rundir import read_json, summarize_run

from .training import SHORT, run

pytestmark = pytest.mark.e2e

BOOKS = "model.quantizer.codebook_size=8"
NARROW = (
    *(word for word in SHORT[2:] if word != BOOKS),
    "trainer.max_steps=1",
    "trainer.val_every_n_steps=0",
    "trainer.previews.at_steps=[]",
)
"""So that a step takes a moment; what a document prints comes after it."""
YAML = (
    "datasets.batch_size=8",
    "datasets.fixed_length=13800",
    "pairwise.sim_weight=0.5",
    "pairwise.div_weight=0.5",
    "model.n_q=2",
    "model.target_bandwidths=[1.5, 3., 6., 12., 24.]",
)
"""The block of the paired document."""


@pytest.mark.parametrize(
    ("printed", "fitting", "profile"),
    [
        (("--1ch",), (), "baseline-1ch"),
        # The store has three channels, so this one says that it wants three of them.
        (("--32ch",), ("data.capsules.count=3", "model.generator.channels=3"), "baseline-32ch"),
        (("--config-name=config_paired_nq2",), (BOOKS,), "paired"),
        (("--config-name", "config_mono_nq2"), (BOOKS,), "mono"),
        (("--config-name=config_paired_nq2", *YAML), (), "paired"),
    ],
    ids=["1ch", "32ch", "paired", "mono", "yaml"],
)
def test_a_printed_command_trains_the_profile_that_it_means(
    home: Path,
    request: pytest.FixtureRequest,
    printed: tuple[str, ...],
    fitting: tuple[str, ...],
    profile: str,
) -> None:
    name = f"document-{request.node.callspec.id}"
    # A profile's own words first; the values of the block last, as the later one counts.
    words = (
        (*printed, *NARROW, *fitting) if len(printed) < 3 else (printed[0], *NARROW, *printed[1:])
    )
    code, _, said = run(home, "train", *words, "--run", name)
    assert code == 0, said
    summary = summarize_run(home / "runs" / name)
    assert (summary.profile, summary.status, summary.step) == (profile, "finished", 1)
    stored = read_json(home / "runs" / name / "profile.json")["profile"]
    assert isinstance(stored, dict)
    if printed[1:] == YAML:
        assert (stored["data"]["batch_size"], stored["data"]["items_per_epoch"]) == (8, 13800)
        assert stored["model"]["quantizer"]["num_codebooks"] == 2
