"""Types, bounds and agreement of a composed tree: all that is wrong, at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from codecctl.engine.profile.checks import (
    check_data,
    check_mode,
    check_model,
    check_together,
)
from codecctl.engine.profile.checks_lossless import check_lossless
from codecctl.engine.profile.checks_stages import check_stages
from codecctl.engine.profile.checks_strategy import check_strategy
from codecctl.engine.profile.checks_trainer import check_trainer
from codecctl.engine.profile.findings import Finding, findings_of
from codecctl.engine.profile.schema import MODES, LosslessProfile, Profile, SpectralProfile
from codecctl.engine.profile.schema_data import Data
from codecctl.engine.profile.schema_lossless import LosslessData, LosslessModel, LosslessTrainer
from codecctl.engine.profile.schema_model import Model
from codecctl.engine.profile.schema_spectral import CodecModel, SpectralModel
from codecctl.engine.profile.schema_trainer import Trainer
from codecctl.engine.profile.shape import shape_of
from codecctl.engine.profile.tree import Tree

Section = TypeVar("Section", bound=BaseModel)


def validate(tree: Tree, mode: str) -> tuple[Profile | None, list[Finding]]:
    """The profile of a tree, and what is wrong with it; None where types do not allow one."""
    schema = MODES[mode].schema
    profile, findings = validate_types(tree, schema)
    data, model, trainer = (tree.values.get(group) for group in ("data", "model", "trainer"))
    if schema is LosslessProfile:
        disagreements = check_lossless(
            _section(LosslessData, data),
            _section(LosslessModel, model),
            _section(LosslessTrainer, trainer),
        )
    else:
        disagreements = _disagreements(
            mode, _section(Data, data), _networks(schema, model), _section(Trainer, trainer)
        )
    return profile, [*findings, *disagreements]


def validate_types(tree: Tree, schema: type[Section]) -> tuple[Section | None, list[Finding]]:
    """The tree as an object of the schema, and which of its keys do not allow that."""
    try:
        return schema.model_validate_json(_json(tree.values)), []
    except ValidationError as error:
        return None, findings_of(error, tree, shape_of(schema))


def _disagreements(
    mode: str, data: Data | None, model: CodecModel | None, trainer: Trainer | None
) -> Iterator[Finding]:
    """What the groups that are of the right types do wrong, each and together."""
    if data:
        yield from check_data(data)
    if model:
        yield from check_model(model)
    if trainer:
        yield from check_trainer(trainer)
        yield from check_stages(model, trainer)
        yield from check_strategy(model, trainer)
    yield from check_mode(mode, data, model, trainer)
    yield from check_together(data, model, trainer)


def _networks(schema: type[Profile], values: object) -> CodecModel | None:
    if schema is SpectralProfile:
        return _section(SpectralModel, values)
    return _section(Model, values)


def _section(schema: type[Section], values: object) -> Section | None:
    try:
        return schema.model_validate_json(_json(values))
    except ValidationError:
        return None  # reported by validate_types, with its keys


def _json(values: object) -> str:
    """Values for pydantic's strict JSON mode, where a list may become a tuple."""
    return json.dumps(values, default=str)  # TOML's dates become the text that was written
