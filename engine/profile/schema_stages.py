"""`trainer.stages`: a training in parts, each with its length and what is different in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, Tag
from pydantic import Discriminator as ChosenBy

from codecctl.engine.profile.constraints import CLOSED, Count, NotNegative
from codecctl.engine.profile.schema_optimizers import Optimizer
from codecctl.engine.profile.schema_schedules import Scheduler


class LengthInSteps(BaseModel):
    """So many updates."""

    model_config = CLOSED

    steps: Count
    """Updates of the stage."""

    def count(self, updates_per_epoch: int) -> int:
        """Updates; `updates_per_epoch` has no influence."""
        del updates_per_epoch
        return self.steps


class LengthInEpochs(BaseModel):
    """So many epochs."""

    model_config = CLOSED

    epochs: Count
    """Epochs of the stage."""

    def count(self, updates_per_epoch: int) -> int:
        """Updates."""
        return self.epochs * updates_per_epoch


def _kind_of_length(value: object) -> str:
    keys = value if isinstance(value, dict) else ()
    return "in epochs" if "epochs" in keys or isinstance(value, LengthInEpochs) else "in steps"


Length = Annotated[
    Annotated[LengthInSteps, Tag("in steps")] | Annotated[LengthInEpochs, Tag("in epochs")],
    ChosenBy(_kind_of_length),
]

Frozen = Literal["encoder", "quantizer", "decoder", "discriminator"]
"""What a stage can leave as it is."""

StageName = Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class StageDiscriminator(BaseModel):
    """How a stage trains the discriminators; without a key that stays what it was before."""

    model_config = CLOSED

    optimizer: Optimizer | None = None
    """With moments that begin at zero."""
    scheduler: Scheduler | None = None
    """Counted from the start of the stage."""


class Stage(BaseModel):
    """A stage of a codec's training; without a key that stays what it was before the stage.

    A stage whose adversarial weights are above 0 trains discriminators. They begin afresh where
    the stage before it had none.
    """

    model_config = CLOSED

    name: StageName
    """For events, curves, checkpoints and `--stage`."""
    length: Length
    """`{steps = N}` or `{epochs = N}`; the training ends with its last stage."""
    weights: dict[str, NotNegative | dict[str, NotNegative]] = {}
    """Weights in place of those of `loss_config`: `term = W`, `group.term = W`, or `group = W` for
    all terms of a group; other terms have the weights of `loss_config`."""
    optimizer: Optimizer | None = None
    """Of the generator, with moments that begin at zero."""
    scheduler: Scheduler | None = None
    """Of the generator, counted from the start of the stage."""
    discriminator: StageDiscriminator = StageDiscriminator()
    discriminators: tuple[str, ...] | None = None
    """Types of `model.discriminators` that act, e.g. ["stft"]; without the key all of them."""
    freeze: tuple[Frozen, ...] = ()
    """What does not change: neither weights nor moments nor codebooks."""


class LosslessStage(BaseModel):
    """A stage of a language model's training; without a key that stays what it was before it."""

    model_config = CLOSED

    name: StageName
    """For events, curves, checkpoints and `--stage`."""
    length: Length
    """`{steps = N}` or `{epochs = N}`; the training ends with its last stage."""
    optimizer: Optimizer | None = None
    """With moments that begin at zero."""
    scheduler: Scheduler | None = None
    """Counted from the start of the stage."""
