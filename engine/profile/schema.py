"""The tree of a profile, and what each mode demands of it.

A new mode is one line in `MODES`; one with another tree brings its own schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from codecctl.engine.profile.constraints import CLOSED, Text
from codecctl.engine.profile.schema_data import Data
from codecctl.engine.profile.schema_lossless import LosslessData, LosslessModel, LosslessTrainer
from codecctl.engine.profile.schema_model import Model
from codecctl.engine.profile.schema_spectral import SpectralModel
from codecctl.engine.profile.schema_trainer import Trainer

GROUPS = ("data", "model", "trainer")


class Defaults(BaseModel):
    """Option of each group that the values come from; empty: the profile holds them itself."""

    model_config = CLOSED

    data: str
    """Option of the audio."""
    model: str
    """Option of the networks."""
    trainer: str
    """Option of the training."""


class Profile(BaseModel):
    """A resolved profile: every value that a training needs."""

    model_config = CLOSED

    mode: Literal["baseline", "mono", "paired", "soundstream"]
    """The recipe that trains it."""
    family: Literal["seanet", "soundstream"]
    """Kind of networks; `model=tiny` is the tiny option of the family."""
    description: Text
    """One line for `profile list`."""
    defaults: Defaults
    data: Data
    model: Model
    trainer: Trainer


class SpectralProfile(Profile):
    """A resolved profile of the spectral family: its networks are of other kinds."""

    mode: Literal["spectral"]  # type: ignore[assignment]  # its own mode, family and networks
    """The recipe that trains it."""
    family: Literal["spectral"]  # type: ignore[assignment]
    """Kind of networks; `model=tiny` is the tiny option of the family."""
    model: SpectralModel  # type: ignore[assignment]


class LosslessProfile(Profile):
    """A resolved profile of the lossless mode: the same sections, with trees of their own."""

    mode: Literal["lossless"]  # type: ignore[assignment]  # its own modes, family and sections
    """The recipe that trains it."""
    family: Literal["lm"]  # type: ignore[assignment]
    """Kind of networks; `model=tiny` is the tiny option of the family."""
    data: LosslessData  # type: ignore[assignment]
    model: LosslessModel  # type: ignore[assignment]
    trainer: LosslessTrainer  # type: ignore[assignment]


@dataclass(frozen=True)
class Mode:
    """What a mode demands beyond the types of its keys."""

    schema: type[Profile]
    least_capsules: int
    most_capsules: int | None
    """None: as many as there are."""
    policies: tuple[str, ...]
    together: bool
    """Whether all capsules of an item are channels of one signal, else signals of their own."""


MODES: dict[str, Mode] = {
    "baseline": Mode(
        schema=Profile,
        least_capsules=1,
        most_capsules=None,
        policies=("random_one", "random_distinct", "all"),
        together=True,
    ),
    "mono": Mode(
        schema=Profile,
        least_capsules=1,
        most_capsules=1,
        policies=("random_one",),
        together=False,
    ),
    "paired": Mode(
        schema=Profile,
        least_capsules=2,
        most_capsules=None,
        policies=("random_distinct", "all"),
        together=False,
    ),
    "soundstream": Mode(
        schema=Profile,
        least_capsules=1,
        most_capsules=1,
        policies=("random_one",),
        together=False,
    ),
    "spectral": Mode(
        schema=SpectralProfile,
        least_capsules=1,
        most_capsules=None,
        policies=("random_one", "random_distinct", "all"),
        together=True,
    ),
    "lossless": Mode(
        schema=LosslessProfile,
        least_capsules=1,
        most_capsules=None,
        policies=(),
        together=False,
    ),
}
