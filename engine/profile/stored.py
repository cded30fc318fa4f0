"""A resolved profile as JSON: what a run and its checkpoints keep."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from codecctl.engine.profile.compose import Resolved
from codecctl.engine.profile.findings import Finding, describe, quoted
from codecctl.engine.profile.schema import MODES, Profile
from codecctl.engine.profile.shape import shape_of
from codecctl.engine.profile.tree import Source, Tree
from codecctl.engine.profile.validate import validate_types
from codecctl.errors import ProfileError

_MODES = " or ".join(f"'{mode}'" for mode in MODES)

_NOT_HASHED = ("description", "defaults")
"""Names and words: two profiles that differ only here train the same."""


def profile_from_json(values: Mapping[str, object], *, label: str = "profile.json") -> Profile:
    """The profile that `profile.model_dump(mode="json")` wrote.

    Args:
        values: The stored object.
        label: How messages call the file.

    Raises:
        ProfileError: The object is of another version or was edited wrongly.
    """
    mode = values.get("mode")
    if not isinstance(mode, str) or mode not in MODES:
        raise ProfileError(f"{label}: mode: found {quoted(mode)}, allowed: {_MODES}")
    schema = MODES[mode].schema
    source = Source(label)
    tree = Tree(shape_of(schema), source)
    tree.merge(values, source)
    profile, findings = validate_types(tree, schema)
    if profile is None:
        raise ProfileError(_problems(findings, tree, label))
    return profile


def _problems(findings: Sequence[Finding], tree: Tree, label: str) -> list[str]:
    """A line for each key that is wrong, and one for all that a newer version has."""
    wrong = [describe(finding, tree) for finding in findings if not finding.missing]
    missing = [".".join(finding.key) for finding in findings if finding.missing]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        wrong.append(
            f"{label}: found no {missing[0]}{more}, which this version needs: the run is of an "
            "earlier one; train it again"
        )
    return wrong


def profile_hash(profile: Profile) -> str:
    """SHA-256, in hex, of everything in a profile that the training depends on."""
    values = profile.model_dump(mode="json")
    for name in _NOT_HASHED:
        del values[name]
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def profile_file(name: str, resolved: Resolved) -> dict[str, object]:
    """The content of profile.json of a run of a profile of this name."""
    return {
        "schema": 1,
        "name": name,
        "profile": resolved.profile.model_dump(mode="json"),
        "overrides": list(resolved.overrides),
        "provenance": dict(resolved.provenance),
        "notices": list(resolved.notices),
        "hash": profile_hash(resolved.profile),
    }
