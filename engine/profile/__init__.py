"""Profiles: TOML to a validated, frozen tree with the source of each value (no torch)."""
