"""The profile that a run trains; needs no torch."""

from __future__ import annotations

from pathlib import Path

from codecctl.engine.profile import Profile, profile_from_json
from codecctl.engine.runlist import read_json


def profile_of(run: Path) -> Profile:
    """The profile that a run trains.

    Raises:
        ProfileError: profile.json of the run does not hold one of this version.
    """
    file = run / "profile.json"
    stored = read_json(file).get("profile")
    return profile_from_json(stored if isinstance(stored, dict) else {}, label=str(file))
