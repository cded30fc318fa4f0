"""Late reverberation against direct convolution."""

import numpy as np
import pytest

from codecctl.datasets.synth.reverb import Reverb

RATE = 8_000
BLOCK = 512


def _reverb(seed: int = 0) -> Reverb:
    rng = np.random.default_rng(seed)
    return Reverb(0.4, 3, block=BLOCK, sample_rate=RATE, rng=rng)


def _response() -> np.ndarray:
    reverb = _reverb()
    impulse = np.zeros(BLOCK, dtype=np.float32)
    impulse[0] = 1
    blocks = [reverb.process(impulse)]
    blocks += [reverb.process(0 * impulse) for _ in range(reverb.num_partitions)]
    return np.concatenate(blocks, axis=1)


def test_blocks_equal_one_long_convolution() -> None:
    signal = np.random.default_rng(1).standard_normal(6 * BLOCK).astype(np.float32)
    reverb = _reverb()
    found = np.concatenate([reverb.process(part) for part in np.split(signal, 6)], axis=1)
    expected = [np.convolve(signal, tail)[: len(signal)] for tail in _response()]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_tails_have_unit_energy_and_decay_by_60_db_in_time() -> None:
    response = _response()
    assert (response**2).sum() == pytest.approx(1.0, rel=1e-5)
    energy = (response**2).sum(axis=0)[::-1].cumsum()[::-1]
    level = 10 * np.log10(energy[: int(0.3 * RATE)])
    slope = np.polyfit(np.arange(int(0.05 * RATE), int(0.25 * RATE)) / RATE, level[400:2000], 1)[0]
    assert -60 / slope == pytest.approx(0.4, rel=0.2)
    assert np.abs(np.corrcoef(response) - np.eye(3)).max() < 0.15


def test_a_room_that_was_filled_sounds_on() -> None:
    signal = np.random.default_rng(2).standard_normal(BLOCK).astype(np.float32)
    pushed, processed = _reverb(), _reverb()
    pushed.push(signal)
    processed.process(signal)
    pushed.process(signal)
    processed.process(signal)
    np.testing.assert_allclose(pushed.process(signal), processed.process(signal), atol=1e-5)
