"""`scheduler.` of either side: the learning rate as a function of the step."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import (
    CLOSED,
    CountOrZero,
    Decay,
    Fraction,
    NotNegative,
    Positive,
)


class WarmupCosineConfig(BaseModel):
    """Exponential warm-up, then a cosine over `trainer.max_epochs`."""

    model_config = CLOSED

    warmup_epochs: NotNegative
    """Length of the warm-up; 0: none."""
    warmup_start: Annotated[float, Field(gt=0, le=1)]
    """Factor on the learning rate at the first step."""
    final: Fraction
    """Factor at the end."""


Interval = Literal["step", "epoch"]
"""Whether the rate changes with every step or with every epoch."""


class WarmupCosine(BaseModel):
    """Schedule of the paired and mono modes."""

    model_config = CLOSED

    type: Literal["WarmupCosine"]
    enabled: bool
    """false keeps the learning rate constant."""
    interval: Interval
    """When the rate changes."""
    config: WarmupCosineConfig


class NoConfig(BaseModel):
    """Nothing to choose."""

    model_config = CLOSED


class Constant(BaseModel):
    """The rate stays as it is."""

    model_config = CLOSED

    type: Literal["Constant"]
    enabled: bool
    """Without influence here."""
    interval: Interval
    """Without influence here."""
    config: NoConfig


class InverseConfig(BaseModel):
    """Inverse decay, (1 + k / inv_gamma)^-power at step or epoch k."""

    model_config = CLOSED

    inv_gamma: Positive
    """After so many steps or epochs the rate is at 2^-power."""
    power: Positive
    """Exponent of the decay; 0.5 falls with the square root."""
    warmup: Decay
    """The rate is multiplied by 1 - warmup^(k+1); 0: no warm-up."""
    final_lr: NotNegative
    """Lowest rate before the warm-up; not a factor."""


class Inverse(BaseModel):
    """Schedule of the spectral autoencoder."""

    model_config = CLOSED

    type: Literal["InverseLR"]
    enabled: bool
    """false keeps the learning rate constant."""
    interval: Interval
    """What k counts, and when the rate changes."""
    config: InverseConfig


class LinearWarmupConfig(BaseModel):
    """A straight line up to the rate, which then stays."""

    model_config = CLOSED

    warmup_steps: CountOrZero
    """Length of the line, in steps."""
    start: Fraction
    """Factor on the learning rate at the first step."""


class LinearWarmup(BaseModel):
    """Schedule of SoundStream."""

    model_config = CLOSED

    type: Literal["LinearWarmup"]
    enabled: bool
    """false keeps the learning rate constant."""
    interval: Interval
    """When the rate changes."""
    config: LinearWarmupConfig


class ExponentialConfig(BaseModel):
    """Exponential decay, gamma^k at step or epoch k."""

    model_config = CLOSED

    gamma: Annotated[float, Field(gt=0, le=1)]
    """Factor from one step or epoch to the next."""


class Exponential(BaseModel):
    """Exponential decay of the rate."""

    model_config = CLOSED

    type: Literal["Exponential"]
    enabled: bool
    """false keeps the learning rate constant."""
    interval: Interval
    """What k counts, and when the rate changes."""
    config: ExponentialConfig


class OneCycleConfig(BaseModel):
    """One rise and one fall over `trainer.max_epochs`, half a cosine each."""

    model_config = CLOSED

    pct_start: Annotated[float, Field(gt=0, lt=1)]
    """Share of the training in which the rate rises to optimizer.config.lr."""
    div_factor: Annotated[float, Field(ge=1)]
    """It begins at lr / div_factor."""
    final_div_factor: Annotated[float, Field(ge=1)]
    """It ends at lr / (div_factor final_div_factor)."""


class OneCycle(BaseModel):
    """One cycle, as torch's OneCycleLR; momentum stays as it is."""

    model_config = CLOSED

    type: Literal["OneCycle"]
    enabled: bool
    """false keeps the learning rate constant."""
    interval: Interval
    """When the rate changes."""
    config: OneCycleConfig


class PlateauConfig(BaseModel):
    """A fall of the rate where `trainer.best_metric` has stopped to get better."""

    model_config = CLOSED

    factor: Annotated[float, Field(gt=0, lt=1)]
    """On the rate, each time."""
    patience: CountOrZero
    """Validations without a better one that are waited for."""
    threshold: Fraction
    """Share of the best value by which a better one has to be better."""
    cooldown: CountOrZero
    """Validations after a fall that do not count."""
    least: Fraction
    """Lowest factor on the rate."""


class ReduceOnPlateau(BaseModel):
    """The rate follows the validation, as torch's ReduceLROnPlateau."""

    model_config = CLOSED

    type: Literal["Plateau"]
    enabled: bool
    """false keeps the learning rate constant."""
    interval: Literal["validation"]
    """It can only change there."""
    config: PlateauConfig


Scheduler = Annotated[
    WarmupCosine | Constant | Inverse | LinearWarmup | Exponential | OneCycle | ReduceOnPlateau,
    Field(discriminator="type"),
]
