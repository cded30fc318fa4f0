"""What a tracker calls a run that the user has given no name."""

from __future__ import annotations

from codecctl.engine.profile.schema import LosslessProfile, Profile


def tracker_name(profile: Profile) -> str:
    """The name that the profile gives or that its document makes; "" leaves it to the run folder.

    The audio language model's document names a run by bits, block, chunk and steps:
    `16bit_block1024_chunk2048_steps1000`.
    """
    if profile.trainer.wandb.run_name or not isinstance(profile, LosslessProfile):
        return profile.trainer.wandb.run_name
    data = profile.data
    return (
        f"{data.bit_depth}bit_block{data.stereo_blocking_n}_chunk{data.chunk_size}"
        f"_steps{profile.trainer.max_steps}"
    )
