"""Nearest neighbors and k-means, in chunks that fit into memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Start = Literal["spread", "random"]

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
    vectors: Tensor,
    num_clusters: int,
    *,
    iterations: int,
    generator: torch.Generator,
    start: Start = "spread",
) -> Clusters:
    """Lloyd's algorithm from vectors that lie far apart, or from any.

    A cluster that loses all its vectors restarts from the vector that is served worst, so none
    stays empty while there are as many distinct vectors as clusters.

    Args:
        vectors: (V, D), V >= num_clusters.
        num_clusters: N.
        iterations: Times that the centroids are moved.
        generator: Chooses the first centroids.
        start: "spread" draws each first centroid with a probability that grows with the squared
            distance to those before; "random" takes distinct random vectors.
    """
    assert vectors.shape[0] >= num_clusters, (vectors.shape, num_clusters)
    centroids = _STARTS[start](vectors, num_clusters, generator)
    for _ in range(iterations):
        members = nearest(vectors, centroids)
        centroids = _moved(vectors, centroids, members)
    members = nearest(vectors, centroids)
    counts = torch.bincount(members, minlength=num_clusters).to(vectors.dtype)
    return Clusters(centroids=centroids, counts=counts, members=members)


def _random(vectors: Tensor, num_clusters: int, generator: torch.Generator) -> Tensor:
    """Vectors of distinct places, (N, D)."""
    order = torch.randperm(vectors.shape[0], generator=generator, device=generator.device)
    return vectors[order[:num_clusters].to(vectors.device)]


def _spread(vectors: Tensor, num_clusters: int, generator: torch.Generator) -> Tensor:
    """k-means++ (Arthur & Vassilvitskii 2007, SODA, section 2.2), (N, D).

    Of several candidates for each centroid, drawn alike, the one that leaves the least distance
    is kept, as the authors recommend in section 7. When every vector is a centroid already, the
    others repeat the last vector.
    """
    trials = 2 + num_clusters.bit_length()
    draws = torch.rand(num_clusters, trials, generator=generator, device=generator.device)
    draws = draws.to(vectors.device, torch.float64)
    energy = vectors.square().sum(1)
    centroids = [vectors[(draws[0, 0] * vectors.shape[0]).long()]]
    left = (vectors - centroids[0]).square().sum(1)  # (V,)
    for row in draws[1:]:
        reached = left.cumsum(0, dtype=torch.float64)
        places = torch.searchsorted(reached, row * reached[-1], right=True)
        candidates = vectors[places.clamp(max=vectors.shape[0] - 1)]  # (trials, D)
        distances = energy - 2 * candidates @ vectors.T + candidates.square().sum(1)[:, None]
        distances = torch.minimum(left, distances.clamp(min=0))  # (trials, V)
        best = distances.sum(1).argmin()
        centroids.append(candidates[best])
        left = distances[best]
    return torch.stack(centroids)


_STARTS = {"spread": _spread, "random": _random}


def _moved(vectors: Tensor, centroids: Tensor, members: Tensor) -> Tensor:
    """The mean of each cluster; for an empty one, the next of the worst served vectors."""
    counts = torch.bincount(members, minlength=centroids.shape[0])
    sums = torch.zeros_like(centroids).index_add_(0, members, vectors)
    empty = counts == 0
    worst = (vectors - centroids[members]).square().sum(1).argsort(descending=True)
    restarts = vectors[worst[(empty.cumsum(0) - 1).clamp(min=0)]]  # (N, D)
    return torch.where(empty[:, None], restarts, sums / counts.clamp(min=1)[:, None])
