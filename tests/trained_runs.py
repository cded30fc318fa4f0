"""A run folder with a checkpoint of a narrow codec, as training leaves it but untrained."""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from codecctl.engine.build import build_networks
from codecctl.engine.checkpoint import Identity, save_checkpoint
from codecctl.engine.profile import load_profile, profile_file, profile_hash
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.rundir import RunDirectory

NARROW = (
    "model.generator.num_filters=2",
    "model.generator.latent_dim=8",
    "model.generator.lstm_layers=1",
    "model.discriminators.0.num_filters=2",
)
BOOKS = ("model.quantizer.codebook_size=16",)


def write_run(
    path: Path,
    *overrides: str,
    profile: str = "mono",
    step: int = 7,
    averaged: bool = False,
) -> CodecNetwork:
    """Make a run with one checkpoint; returns its network, or the averaged one."""
    resolved = load_profile(profile, (*NARROW, *overrides), search=(PACKAGED,))
    network, jury = build_networks(resolved.profile)
    generator = torch.Generator().manual_seed(step)
    for buffer in network.quantizer.buffers():  # type: ignore[attr-defined]  # a module, too
        if buffer.dim() == 3:
            buffer.copy_(torch.randn(buffer.shape, generator=generator))
    average = copy.deepcopy(network) if averaged else None
    for parameter in average.parameters() if average is not None else ():
        parameter.data.mul_(1.5)
    run = RunDirectory.create(path)
    run.write_json("profile.json", profile_file(profile, resolved))
    recipe: dict[str, object] = {"generator": {"network": network.state_dict()}}
    if jury is not None:
        recipe["discriminator"] = {"network": jury.state_dict()}
    save_checkpoint(
        path / "checkpoints",
        {"recipe": recipe},
        generator=network,
        average=average,
        identity=Identity(resolved.profile.mode, profile_hash(resolved.profile), ""),
        step=step,
        epoch=1,
        metrics={},
    )
    run.close()
    return (average or network).eval()
