"""The codebooks of the residual vector quantizer: moving average, start, revival."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from codecctl.engine.quantizers import Ranks, ResidualVectorQuantizer, codebook_usage, count_codes
from codecctl.engine.quantizers.rvq import Ema

DIM = 8
SIZE = 32


def quantizer(
    *,
    num_codebooks: int = 3,
    codebook_size: int = SIZE,
    dead_threshold: float = 2.0,
    decay: float = 0.99,
    ema: Ema = "correct",
) -> ResidualVectorQuantizer:
    torch.manual_seed(0)
    return ResidualVectorQuantizer(
        dim=DIM,
        num_codebooks=num_codebooks,
        codebook_size=codebook_size,
        decay=decay,
        epsilon=1e-5,
        kmeans_iterations=10,
        dead_threshold=dead_threshold,
        ema=ema,
    )


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(batch: int = 4, frames: int = 50, seed: int = 1) -> Tensor:
    return torch.randn(batch, DIM, frames, generator=seeded(seed))


def rows(latent: Tensor) -> Tensor:
    return latent.transpose(1, 2).flatten(0, 1)


def started(*, dead_threshold: float = 2.0) -> ResidualVectorQuantizer:
    network = quantizer(dead_threshold=dead_threshold)
    network.initialize(rows(noise(8, 64)), seeded())
    return network


def state(network: ResidualVectorQuantizer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def unchanged(network: ResidualVectorQuantizer, before: dict[str, Tensor]) -> bool:
    return all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


# The moving average


def test_only_an_update_moves_the_codebooks_and_only_once() -> None:
    network = started()
    before = state(network)
    network(noise())
    assert unchanged(network, before)
    network.update(seeded())
    assert not unchanged(network, before)
    moved = state(network)
    network.update(seeded())
    assert unchanged(network, moved)


def test_evaluation_leaves_no_trace() -> None:
    network = started().eval()
    before = state(network)
    network(noise())
    network.encode(noise())
    network.update(seeded())
    network.train().update(seeded())
    assert unchanged(network, before)


def test_an_update_averages_counts_and_sums() -> None:
    network = quantizer(num_codebooks=1, codebook_size=2, decay=0.75, dead_threshold=0.0)
    start = torch.zeros(1, 2, DIM)
    start[0, 1, 0] = 10.0
    network.codebooks.copy_(start)
    network.counts.copy_(torch.tensor([[4.0, 4.0]]))
    network.sums.copy_(4 * start)
    latent = torch.zeros(1, DIM, 3)
    latent[0, 0] = torch.tensor([1.0, 8.0, 14.0])
    network(latent)
    network.update(seeded())
    # 0.75 * 4 + 0.25 * (1, 2) vectors; 0.75 * (0, 40) + 0.25 * (1, 22) along the first axis.
    torch.testing.assert_close(network.counts, torch.tensor([[3.25, 3.5]]))
    torch.testing.assert_close(network.sums[0, :, 0], torch.tensor([0.25, 35.5]))
    expected = torch.tensor([0.25 / 3.25, 35.5 / 3.5])
    torch.testing.assert_close(network.codebooks[0, :, 0], expected, atol=1e-3, rtol=0)


def test_accumulated_batches_count_like_one() -> None:
    whole, parts = started(), started()
    latent = noise(8)
    whole(latent)
    for part in torch.split(latent, 2):
        parts(part)
    whole.update(seeded(3))
    parts.update(seeded(3))
    assert unchanged(parts, state(whole))


def two_ranks(parts: list[ResidualVectorQuantizer], seed: int) -> None:
    """Update as two processes would: first hear what each has to say, then hand out the sum."""
    heard: list[Tensor] = []

    def listen(message: Tensor) -> None:
        heard.append(message.clone())

    def answer(message: Tensor) -> None:
        message.copy_(heard[0] + heard[1])

    for rank, part in enumerate(parts):
        copy.deepcopy(part).update(seeded(seed), ranks=Ranks(rank, 2, listen))
    for rank, part in enumerate(parts):
        part.update(seeded(seed), ranks=Ranks(rank, 2, answer))


def test_ranks_that_share_a_batch_get_the_codebooks_of_one_process() -> None:
    alone, parts = started(), [started(), started()]
    for network in [alone, *parts]:
        network.codebooks[:, :4] += 1e3  # unreachable, so revival takes part
        network.counts[:, :4] = 0.0
    for step in range(20):
        latent = noise(8, 4, seed=step)
        alone(latent)
        alone.update(seeded(step))
        parts[0](latent[:4])
        parts[1](latent[4:])
        two_ranks(parts, step)
    torch.testing.assert_close(parts[0].state_dict(), parts[1].state_dict(), atol=0, rtol=0)
    torch.testing.assert_close(parts[0].state_dict(), alone.state_dict(), atol=1e-5, rtol=1e-5)


def test_an_update_is_a_function_of_the_batch_and_the_generator() -> None:
    networks = [started(), started(), started()]
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        network.codebooks[0, :8] += 1e3
        network.counts[0, :8] = 0.0
        network(noise())
        network.update(seeded(seed))
    assert torch.equal(networks[0].codebooks, networks[1].codebooks)
    assert not torch.equal(networks[0].codebooks, networks[2].codebooks)


def test_a_loaded_state_continues_to_the_last_bit() -> None:
    network, resumed = started(), quantizer()
    for step in range(3):
        network(noise(seed=step))
        network.update(seeded(step))
    resumed.load_state_dict(network.state_dict())
    for step in range(3, 6):
        for each in (network, resumed):
            each(noise(seed=step))
            each.update(seeded(step))
    assert unchanged(resumed, state(network))


# The start


def test_k_means_outlives_the_first_update() -> None:
    network, latent = started(), noise(8, 64)
    level = network.codebooks.norm(dim=-1).mean()
    error = network(latent).commitments[-1].mean().item()
    network.update(seeded())
    assert network.codebooks.norm(dim=-1).mean().item() == pytest.approx(level.item(), rel=0.01)
    assert network(latent).commitments[-1].mean().item() == pytest.approx(error, rel=0.02)


def test_the_sums_of_the_start_are_centroids_times_counts() -> None:
    network = started()
    torch.testing.assert_close(network.sums, network.codebooks * network.counts[..., None])


@pytest.mark.parametrize("size", [8, 200])
def test_a_vector_of_the_sample_weighs_as_much_as_one_of_the_first_update(size: int) -> None:
    decay = 0.9
    network = quantizer(num_codebooks=1, codebook_size=2, decay=decay)
    places = torch.eye(DIM)[:2].repeat_interleave(size, 0)  # two far clusters of equal vectors
    network.initialize(places, seeded())
    shift = torch.full((DIM,), 0.1)
    network((places + shift).T[None])
    network.update(seeded())
    found = network.codebooks[0].sort(0, descending=True).values
    expected = (torch.eye(DIM)[:2] + shift / (1 + decay)).sort(0, descending=True).values
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_less_than_one_entry_in_a_hundred_starts_as_a_duplicate() -> None:
    network = quantizer(num_codebooks=2, codebook_size=256)
    network.initialize(torch.randn(1024, DIM, generator=seeded()), seeded())
    for codebook in network.codebooks:
        distances = torch.cdist(codebook, codebook) + torch.eye(256)
        assert (distances < 1e-4).any(1).float().mean() < 0.01


def test_the_start_is_a_function_of_the_latents_and_the_generator() -> None:
    networks = [quantizer() for _ in range(3)]
    for network, seed in zip(networks, (5, 5, 6), strict=True):
        network.initialize(rows(noise(8, 64)), seeded(seed))
    assert torch.equal(networks[0].codebooks, networks[1].codebooks)
    assert not torch.equal(networks[0].codebooks, networks[2].codebooks)


def test_without_k_means_the_first_update_fills_the_books_from_the_batch() -> None:
    network = quantizer()
    network(noise(8, 64))
    network.update(seeded())
    usage = codebook_usage(count_codes(network.encode(noise(8, 64)), codebook_size=SIZE))
    assert usage.min() > 0.9


# Revival


@pytest.mark.long
def test_unreachable_entries_are_used_two_hundred_updates_later() -> None:
    network = started()
    far = slice(0, 12)
    network.codebooks[:, far] = 1e3
    network.sums[:, far] = 1e3 * network.counts[:, far, None]
    assert count_codes(network.encode(noise()), codebook_size=SIZE)[:, far].sum() == 0
    for step in range(200):
        network(noise(seed=step))
        network.update(seeded(step))
    counts = count_codes(network.encode(noise(16, 64)), codebook_size=SIZE)
    assert (counts[:, far] > 0).float().mean() > 0.95


def test_dead_entries_become_distinct_vectors_of_the_batch_and_stay() -> None:
    network = started()
    network.counts[0, 3:9] = 0.0
    latent = noise(frames=64)
    network.codebooks[0, 3:9] = 1e3
    network.sums[0, 3:9] = 0.0
    network(latent)
    network.update(seeded())
    assert network.revived.tolist() == [6, 0, 0]
    moved = network.codebooks[0, 3:9]
    assert torch.cdist(moved, rows(latent)).min(1).values.max() < 1e-5
    assert torch.unique(moved, dim=0).shape[0] == 6
    torch.testing.assert_close(network.sums[0, 3:9], moved * network.counts[0, 3:9, None])
    network(latent)
    network.update(seeded())
    assert network.revived.tolist() == [0, 0, 0]
    assert torch.cdist(network.codebooks[0, 3:9], moved).diagonal().max() < 0.2


@pytest.mark.long
def test_a_small_batch_does_not_declare_the_average_entry_dead() -> None:
    network, revived = started(dead_threshold=2.0), 0
    for step in range(300):
        network(noise(batch=1, frames=16, seed=step))  # half a vector for each entry
        network.update(seeded(step))
        revived += int(network.revived.sum())
    assert revived < 300 * 0.01 * SIZE * 3


def test_a_threshold_of_zero_revives_nothing() -> None:
    network = started(dead_threshold=0.0)
    network.counts[:, :5] = 0.0
    network(noise())
    network.update(seeded())
    assert network.revived.tolist() == [0, 0, 0]


def test_more_dead_entries_than_vectors_share_them() -> None:
    network = quantizer(num_codebooks=1)
    latent = noise(batch=1, frames=3)
    network(latent)
    network.update(seeded())
    revived = int(network.revived[0])
    distances = torch.cdist(network.codebooks[0], rows(latent))
    assert SIZE - 3 <= revived == int((distances.min(1).values < 0.01).sum())
    assert torch.bincount(distances.argmin(1)).min() >= revived // 3


# The published defects, on request


def test_the_encodec_mode_shrinks_its_start_and_revives_nothing() -> None:
    correct, published = quantizer(), quantizer(ema="encodec")
    for network in (correct, published):
        network.initialize(rows(noise(8, 64)), seeded())
        network.codebooks[0, :4] += 1e3
        network.sums[0, :4] = 0.0
        network.counts[0, :4] = 0.0
        network(noise(8, 64))
        network.update(seeded())
    level = [network.codebooks[1].norm(dim=-1).mean() for network in (correct, published)]
    assert level[1] < 0.5 * level[0]
    assert correct.revived.tolist() == [4, 0, 0]
    assert published.revived.tolist() == [0, 0, 0]
