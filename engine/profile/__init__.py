"""Profiles: TOML to a validated, frozen tree with the source of each value (no torch).

resolved = load_profile("paired", ["model=tiny", "trainer.optimizer.config.lr=1e-3"])
resolved.profile.data.batch_size
resolved.provenance["data.batch_size"]
"""

from __future__ import annotations

from codecctl.engine.profile.aliases import aliased_options
from codecctl.engine.profile.compose import Resolved, family_of, load_profile
from codecctl.engine.profile.schema import GROUPS, MODES, Profile
from codecctl.engine.profile.stored import profile_file, profile_from_json, profile_hash

__all__ = [
    "GROUPS",
    "MODES",
    "Profile",
    "Resolved",
    "aliased_options",
    "family_of",
    "load_profile",
    "profile_file",
    "profile_from_json",
    "profile_hash",
]
