from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest import prepare
from codecctl.datasets.ingest_estimate import estimate
from codecctl.datasets.ingest_survey import Rules


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.wav", "PCM_24"), ("a.flac", "PCM_16"), ("a.w64", "FLOAT")]
)
def test_the_largest_file_is_measured_and_scaled_to_all(
    tmp_path: Path, name: str, subtype: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (64_000, 2))
    for file, seconds in ((name, 4), (f"b{name}", 2)):
        soundfile.write(source / file, audio[: seconds * 16_000], 16_000, subtype=subtype)
    prepared = prepare(source, tmp_path / "s", Rules((8000, None)))
    one, two = (estimate(prepared, num_workers=number) for number in (1, 2))
    assert one is not None and two is not None
    assert (one.measured_on, one.measured_seconds) == (name, 3.0)
    # 6 s are to be stored: by one process alone, or shared by two.
    size = (source / name).stat().st_size
    for found, processes in ((one, 1), (two, 2)):
        assert found.seconds == pytest.approx(1.5 * size / found.bytes_per_second / processes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_nothing_to_do_and_nothing_to_measure_give_no_estimate(tmp_path: Path) -> None:
    path = tmp_path / "source" / "a.wav"
    path.parent.mkdir()
    soundfile.write(path, np.zeros((16_000, 1)), 16_000)
    prepared = prepare(path.parent, tmp_path / "s", Rules((8000,)))
    path.unlink()  # since it was opened
    assert estimate(prepared, num_workers=1) is None
    soundfile.write(path, np.zeros((100, 1)), 16_000)
    short = prepare(path.parent, tmp_path / "s", Rules((8000,)))
    assert estimate(short, num_workers=1) is None
