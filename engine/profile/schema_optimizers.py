"""`optimizer` of either side: what moves weights along their gradients.

Names and arguments are torch's. An argument that is not given keeps torch's own value, so that
`type` can be changed alone: what the new one does not know of the old one's arguments goes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from codecctl.engine.profile.constraints import CLOSED, Decay, NotNegative, Positive


class _Arguments(BaseModel):
    """Arguments that every optimizer has."""

    model_config = CLOSED

    lr: Positive
    """Learning rate, before the scheduler's factor."""

    @model_serializer(mode="wrap")
    def _given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without what is left to torch: TOML has no word for it."""
        return {name: value for name, value in serialize(self).items() if value is not None}


class _Decaying(_Arguments):
    weight_decay: NotNegative | None = None
    """Share of a weight that goes with every update: of AdamW times lr, else in the gradient."""


class AdamaxConfig(_Decaying):
    """Arguments of Adamax."""

    betas: tuple[Decay, Decay] | None = None
    """Decay of the averages of gradients and of their squares."""
    eps: Positive | None = None
    """Added to the denominator."""


class AdamConfig(AdamaxConfig):
    """Arguments of Adam and AdamW."""

    amsgrad: bool | None = None
    """Divide by the largest average of squares so far."""


class DecoupledConfig(AdamaxConfig):
    """Arguments of RAdam."""

    decoupled_weight_decay: bool | None = None
    """Decay of weights as AdamW does it."""


class NAdamConfig(DecoupledConfig):
    """Arguments of NAdam."""

    momentum_decay: NotNegative | None = None
    """How fast the momentum grows to its bound."""


class SgdConfig(_Decaying):
    """Arguments of SGD."""

    momentum: NotNegative | None = None
    """Share of the last move that goes on."""
    dampening: NotNegative | None = None
    """What the gradient lacks of its weight in the momentum."""
    nesterov: bool | None = None
    """Look ahead along the momentum, which has to be above 0."""


class RmsPropConfig(_Decaying):
    """Arguments of RMSprop."""

    alpha: Decay | None = None
    """Decay of the average of squared gradients."""
    eps: Positive | None = None
    """Added to the denominator."""
    momentum: NotNegative | None = None
    """Share of the last move that goes on."""
    centered: bool | None = None
    """Divide by the deviation of the gradient, not by its size."""


class AdagradConfig(_Decaying):
    """Arguments of Adagrad."""

    lr_decay: NotNegative | None = None
    """The rate is divided by 1 + lr_decay times the updates so far."""
    initial_accumulator_value: NotNegative | None = None
    """Where the sums of squared gradients begin."""
    eps: Positive | None = None
    """Added to the denominator."""


class AdadeltaConfig(_Decaying):
    """Arguments of Adadelta."""

    rho: Decay | None = None
    """Decay of both averages."""
    eps: Positive | None = None
    """Added to the denominator."""


class AdafactorConfig(_Decaying):
    """Arguments of Adafactor."""

    beta2_decay: Annotated[float, Field(le=0)] | None = None
    """Exponent by which the average of squares forgets."""
    d: Annotated[float, Field(ge=1)] | None = None
    """Bound of a move, relative to the weights."""


class AsgdConfig(_Decaying):
    """Arguments of ASGD."""

    lambd: NotNegative | None = None
    """Decay of the weights."""
    alpha: NotNegative | None = None
    """Exponent by which the rate falls."""
    t0: NotNegative | None = None
    """Update from which on weights are averaged."""


class RpropConfig(_Arguments):
    """Arguments of Rprop, which looks at signs alone; meant for whole data sets, not batches."""

    etas: tuple[Annotated[float, Field(gt=0, lt=1)], Annotated[float, Field(gt=1)]] | None = None
    """Factors on a weight's step after a change of sign, and after none."""
    step_sizes: tuple[Positive, Positive] | None = None
    """Least and largest step."""


class Adadelta(BaseModel):
    """Adadelta: steps in the size of the last ones."""

    model_config = CLOSED

    type: Literal["Adadelta"]
    config: AdadeltaConfig


class Adafactor(BaseModel):
    """Adafactor: averages of rows and columns, little memory."""

    model_config = CLOSED

    type: Literal["Adafactor"]
    config: AdafactorConfig


class Adagrad(BaseModel):
    """Adagrad: rates fall with the sum of squared gradients."""

    model_config = CLOSED

    type: Literal["Adagrad"]
    config: AdagradConfig


class Adam(BaseModel):
    """Adam: decay of weights is part of the gradient."""

    model_config = CLOSED

    type: Literal["Adam"]
    config: AdamConfig


class AdamW(BaseModel):
    """AdamW: decay of weights is apart from the gradient."""

    model_config = CLOSED

    type: Literal["AdamW"]
    config: AdamConfig


class Adamax(BaseModel):
    """Adamax: Adam by the largest gradient."""

    model_config = CLOSED

    type: Literal["Adamax"]
    config: AdamaxConfig


class Asgd(BaseModel):
    """ASGD: stochastic gradient descent with an average."""

    model_config = CLOSED

    type: Literal["ASGD"]
    config: AsgdConfig


class NAdam(BaseModel):
    """NAdam: Adam with Nesterov's momentum."""

    model_config = CLOSED

    type: Literal["NAdam"]
    config: NAdamConfig


class RAdam(BaseModel):
    """RAdam: Adam that waits for its averages."""

    model_config = CLOSED

    type: Literal["RAdam"]
    config: DecoupledConfig


class RmsProp(BaseModel):
    """RMSprop: gradients by their running size."""

    model_config = CLOSED

    type: Literal["RMSprop"]
    config: RmsPropConfig


class Rprop(BaseModel):
    """Rprop: steps by signs of gradients."""

    model_config = CLOSED

    type: Literal["Rprop"]
    config: RpropConfig


class Sgd(BaseModel):
    """SGD: the gradient itself, with momentum where it is given."""

    model_config = CLOSED

    type: Literal["SGD"]
    config: SgdConfig


Optimizer = Annotated[
    Adadelta
    | Adafactor
    | Adagrad
    | Adam
    | AdamW
    | Adamax
    | Asgd
    | NAdam
    | RAdam
    | RmsProp
    | Rprop
    | Sgd,
    Field(discriminator="type"),
]
