"""Usage, entropy and perplexity of codes."""

from __future__ import annotations

import pytest
import torch

from codecctl.engine.quantizers import (
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
