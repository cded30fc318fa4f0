"""Nearest neighbors and k-means, in chunks that fit into memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_CHUNK = 1 << 24
"""Distances held at once: 64 MiB in float32."""


def nearest(vectors: Tensor, codebook: Tensor) -> Tensor:
    """Index of the entry closest to each vector in the Euclidean sense.

    |x - c|^2 is smallest where x.c - |c|^2 / 2 is largest; |x|^2 decides nothing and is left out.

    Args:
        vectors: (V, D).
        codebook: (N, D).

    Returns:
        (V,) int64.
    """
    half_energy = codebook.square().sum(1) / 2
    rows = max(1, _CHUNK // codebook.shape[0])
    closest = [
        torch.addmm(half_energy, chunk, codebook.T, beta=-1).argmax(1)
        for chunk in torch.split(vectors, rows)
    ]
    return torch.cat(closest)


@dataclass(frozen=True)
class Clusters:
    """What k-means found."""

    centroids: Tensor
    """(N, D)."""
    counts: Tensor
    """Vectors of each cluster, (N,), in the type of the centroids."""
    members: Tensor
    """Cluster of each vector, (V,) int64."""


def kmeans(
    vectors: Tensor, num_clusters: int, *, iterations: int, generator: torch.Generator
) -> Clusters:
    """Lloyd's algorithm from distinct random vectors.

    A cluster that loses all its vectors restarts from the vector that is served worst, so none
    stays empty while there are as many distinct vectors as clusters.

    Args:
        vectors: (V, D), V >= num_clusters.
        num_clusters: N.
        iterations: Times that the centroids are moved.
        generator: Chooses the first centroids.
    """
    assert vectors.shape[0] >= num_clusters, (vectors.shape, num_clusters)
    order = torch.randperm(vectors.shape[0], generator=generator, device=generator.device)
    centroids = vectors[order[:num_clusters].to(vectors.device)]
    for _ in range(iterations):
        members = nearest(vectors, centroids)
        centroids = _moved(vectors, centroids, members)
    members = nearest(vectors, centroids)
    counts = torch.bincount(members, minlength=num_clusters).to(vectors.dtype)
    return Clusters(centroids=centroids, counts=counts, members=members)


def _moved(vectors: Tensor, centroids: Tensor, members: Tensor) -> Tensor:
    """The mean of each cluster; for an empty one, the next of the worst served vectors."""
    counts = torch.bincount(members, minlength=centroids.shape[0])
    sums = torch.zeros_like(centroids).index_add_(0, members, vectors)
    empty = counts == 0
    worst = (vectors - centroids[members]).square().sum(1).argsort(descending=True)
    restarts = vectors[worst[(empty.cumsum(0) - 1).clamp(min=0)]]  # (N, D)
    return torch.where(empty[:, None], restarts, sums / counts.clamp(min=1)[:, None])
