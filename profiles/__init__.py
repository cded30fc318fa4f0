"""Profiles as TOML files, found by `codecctl.engine.profile`.

    NAME.toml                 a profile: mode, family, description, defaults (an option for each
                              group), and what it sets itself
    data/ model/ trainer/     options of the groups: a complete one sets every key of its group
                              that the profiles do not; one with `overlay = true` is sparse and may
                              reach into any group

Every file writes keys as they stand in the resolved profile: an option of `trainer` begins with
`[trainer]`. `[model.discriminators."*"]` in an overlay means every entry of the list.
"""
