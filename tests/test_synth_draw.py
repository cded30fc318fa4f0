"""Drawing the plan of a recording."""

import json
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.synth.draw import draw_recording
from codecctl.datasets.synth.plan import STATEMENT
from codecctl.datasets.synth.recorded import Sound, SoundFolder
from codecctl.datasets.synth.scenes import SCENES


def _folder(*sounds: Sound) -> SoundFolder:
    return SoundFolder(Path("sounds"), sounds, left_out=(), fingerprint="x")


def test_a_plan_depends_on_scene_take_and_seed_alone() -> None:
    plan = draw_recording("Park", 2, seconds=4.0, seed=7, folder=None)
    assert plan == draw_recording("Park", 2, seconds=4.0, seed=7, folder=None)
    assert plan.sources != draw_recording("Park", 1, seconds=4.0, seed=7, folder=None).sources
    assert plan.sources != draw_recording("Park", 2, seconds=4.0, seed=8, folder=None).sources


def test_the_array_is_the_same_in_every_recording_of_a_corpus() -> None:
    plans = [draw_recording(s, 1, seconds=4.0, seed=3, folder=None) for s in SCENES]
    assert {plan.noise.gain_seed for plan in plans} == {3}
    assert len({plan.noise.seed for plan in plans}) == len(plans)


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_a_scene_has_three_or_four_sounds_outside_the_sphere(scene: str) -> None:
    plan = draw_recording(scene, 1, seconds=4.0, seed=0, folder=None)
    assert len(plan.sources) in (3, 4)
    for source in plan.sources:
        assert source.motion.closest_meters() > 1.0
        assert source.material.file is None


def test_a_car_passes_within_a_short_recording() -> None:
    plan = draw_recording("BusyStreet", 1, seconds=4.0, seed=1, folder=None)
    times = np.linspace(0, 4, 401)
    for source in plan.sources[:2]:
        assert source.motion.kind == "driving"
        nearest = np.linalg.norm(source.motion.positions(times), axis=1)
        assert 0.05 < times[nearest.argmin()] < 3.95
        assert nearest.min() == pytest.approx(source.motion.closest_meters(), rel=0.02)


def test_files_are_matched_by_words_of_their_names() -> None:
    folder = _folder(
        Sound("music/carnatic.wav", 9.0, 3.0),
        Sound("ocean_long.flac", 9.0, 1.0),
        Sound("Sea/1-2-A.ogg", 9.0, 2.0),
        Sound("wind.wav", 9.0, 2.0),
        Sound("bird-4.flac", 9.0, 5.0),
    )
    plan = draw_recording("Beach", 1, seconds=4.0, seed=0, folder=folder)
    files = {source.material.kind: source.material.file for source in plan.sources}
    assert files["wind"] == "wind.wav"
    assert files["birds"] == "bird-4.flac"
    assert {source.material.file for source in plan.sources[:2]} == {
        "ocean_long.flac",
        "Sea/1-2-A.ogg",
    }


def test_without_a_match_the_bed_is_the_steadiest_and_a_car_is_no_carnatic_singer() -> None:
    many = [Sound(f"carnatic{n}.wav", 9.0, float(5 + n)) for n in range(10)]
    folder = _folder(*many, Sound("hum.wav", 9.0, 0.1))
    plan = draw_recording("BusyStreet", 1, seconds=4.0, seed=0, folder=folder)
    assert plan.bed.material.file == "hum.wav"


def test_short_sounds_pause_and_long_ones_begin_somewhere_inside() -> None:
    plan = draw_recording(
        "Beach", 1, seconds=4.0, seed=0, folder=_folder(Sound("horn.wav", 0.7, 9.0))
    )
    material = plan.sources[0].material
    assert material.silence_seconds >= 0.5
    assert material.loop_seconds == pytest.approx(0.7 + material.silence_seconds)
    long = draw_recording(
        "Beach", 1, seconds=4.0, seed=0, folder=_folder(Sound("hour.wav", 3600.0, 1.0))
    )
    assert long.sources[0].material.loop_seconds == 8.0
    assert long.sources[0].material.start_seconds > 0


def test_a_file_that_is_used_twice_is_not_heard_twice_at_once() -> None:
    folder = _folder(Sound("sea.wav", 6.0, 1.0))
    plan = draw_recording("Beach", 1, seconds=4.0, seed=0, folder=folder)
    shifts = [source.material.shift_seconds for source in plan.sources[:2]]
    assert abs(shifts[0] - shifts[1]) > 0.05


def test_the_log_holds_positions_motion_files_gains_and_seeds() -> None:
    plan = draw_recording("TrainStation", 1, seconds=4.0, seed=0, folder=None)
    log = json.loads(json.dumps(plan.to_json()))
    assert log["statement"] == STATEMENT
    assert "never support a claim" in log["statement"]
    first = log["sources"][0]
    assert set(first["motion"]) >= {"kind", "start", "end", "speed", "phase_seconds"}
    assert set(first["material"]) >= {"kind", "file", "seed", "loop_seconds"}
    assert first["level_dbfs"] < 0
    assert log["noise"]["sensor_dbfs_per_hz"] == -129.0
