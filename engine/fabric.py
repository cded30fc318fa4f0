"""Lightning Fabric, without a package that it imports only to ask for its version.

Fabric imports torchmetrics where that is installed, which imports scipy and, where that is
installed, transformers: 1.7 of the 4.4 s that a training takes to start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(name: str) -> Iterator[None]:
    """Imports of a package within fail as if it were not installed, unless it is imported yet."""
    if name in sys.modules:
        yield
        return
    # None is how Python is told that a module cannot be found; the types know modules only.
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


with hidden("torchmetrics"):
    from lightning_fabric import Fabric
    from lightning_fabric.plugins import CheckpointIO, ClusterEnvironment
    from lightning_fabric.plugins import Precision as FabricPrecision
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

__all__ = [
    "CheckpointIO",
    "ClusterEnvironment",
    "DDPStrategy",
    "Fabric",
    "FabricPrecision",
    "LightningEnvironment",
    "TorchElasticEnvironment",
]
