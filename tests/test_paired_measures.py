"""The measures on a codec whose codes are known."""

from __future__ import annotations

import pytest
import torch

from codecctl.engine.recipes.paired_measures import measure_lines, measure_paired
from codecctl.errors import DataError

from .clear_codec import ENTRIES, codec, noise, scene


def test_content_in_the_first_code_and_nothing_of_the_capsule_in_the_second() -> None:
    network = codec()
    audio, codes = scene(network, capsules=32)
    found = measure_paired(network, [audio[:1], audio[1:]])
    assert found.items == 2
    assert all(group.agreement == 1 for group in found.first_by_angle)
    drawn = [group.agreement for group in found.second_by_angle]
    assert max(abs(share - 1 / ENTRIES) for share in drawn) < 0.05
    between = found.between_first
    assert between.plug_in == pytest.approx(between.entropies[0])
    assert abs(between.shuffled) < 0.1
    assert not found.probes[0].tells and not found.probes[1].tells
    assert max(abs(told.bits) for told in found.of_capsule) < 0.05
    assert found.shared == pytest.approx(found.apart, abs=1e-3)
    assert found.codes_kbps == pytest.approx(found.apart_kbps * 33 / 64)
    assert torch.equal(codes[:, 0, 0], codes[:, 1, 0])


def test_a_second_code_that_is_the_capsule_is_found_by_probe_and_information() -> None:
    network = codec()
    _, codes = scene(network, capsules=32)
    codes[:, :, 1] = (torch.arange(32) % ENTRIES)[:, None]
    latent = network.quantizer.decode(codes.flatten(0, 1))
    audio = network.autoencoder.decode(latent, 1200).detach().reshape(2, 32, -1)
    found = measure_paired(network, [audio])
    first, second = found.of_capsule
    assert abs(first.bits) < 0.05 and second.bits == pytest.approx(2.0, abs=0.05)
    assert found.probes[1].accuracy == pytest.approx(ENTRIES / 32)
    assert found.probes[1].chance == pytest.approx(1 / 32)
    lines = measure_lines(found)
    assert lines[0] == "2 items of 32 capsules"
    assert len(lines) == 2 + 11 + 1 + 2 + 1 + 5
    assert lines[15].startswith("second code tells of the capsule: 2.00 bits of 5.00, with cap")


def test_what_is_no_whole_array_is_refused() -> None:
    with pytest.raises(DataError, match="found 4 channels, needed 32"):
        measure_paired(codec(), [noise(2, 4, 1200)])
    with pytest.raises(DataError, match="found 1 items of 32 channels, needed 2"):
        measure_paired(codec(), [noise(1, 32, 1200)])
