"""`optimizer` of either side: what moves weights along their gradients."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import CLOSED, Decay, NotNegative, Positive


class AdamConfig(BaseModel):
    """Arguments of Adam and AdamW, by torch's names."""

    model_config = CLOSED

    lr: Positive
    betas: tuple[Decay, Decay]
    eps: Positive
    weight_decay: NotNegative


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


Optimizer = Annotated[Adam | AdamW, Field(discriminator="type")]
