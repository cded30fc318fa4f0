"""Types, bounds and agreement of a composed tree: all that is wrong, at once."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pydantic import ValidationError

from codecctl.engine.profile.checks import check_data, check_model, check_profile, check_trainer
from codecctl.engine.profile.findings import Finding, findings_of
from codecctl.engine.profile.schema import Profile
from codecctl.engine.profile.schema_data import Data
from codecctl.engine.profile.schema_model import Model
from codecctl.engine.profile.schema_trainer import Trainer
from codecctl.engine.profile.shape import Shape
from codecctl.engine.profile.tree import Tree


def validate(tree: Tree, shape: Shape) -> tuple[Profile | None, list[Finding]]:
    """The profile of a tree, and what is wrong with it; None where types do not allow one."""
    try:
        profile = Profile.model_validate_json(_json(tree.values))
    except ValidationError as error:
        findings = findings_of(error, tree, shape)
        wrong = {finding.key[0] for finding in findings if finding.key}
        return None, findings + list(_checks_of_groups(tree, wrong))
    return profile, [
        *check_data(profile.data),
        *check_model(profile.model),
        *check_trainer(profile.trainer),
        *check_profile(profile),
    ]


def _checks_of_groups(tree: Tree, wrong: set[str]) -> Iterator[Finding]:
    """What is wrong within the groups that at least are of the right types."""
    if "data" not in wrong:
        yield from check_data(Data.model_validate_json(_json(tree.values["data"])))
    if "model" not in wrong:
        yield from check_model(Model.model_validate_json(_json(tree.values["model"])))
    if "trainer" not in wrong:
        yield from check_trainer(Trainer.model_validate_json(_json(tree.values["trainer"])))


def _json(values: object) -> str:
    """Values for pydantic's strict JSON mode, where a list may become a tuple."""
    return json.dumps(values, default=str)  # TOML's dates become the text that was written
