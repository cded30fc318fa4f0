"""Nearest neighbors and k-means."""

from __future__ import annotations

import pytest
import torch

from codecctl.engine.quantizers import clustering
from codecctl.engine.quantizers.clustering import Start, kmeans, nearest


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_nearest_entry_is_that_of_the_full_distance_table() -> None:
    vectors, codebook = torch.randn(300, 8), torch.randn(50, 8)
    assert torch.equal(nearest(vectors, codebook), torch.cdist(vectors, codebook).argmin(1))


def test_chunks_do_not_change_the_nearest_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, codebook = torch.randn(300, 8), torch.randn(50, 8)
    whole = nearest(vectors, codebook)
    monkeypatch.setattr(clustering, "_CHUNK", 50 * 7)
    assert torch.equal(nearest(vectors, codebook), whole)


def separate_clusters() -> torch.Tensor:
    return 100 * torch.eye(6).repeat(20, 1) + 0.1 * torch.randn(120, 6, generator=seeded())


@pytest.mark.parametrize("seed", range(40))
def test_k_means_finds_the_means_of_separate_clusters(seed: int) -> None:
    vectors = separate_clusters()
    clusters = kmeans(vectors, 6, iterations=10, generator=seeded(seed))
    order = clusters.centroids.argmax(1).argsort()
    torch.testing.assert_close(clusters.centroids[order], vectors.view(20, 6, 6).mean(0))
    assert clusters.counts.tolist() == [20] * 6
    assert torch.equal(clusters.members, nearest(vectors, clusters.centroids))


def test_a_random_start_often_stays_in_a_local_minimum() -> None:
    vectors = separate_clusters()
    found = [
        kmeans(vectors, 6, iterations=10, generator=seeded(seed), start="random").counts.tolist()
        for seed in range(40)
    ]
    assert 5 < sum(counts != [20] * 6 for counts in found) < 35


def test_a_spread_start_serves_a_gaussian_at_least_as_well_as_a_random_one() -> None:
    vectors = torch.randn(1000, 4, generator=seeded())

    def distortion(start: Start, seed: int) -> float:
        found = kmeans(vectors, 64, iterations=3, generator=seeded(seed), start=start)
        return float((vectors - found.centroids[found.members]).square().sum(1).mean())

    spread = sum(distortion("spread", seed) for seed in range(5))
    assert spread < sum(distortion("random", seed) for seed in range(5))


def test_the_first_centroids_of_a_spread_start_are_distinct_vectors() -> None:
    vectors = torch.cat([torch.zeros(500, 4), torch.randn(40, 4, generator=seeded())])
    first = kmeans(vectors, 32, iterations=0, generator=seeded()).centroids
    assert torch.unique(first, dim=0).shape[0] == 32
    assert all((vectors == centroid).all(1).any() for centroid in first)


def test_no_cluster_stays_empty_among_repeated_vectors() -> None:
    vectors = torch.cat([torch.zeros(500, 4), torch.randn(40, 4)])
    clusters = kmeans(vectors, 32, iterations=20, generator=seeded())
    assert clusters.counts.min() >= 1
    assert torch.unique(clusters.centroids, dim=0).shape[0] == 32


def test_fewer_distinct_vectors_than_clusters_stay_finite() -> None:
    clusters = kmeans(torch.ones(10, 4), 8, iterations=5, generator=seeded())
    assert torch.equal(clusters.centroids, torch.ones(8, 4))
    assert clusters.counts.sum() == 10


def test_k_means_is_a_function_of_the_vectors_and_the_generator() -> None:
    vectors = torch.randn(200, 4)
    first = kmeans(vectors, 16, iterations=5, generator=seeded(7))
    again = kmeans(vectors, 16, iterations=5, generator=seeded(7))
    other = kmeans(vectors, 16, iterations=5, generator=seeded(8))
    assert torch.equal(first.centroids, again.centroids)
    assert not torch.equal(first.centroids, other.centroids)
