"""The bounded numbers and the strictness that all sections of a profile share."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

CLOSED = ConfigDict(
    extra="forbid",  # a misspelled key is an error, never a silent default
    frozen=True,
    strict=True,  # "8" is not 8
    allow_inf_nan=False,
    use_attribute_docstrings=True,
)

Count = Annotated[int, Field(ge=1)]
CountOrZero = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(gt=0, le=1)]
"""A part of something, 1.0 all of it; beside a count, which is a whole number."""
Decay = Annotated[float, Field(ge=0, lt=1)]
Text = Annotated[str, Field(min_length=1)]
