"""Profiles as TOML files, found by `codecctl.engine.profile`."""
