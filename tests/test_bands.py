from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.bands import band_edges, band_means, band_sums, nominal, octave_centers


def test_octaves_end_where_the_rate_ends() -> None:
    assert octave_centers(24_000).tolist() == [31.25 * 2**k for k in range(9)]  # ends at 11.3 kHz
    assert octave_centers(48_000)[-1] == 16_000
    assert octave_centers(8_000)[-1] == 2_000


def test_octaves_lie_side_by_side() -> None:
    edges = band_edges(octave_centers(24_000))
    np.testing.assert_allclose(edges[1:, 0], edges[:-1, 1])
    np.testing.assert_allclose(edges[:, 1] / edges[:, 0], 2)


def test_a_band_takes_its_part_of_the_bins_at_its_edges() -> None:
    # Bins reach from -5 to 5, 5 to 15, 15 to 25 Hz; the band from 10 to 20 Hz holds half of two.
    assert band_sums(np.array([1.0, 10.0, 100.0]), bin_width=10.0, edges=np.array([[10.0, 20.0]]))[
        0
    ] == pytest.approx(5 + 50)


def test_a_flat_spectrum_has_its_value_as_mean_of_every_band() -> None:
    edges = band_edges(octave_centers(24_000))
    means = band_means(np.full((2, 2049), 0.3), bin_width=24_000 / 4096, edges=edges)
    np.testing.assert_allclose(means, 0.3)


def test_standard_numbers_are_written() -> None:
    assert [nominal(center) for center in octave_centers(8_000)[:3]] == [31.5, 63.0, 125.0]
