"""Usage, entropy and perplexity of codes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from codecctl.engine.quantizers import (
    codebook_diversity,
    codebook_entropy,
    codebook_perplexity,
    codebook_usage,
    count_codes,
)


def test_counts_are_kept_apart_by_stage_and_add_up_over_batches() -> None:
    codes = torch.tensor([[[0, 0, 1], [3, 3, 3]], [[1, 0, 2], [3, 0, 3]]])  # (B, K, F)
    counts = count_codes(codes, codebook_size=4)
    assert counts.tolist() == [[3, 2, 1, 0], [1, 0, 0, 5]]
    by_item = [count_codes(item[None], codebook_size=4) for item in codes]
    assert torch.equal(counts, by_item[0] + by_item[1])


def test_four_equally_frequent_entries_of_eight_carry_two_bits() -> None:
    counts = torch.tensor([[5, 5, 5, 5, 0, 0, 0, 0]])
    assert codebook_usage(counts).tolist() == [0.5]
    assert codebook_entropy(counts).tolist() == [2.0]
    assert codebook_perplexity(counts).tolist() == [4.0]


def test_one_entry_carries_nothing() -> None:
    counts = torch.tensor([[0, 9, 0]])
    assert codebook_entropy(counts).tolist() == [0.0]
    assert codebook_perplexity(counts).tolist() == [1.0]


def test_uneven_codes_carry_the_bits_of_the_formula() -> None:
    counts = torch.tensor([[2, 1, 1]])
    assert codebook_entropy(counts).item() == pytest.approx(1.5)


def test_no_codes_at_all_are_no_error() -> None:
    counts = torch.zeros(2, 4, dtype=torch.int64)
    assert codebook_usage(counts).tolist() == [0.0, 0.0]
    assert codebook_entropy(counts).tolist() == [0.0, 0.0]


def test_diversity_is_entropy_as_a_share_of_the_most_there_can_be() -> None:
    counts = torch.tensor([[5, 5, 5, 5], [7, 0, 0, 0], [0, 0, 0, 0], [1, 1, 2, 0]])
    found = codebook_diversity(counts)
    # The last: 1/4, 1/4, 1/2 have 1.5 bits, of 2.
    torch.testing.assert_close(found, torch.tensor([1.0, 0.0, 0.0, 0.75]))
    assert codebook_diversity(torch.tensor([[3]])).tolist() == [0.0]  # a single entry


@given(st.lists(st.integers(0, 50), min_size=2, max_size=40))
def test_diversity_is_that_of_float64(counts: list[int]) -> None:
    total = sum(counts)
    shares = [count / total for count in counts if count] if total else []
    expected = -sum(share * math.log2(share) for share in shares) / math.log2(len(counts))
    found = codebook_diversity(torch.tensor([counts])).item()
    assert 0 <= found <= 1
    assert found == pytest.approx(expected, abs=1e-6)
