"""NaN into each part of a training: the message names it, and the last checkpoint stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from codecctl.datasets.batch import Batch, Item
from codecctl.engine.cadence import Cadence
from codecctl.engine.checkpoint import load_state
from codecctl.engine.diagnosis import Diagnosis, bad_items
from codecctl.engine.guard import DivergedError, FiniteGuard
from codecctl.engine.loop import FINISHED
from codecctl.engine.previews import Previews
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.rundir import list_checkpoints, read_metrics
from codecctl.engine.validate import Validation
from codecctl.errors import CodecctlError

from .test_loop import CPU, Training
from .tiny_training import batch as audio_at
from .tiny_training import changed, codec_of, everything, flat, players, recipe

pytestmark = pytest.mark.long

NAN = float("nan")
BAD_STEP = 2
"""Updates done before the one that is spoiled."""
CADENCE = Cadence(
    max_steps=4,
    updates_per_epoch=4,
    log_every_steps=1,
    validate_every_steps=(0,),
    save_every_steps=(BAD_STEP,),
    save_every_seconds=3600.0,
    preview_every_steps=10**6,
    preview_at_steps=(),
)


def batch_at(step: int, *, bad: bool = False) -> Batch:
    audio = audio_at(step).numpy().copy()
    if bad and step == BAD_STEP:
        audio[1, 0, 5] = NAN
        audio[3, :, 7] = np.inf
    items = tuple(Item(f"Beach.{row}", 12_000 * row, (4, 9)) for row in range(4))
    return Batch(audio, 24_000, items)


class Spoilt(Training):
    """A training of a real recipe, into which something is injected before its third update."""

    def __init__(
        self,
        path: Path,
        inject: Callable[[Recipe], object] = lambda _recipe: None,
        *,
        every: int = 1,
        terminate: bool = True,
        bad_batch: bool = False,
        trained: Recipe | None = None,
        precision: str = "32-true",
    ) -> None:
        self.told: list[str] = []
        made = trained or recipe()

        @contextmanager
        def batches(first: int) -> Iterator[Iterator[Batch]]:
            def draw() -> Iterator[Batch]:
                for step in range(first, 10**6):
                    if step == BAD_STEP:
                        inject(made)
                    yield batch_at(step, bad=bad_batch)

            yield draw()

        super().__init__(path, recipe=made, cadence=CADENCE, batches=batches)  # type: ignore[arg-type]  # a toy there
        diagnosis = Diagnosis(
            made,
            lambda step: batch_at(step, bad=bad_batch),
            store="eigen",
            precision=precision,
        )
        guard = FiniteGuard(
            every, explain=diagnosis, tolerate=None if terminate else self.told.append
        )
        validation = Validation(
            1,
            lambda _numbers: [batch_at(10**6)],
            scenes={f"Beach.{row}": "Beach" for row in range(4)},
            device=CPU,
        )
        previews = Previews(path / "previews", list, device=CPU)
        self.parts = replace(self.parts, guard=guard, validation=validation)
        self.desk = replace(self.desk, previews=previews)

    def fails(self, match: str) -> None:
        with pytest.raises(DivergedError, match=match):
            self.train()
        (last,) = list_checkpoints(self.run.path)
        assert last.step == BAD_STEP
        state = load_state(self.run.path / "checkpoints" / "step-000000002")
        for name, tensor in flat(state["recipe"]):
            assert bool(tensor.isfinite().all()), name


def spoil(tensor: Tensor) -> None:
    with torch.no_grad():
        tensor.view(-1)[0] = NAN


def spoil_term(name: str) -> Callable[[Recipe], None]:
    def inject(trained: Recipe) -> None:
        losses = codec_of(trained)._objective._losses
        measure = losses[name]
        losses[name] = lambda estimate, reference: NAN * measure(estimate, reference)

    return inject


def spoil_weight(role: str) -> Callable[[Recipe], None]:
    return lambda trained: spoil(next(trained.modules()[role].parameters()))


def spoil_moment(role: str) -> Callable[[Recipe], None]:
    def inject(trained: Recipe) -> None:
        state = players(trained)[role]._plain_optimizer.state
        spoil(next(iter(state.values()))["exp_avg"])

    return inject


def spoil_book(trained: Recipe) -> None:
    codebooks = codec_of(trained).network.quantizer.codebooks  # type: ignore[attr-defined]  # of an RVQ
    with torch.no_grad():
        codebooks[1, 3] = NAN


@pytest.mark.parametrize("every", [1, 16])
def test_a_batch_names_its_items_also_when_it_is_long_gone(tmp_path: Path, every: int) -> None:
    Spoilt(tmp_path / "a", bad_batch=True, every=every).fails(
        r"^step 3: loss/\w+ is not finite .*: the batch holds values that are not finite: "
        r"Beach\.1 from second 0\.50, channels 4; Beach\.3 from second 1\.50, channels 4, 9; "
        r"run: codecctl data check eigen; .*--resume$"
    )


@pytest.mark.parametrize("name", ["time", "mel"])
def test_a_term_is_named(tmp_path: Path, name: str) -> None:
    Spoilt(tmp_path / "a", spoil_term(name)).fails(
        rf"^step 3: loss/{name} is not finite .*loss/total.*: weights and batch are finite, so "
        r"that this term overflowed; lower trainer\.optimizer\.config\.lr or set "
        r"trainer\.gradient_clip_val=1\.0 and continue from the last checkpoint with --resume; "
    )


@pytest.mark.parametrize(
    ("role", "first"),
    [("generator", "autoencoder.encoder."), ("discriminator", "discriminators.0.")],
)
@pytest.mark.parametrize("terminate", [True, False])
def test_a_weight_is_named_and_stops_a_training_that_would_go_on(
    tmp_path: Path, role: str, first: str, terminate: bool
) -> None:
    Spoilt(tmp_path / "a", spoil_weight(role), terminate=terminate).fails(
        rf"^step 3: .*: weight {role} {first}\S+ is not finite; what is in memory is lost: "
        r"continue from the last checkpoint with --resume; if it comes back, lower "
    )


@pytest.mark.parametrize("role", ["generator", "discriminator"])
@pytest.mark.parametrize("terminate", [True, False])
def test_a_moment_is_named_before_the_weight_that_it_spoils(
    tmp_path: Path, role: str, terminate: bool
) -> None:
    Spoilt(tmp_path / "a", spoil_moment(role), terminate=terminate).fails(
        rf"^step [34]: .*: moment exp_avg of {role} \S+; weight {role} "
    )


@pytest.mark.parametrize("terminate", [True, False])
def test_a_codebook_is_named(tmp_path: Path, terminate: bool) -> None:
    Spoilt(tmp_path / "a", spoil_book, terminate=terminate).fails(
        r"^step 3: .*: codebook 2 of generator quantizer\.codebooks is not finite; "
    )


def test_float16_has_a_remedy_of_its_own(tmp_path: Path) -> None:
    Spoilt(
        tmp_path / "a",
        spoil_term("mel"),
        trained=recipe("trainer.precision=16-mixed"),
        precision="16-mixed",
    ).fails(r"set trainer\.precision=bf16-mixed or 32-true, or lower trainer\.optimizer")


@pytest.mark.parametrize("every", [1, 16])
def test_who_goes_on_skips_the_step_and_counts_it(tmp_path: Path, every: int) -> None:
    spoilt = Spoilt(tmp_path / "a", bad_batch=True, terminate=False, every=every)
    other = recipe()
    other.initialize(audio_at(step) for step in range(100))  # as a fresh run does
    assert spoilt.train() == FINISHED
    for step in (0, 1, 3):
        other.train_step(audio_at(step), step)
    differ = changed(everything(other), everything(spoilt.parts.recipe))
    assert sorted(differ) == ["discriminator/skipped", "generator/skipped"]
    (told,) = spoilt.told
    assert "Beach.1 from second 0.50" in told and "counted as skipped_updates" in told
    rows = read_metrics(tmp_path / "a", "train")
    assert [row["skipped_updates"] for row in rows] == [0.0, 0.0, 2.0, 2.0]
    assert list_checkpoints(tmp_path / "a")[-1].step == 4


@pytest.mark.parametrize(
    ("inject", "name"),
    [
        (spoil_moment("generator"), r"moment exp_avg of generator \S+"),
        (spoil_moment("discriminator"), r"discriminator optimizer state 0 exp_avg"),
        (spoil_book, r"codebook 2 of generator quantizer\.codebooks"),
        (spoil_weight("generator"), r"weight generator \S+"),
        (spoil_weight("discriminator"), r"discriminator network \S+"),
        (spoil_weight("average"), r"average network \S+"),
    ],
)
def test_no_checkpoint_holds_what_is_not_finite(
    tmp_path: Path, inject: Callable[[Recipe], None], name: str
) -> None:
    """Even where the guard has seen nothing, as the state was spoiled after the step."""
    training = Spoilt(tmp_path / "a")
    saving = training.desk.lease.check
    steps: list[int] = []

    def check() -> None:
        saving()
        steps.append(len(steps))
        if len(read_metrics(tmp_path / "a", "train")) == CADENCE.max_steps:
            inject(training.parts.recipe)

    training.desk.lease.check = check  # type: ignore[method-assign]
    with pytest.raises(CodecctlError, match=rf"^step 4: {name} is not finite; the checkpoint was"):
        training.train()
    assert [info.step for info in list_checkpoints(tmp_path / "a")] == [BAD_STEP]
    assert not list((tmp_path / "a" / "checkpoints").glob(".tmp*"))


def test_only_channels_that_are_not_finite_are_named() -> None:
    assert bad_items(batch_at(BAD_STEP)) == []
    assert len(bad_items(batch_at(BAD_STEP, bad=True))) == 2
