"""Sides that are drawn: seeded, balanced by scene, and of what belongs together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from codecctl.datasets.folds import Method, make_folds
from codecctl.datasets.store import Store
from codecctl.errors import DataError, UsageError

from .small_stores import noise, write_small_store

SCENES = ("Beach", "BusyStreet", "Park", "Woodland")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Four scenes of five takes each."""
    audio = noise([f"{scene}.{take}" for scene in SCENES for take in range(5)])
    folder = write_small_store(tmp_path_factory.mktemp("folds") / "scenes", audio)
    with Store.open(folder) as opened:
        yield opened


def scenes(names: Sequence[str]) -> Counter[str]:
    return Counter(name.partition(".")[0] for name in names)


def test_one_recording_of_every_scene_validates_by_default(store: Store) -> None:
    (fold,) = make_folds(store, Method())
    assert scenes(fold.validation) == dict.fromkeys(SCENES, 1)
    assert scenes(fold.train) == dict.fromkeys(SCENES, 4)
    assert sorted(fold.train + fold.validation) == [info.name for info in store.recordings]


def test_the_seed_alone_decides(store: Store) -> None:
    drawn = [make_folds(store, Method(seed=seed))[0].validation for seed in range(6)]
    assert drawn == [make_folds(store, Method(seed=seed))[0].validation for seed in range(6)]
    assert len(set(drawn)) == 6


@pytest.mark.parametrize("count", [2, 3, 5])
def test_everything_validates_once_in_folds_that_every_scene_is_spread_over(
    store: Store, count: int
) -> None:
    folds = make_folds(store, Method(folds=count))
    assert len(folds) == count
    everything = sorted(info.name for info in store.recordings)
    assert sorted(name for fold in folds for name in fold.validation) == everything
    for fold in folds:
        assert sorted(fold.train + fold.validation) == everything
        share = scenes(fold.validation)
        assert all(5 // count <= share[scene] <= -(-5 // count) for scene in SCENES)
    sizes = [len(fold.validation) for fold in folds]
    assert max(sizes) - min(sizes) <= 1


def test_leaving_one_out_makes_a_fold_of_each(store: Store) -> None:
    folds = make_folds(store, Method(leave_one_out=True))
    assert sorted(fold.validation for fold in folds) == [(i.name,) for i in store.recordings]
    folds = make_folds(store, Method(by="scene", leave_one_out=True))
    assert sorted(scenes(fold.validation).popitem() for fold in folds) == [
        (scene, 5) for scene in SCENES
    ]


def test_shares_are_of_every_scene(store: Store) -> None:
    (fold,) = make_folds(store, Method(validation=0.2, test=0.4))
    assert scenes(fold.test) == dict.fromkeys(SCENES, 2)
    assert scenes(fold.validation) == dict.fromkeys(SCENES, 1)
    assert scenes(fold.train) == dict.fromkeys(SCENES, 2)
    (half,) = make_folds(store, Method(train=0.2, validation=0.2))
    assert len(half.train) == 4


def test_a_share_of_few_recordings_is_met_in_all(store: Store) -> None:
    (fold,) = make_folds(store, Method(validation=0.1))
    assert sorted(scenes(fold.validation).values()) == [1, 1]
    (least,) = make_folds(store, Method(validation=0.001))
    assert len(least.validation) == 1


def test_tests_are_kept_out_of_every_fold(store: Store) -> None:
    folds = make_folds(store, Method(folds=3, test=("park",)))
    assert {scenes(fold.test)["Park"] for fold in folds} == {5}
    assert all("Park" not in scenes(fold.train + fold.validation) for fold in folds)


def test_scenes_may_be_named_or_drawn(store: Store) -> None:
    by_name = Method(by="scene", validation=("busy street",), test=("WOODLAND",))
    (fold,) = make_folds(store, by_name)
    assert [set(scenes(names)) for names in fold.sides.values()] == [
        {"Beach", "Park"},
        {"BusyStreet"},
        {"Woodland"},
    ]
    (drawn,) = make_folds(store, Method(by="scene"))
    assert len(scenes(drawn.validation)) == 1
    (half,) = make_folds(store, Method(by="scene", validation=0.5))
    assert len(scenes(half.validation)) == len(scenes(half.train)) == 2
    (rest,) = make_folds(store, Method(by="scene", train=("Beach",)))
    assert set(scenes(rest.validation)) == {"BusyStreet", "Park", "Woodland"}


def test_folds_of_scenes_validate_each_scene_once(store: Store) -> None:
    folds = make_folds(store, Method(by="scene", folds=2))
    assert sorted(scene for fold in folds for scene in scenes(fold.validation)) == list(SCENES)


def test_copies_and_cuts_stay_together(tmp_path: Path) -> None:
    audio = noise([f"Beach.{take}" for take in range(8)])
    audio["Beach.5"] = audio["Beach.1"].copy()
    audio["Beach.7"][0, 10:20] = audio["Beach.1"][0, :10]
    together = {"Beach.1", "Beach.5", "Beach.7"}
    with Store.open(write_small_store(tmp_path / "s", audio)) as store:
        for seed in range(5):
            for fold in make_folds(store, Method(folds=3, seed=seed)):
                assert together <= set(fold.validation) or together <= set(fold.train)


def test_recordings_of_a_place_stay_together_when_asked(tmp_path: Path) -> None:
    names = [f"Beach.{take}" for take in range(6)]
    places = {
        name: {"Location": ("North  bay", "north bay", "Pier")[i % 3]}
        for i, name in enumerate(names)
    }
    with Store.open(write_small_store(tmp_path / "s", noise(names), metadata=places)) as store:
        folds = make_folds(store, Method(group="location", leave_one_out=True))
    assert sorted(len(fold.validation) for fold in folds) == [2, 4]


@pytest.mark.parametrize(
    ("method", "error", "sentence"),
    [
        (Method(folds=2, leave_one_out=True), UsageError, "each says how many folds; keep one"),
        (Method(folds=2, validation=0.2), UsageError, "--val: folds decide who trains"),
        (Method(train=0.7, validation=0.4), UsageError, r"shares of 1\.1 in all"),
        (Method(validation=("Park",)), UsageError, "has every scene on both sides; needed a share"),
        (Method(by="scene", validation=("Parc",)), DataError, "no scene Parc; it has Beach, BusyS"),
        (
            Method(by="scene", validation=("Park",), test=("park",)),
            UsageError,
            "--test Park: is in --val as well",
        ),
        (Method(folds=21), DataError, "found 20 independent recordings to split, needed 21"),
        (Method(by="scene", folds=5), DataError, "found 4 scenes to split, needed 5"),
        (Method(group="location"), DataError, "no recording has a Location"),
        (Method(by="scene", train=SCENES), DataError, "leaves no recording to validate"),
    ],
)
def test_what_cannot_be_split_is_explained(
    store: Store, method: Method, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        make_folds(store, method)


def test_without_scenes_there_is_only_a_split_by_recording(tmp_path: Path) -> None:
    names = [f"take{number}" for number in range(10)]
    with Store.open(write_small_store(tmp_path / "s", noise(names))) as store:
        with pytest.raises(DataError, match=r"10 recordings have no scene \(take0\)"):
            make_folds(store, Method(by="scene"))
        (fold,) = make_folds(store, Method())
    assert (len(fold.train), len(fold.validation)) == (8, 2)


def test_scenes_that_share_audio_are_not_split(tmp_path: Path) -> None:
    audio = noise(["Beach.1", "Park.1", "Woodland.1"])
    audio["Park.1"] = audio["Beach.1"]
    method = Method(by="scene", validation=("Park",))
    with (
        Store.open(write_small_store(tmp_path / "s", audio)) as store,
        pytest.raises(DataError, match=r"Beach\.1 and Park\.1: same audio"),
    ):
        make_folds(store, method)


def test_a_method_says_itself_and_its_options() -> None:
    method = Method(by="scene", validation=("Busy Street", "Park"), test=0.2, seed=7)
    assert str(method) == "by scene, val Busy Street,Park, test 0.2, seed 7"
    assert method.options == "--by scene --val 'Busy Street,Park' --test 0.2 --seed 7"
    assert str(Method(folds=4, group="location")) == (
        "4 folds by recording, locations together, seed 42"
    )
    assert Method(leave_one_out=True).options == "--by recording --leave-one-out --seed 42"
