"""Small exact models that have learned a little, for tests of the coder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from codecctl.engine.checkpoint import Identity, save_checkpoint
from codecctl.engine.lossless.exact import ExactTransformer
from codecctl.engine.networks.transformer import Transformer, TransformerLayout
from codecctl.engine.profile import load_profile, profile_file
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.rundir import RunDirectory


def symbols(bits: int, *, items: int, length: int, seed: int = 0) -> np.ndarray:
    """Noisy tones as symbols, (items, length)."""
    rng = np.random.default_rng(seed)
    phase = rng.random((items, 1)) * 6 + 0.2 * np.arange(length)
    wave = 0.4 * np.sin(phase) + 0.02 * rng.standard_normal((items, length))
    half = 1 << (bits - 1)
    tokens: np.ndarray = (wave * half).astype(np.int64) + half
    return tokens


@cache
def trained(bits: int, head: str = "full", *, context: int = 32) -> Transformer:
    """A network after some updates on tones."""
    layout = TransformerLayout(
        bits=bits,
        context=context,
        embedding_dim=8,
        num_layers=2,
        num_heads=2,
        widening_factor=2,
        head=head,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(bits)
        network = layout.build()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    many = (16, 30) if bits == 8 or head == "factorised" else (1, 2)  # 65 536 logits are slow
    tokens = torch.from_numpy(symbols(bits, items=many[0], length=context))
    with torch.enable_grad():  # whoever asks first may have it off
        for _ in range(many[1]):
            optimizer.zero_grad()
            torch.autograd.backward(network(tokens).mean())
            optimizer.step()
    return network


@cache
def exact(bits: int, head: str = "full") -> ExactTransformer:
    """The same network in exact arithmetic."""
    return ExactTransformer(trained(bits, head))


def write_language_run(
    path: Path, *overrides: str, fingerprint: str = "", average: Transformer | None = None
) -> Transformer:
    """A run with one checkpoint, of the network of `trained(8)`; returns it.

    `average` is of the same sizes, and saved beside it.
    """
    sizes = ("embedding_dim=8", "num_layers=2", "num_heads=2", "widening_factor=2", "chunk_size=32")
    resolved = load_profile("lossless-8bit", (*sizes, *overrides), search=(PACKAGED,))
    network, run = trained(8), RunDirectory.create(path)
    run.write_json("profile.json", profile_file("lossless-8bit", resolved))
    save_checkpoint(
        path / "checkpoints",
        {"recipe": {"generator": {"network": network.state_dict()}}},
        generator=network,
        average=average,
        identity=Identity("lossless", "", fingerprint),
        step=30,
        epoch=1,
        metrics={},
    )
    run.close()
    return network
