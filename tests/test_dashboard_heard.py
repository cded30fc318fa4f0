"""What one hears: equal loudness, a stereo pair, one channel, or a beam."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codecctl.dashboard.capsule_levels import levels_of
from codecctl.dashboard.heard import Ears, listen
from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.sound import Pair, Sound, paired
from codecctl.dashboard.space import aimed, beam_levels, direction_text, is_comparable, maps_of
from codecctl.dashboard.token_codes import no_codes
from codecctl.dashboard.views import Preview
from codecctl.datasets.loudness import loudness
from codecctl.errors import DataError

from .preview_files import RATE, field
from .test_directions import em32_wave


def sounds(audio: np.ndarray, factor: float) -> Pair:
    reference = Sound(audio.astype(np.float32), RATE)
    return paired(reference, replace(reference, audio=reference.audio * np.float32(factor)))


def item(audio: np.ndarray, factor: float, array: str) -> Loaded:
    preview = Preview(0, "whole-000", "", "")
    pair = sounds(audio, factor)
    return Loaded(preview, pair, no_codes("none"), array, levels_of(pair))


@pytest.mark.parametrize("factor", [0.1, 1.0, 3.0])
def test_both_sides_are_equally_loud_and_never_clip(factor: float) -> None:
    heard = listen(sounds(0.1 * field(2), factor), Ears(), array="")
    levels = [loudness(side, sample_rate=RATE) for side in (heard.reference, heard.reconstruction)]
    assert levels[0] == pytest.approx(levels[1], abs=1e-3)
    assert heard.match_db == pytest.approx(-20 * np.log10(factor), abs=1e-3)
    peak = max(np.abs(heard.reference).max(), np.abs(heard.reconstruction).max())
    assert peak == pytest.approx(10 ** (-3 / 20), abs=1e-3)


def test_where_one_listens_decides_which_channels_are_heard() -> None:
    pair = sounds(field(32), 0.5)
    heard = listen(pair, Ears(), array="em32")
    assert heard.label == "channels 7, 11"  # the capsules that face left and right
    assert len(heard.reference) == 2
    one = listen(pair, Ears(channel=4), array="em32")
    assert one.label == "channel 5"
    gain = np.float32(10 ** (one.gain_db / 20))
    np.testing.assert_allclose(one.reference[0], pair.reference.audio[4] * gain, rtol=1e-5)
    assert listen(pair, Ears(channel=99), array="").label == "channel 32"
    assert len(listen(sounds(field(1), 0.5), Ears(), array="").reference) == 1


def test_a_beam_hears_what_it_looks_at() -> None:
    wave = item(em32_wave(90, 0), 0.5, "em32")
    left = beam_levels(wave, (90.0, 0.0))
    right = beam_levels(wave, (-90.0, 0.0))
    assert left is not None
    assert right is not None
    assert left.reference > right.reference + 10
    assert left.reconstruction == pytest.approx(left.reference - 6.02, abs=0.01)
    index = left.centers.index(2000.0)
    change = left.reconstruction_bands[index] - left.reference_bands[index]
    assert change == pytest.approx(-6.02, abs=0.01)
    # White noise of power 1: the beam passes it as it is.
    total = 10 * np.log10(np.sum(10 ** (np.array(left.reference_bands) / 10)))
    assert total == pytest.approx(10 * np.log10(np.sqrt(2) * 8000 / 12_000), abs=0.6)
    heard = listen(wave.pair, Ears(direction=(90.0, 0.0)), array="em32")
    assert heard.label == "beam to 90°, 0°"
    assert heard.reference.shape == (1, wave.pair.reference.audio.shape[1])


def test_maps_of_both_sides_agree_where_only_the_level_differs() -> None:
    maps = maps_of(item(em32_wave(0, 0), 0.5, "em32"), columns=24, rows=12)
    assert maps is not None
    assert [each.center for each in maps.loudest()] == [1000.0, 2000.0, 4000.0, None]
    assert [each.moved_degrees for each in maps.loudest()] == [0.0] * 4
    assert maps.mean_error_db == pytest.approx(6.02, abs=0.01)
    moved = item(em32_wave(0, 0), 1.0, "em32")
    other = Sound(em32_wave(90, 0), RATE)
    moved = replace(moved, pair=paired(moved.pair.reference, other))
    maps = maps_of(moved, columns=24, rows=12)
    assert maps is not None
    for each in maps.loudest():
        assert each.moved_degrees == pytest.approx(90, abs=16)


def test_what_is_no_array_has_no_beam() -> None:
    pair = item(field(2), 0.5, "")
    assert beam_levels(pair, (0.0, 0.0)) is None
    assert maps_of(pair, columns=24, rows=12) is None
    assert is_comparable(pair) == ""
    assert is_comparable(item(field(1), 0.5, "")).startswith("one channel")
    assert is_comparable(item(field(2, seconds=0.01), 0.5, "")) == "shorter than 512 samples"
    with pytest.raises(DataError, match="no beam can be formed"):
        listen(pair.pair, Ears(direction=(0.0, 0.0)), array="")


def test_the_arrows_go_round_and_end_above_and_below() -> None:
    assert aimed((170.0, 0.0), left=1) == (-180.0, 0.0)
    assert aimed((-180.0, 0.0), left=-1) == (170.0, 0.0)
    assert aimed((0.0, 85.0), up=1) == (0.0, 90.0)
    assert aimed((0.0, -90.0), up=-1) == (0.0, -90.0)
    assert direction_text((90.0, 0.0)) == "azimuth 90°, elevation 0° (left)"
    assert direction_text((-45.0, 10.0)).endswith("(front right)")
    assert direction_text((180.0, 0.0)).endswith("(back)")
    assert direction_text((0.0, 90.0)).endswith("(up)")
