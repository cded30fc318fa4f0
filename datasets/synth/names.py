"""How EigenScape spells its recordings: four ways that a loader meets."""

from __future__ import annotations

from codecctl.datasets.synth.scenes import SCENES

SPELLINGS: dict[str, str] = {
    "raw": "{scene}-{take:02d}-Raw.wav",
    "metadata": "{scene}-{take:02d}.wav",
    "ambisonic": "{scene}.{take}.wav",
    "folders": "{display}/{scene}-{take:02d}-Raw.wav",
}
"""Name to pattern; only the spelling differs, the audio always has the 32 capsules."""


def recording_path(scene: str, take: int, *, spelling: str) -> str:
    """Path of a recording below the corpus, with forward slashes.

    Args:
        scene: A key of SCENES, `BusyStreet`.
        take: From 1.
        spelling: A key of SPELLINGS.
    """
    display = SCENES[scene].display_name
    return SPELLINGS[spelling].format(scene=scene, take=take, display=display)
