from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.choose import Need, choose_store
from codecctl.errors import DataError, NotFoundError, UsageError

Maker = Callable[..., Path]
NEED = Need(rate=100, dtypes=("int16", "float32"), channels=2, seconds=1.0)


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    return tmp_path / "stores"


def audio(channels: int = 4, frames: int = 300) -> dict[str, np.ndarray]:
    return {"Beach.1": np.ones((channels, frames), dtype=np.float32)}


@pytest.mark.parametrize("name", [None, "auto"])
def test_the_one_that_fits_is_taken(make_store: Maker, stores: Path, name: str | None) -> None:
    make_store(audio(), name="eigenscape", sample_rate=100)
    make_store(audio(), name="eigenscape-44", sample_rate=44)
    assert choose_store(stores, NEED, name).name == "eigenscape"


def test_no_store_is_not_found_and_the_command_is_printed(stores: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no store here; make one with: codecctl data ingest"):
        choose_store(stores, NEED, None)


def test_several_that_fit_are_named_and_a_usage_error(make_store: Maker, stores: Path) -> None:
    make_store(audio(), name="a", sample_rate=100)
    make_store(audio(), name="b", sample_rate=100, dtype="float32")
    with pytest.raises(UsageError, match=r"2 stores that fit \(a, b\).* data\.store=a"):
        choose_store(stores, NEED, None)
    assert choose_store(stores, NEED, "b").dtype == "float32"


def test_a_misfit_prints_command_bytes_and_hours(make_store: Maker, stores: Path) -> None:
    half_an_hour = audio(4, 36_000)
    make_store(half_an_hour, name="eigenscape", sample_rate=20, source_rate=48)
    with pytest.raises(DataError) as caught:
        choose_store(stores, NEED, None)
    assert str(caught.value) == (
        "store eigenscape: found 20 Hz, needed 100 Hz; make one that fits with: codecctl data "
        "ingest '/data/field recordings' --name eigenscape-100 --rate 100 --dtype int16 "
        "(1.44 MB, 0.5 h of audio)"
    )


def test_a_misfit_of_type_names_the_new_store_after_it(make_store: Maker, stores: Path) -> None:
    make_store(audio(), name="e", sample_rate=100, source_folder="")
    need = Need(rate=100, dtypes=("float32",), channels=2, seconds=1.0)
    with pytest.raises(DataError, match=r"found int16, needed float32; .* FOLDER --name e-float32"):
        choose_store(stores, need, "e")


@pytest.mark.parametrize(
    ("channels", "frames", "sentence"),
    [
        (1, 300, "found 1 channel at most, needed 2"),
        (4, 99, r"found 0\.99 s at most with 2 channels, needed 1\.0 s"),
    ],
)
def test_what_no_ingest_of_the_same_source_can_fix_says_what_to_record(
    make_store: Maker, stores: Path, channels: int, frames: int, sentence: str
) -> None:
    make_store(audio(channels, frames), sample_rate=100)
    with pytest.raises(DataError, match=rf"{sentence}; .* at least 2 channels and 1 s with"):
        choose_store(stores, NEED, None)


def test_a_name_that_is_not_there_lists_those_that_are(make_store: Maker, stores: Path) -> None:
    folder = make_store(audio(), sample_rate=100)
    with pytest.raises(
        NotFoundError, match=r"cafe: no store of this name or path; .* holds scenes"
    ):
        choose_store(stores, NEED, "cafe")
    assert choose_store(stores / "elsewhere", NEED, str(folder)).name == "scenes"


def test_a_store_of_another_version_is_refused_when_it_is_the_only_one(
    make_store: Maker, stores: Path
) -> None:
    path = make_store(audio(), name="old", sample_rate=100) / "index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 9}))
    with pytest.raises(DataError, match="found store format version 9"):
        choose_store(stores, NEED, None)
    make_store(audio(), name="new", sample_rate=100)
    assert choose_store(stores, NEED, None).name == "new"


def test_the_store_that_fits_is_checked(make_store: Maker, stores: Path) -> None:
    path = make_store(audio(), sample_rate=100) / "rec/Beach.1.h5"
    path.write_bytes(path.read_bytes()[:-10])
    for name in (None, "scenes"):
        with pytest.raises(DataError, match=r"Beach\.1\.h5: truncated"):
            choose_store(stores, NEED, name)


def test_a_store_at_the_rate_wins_over_one_that_would_be_resampled(
    make_store: Maker, stores: Path
) -> None:
    make_store(audio(), name="native", sample_rate=48)
    found = choose_store(stores, NEED, None)
    assert (found.name, found.sample_rate, found.dtype) == ("native", 100, "float32")
    make_store(audio(), name="at-rate", sample_rate=100)
    assert choose_store(stores, NEED, None).name == "at-rate"
    assert choose_store(stores, NEED, "native").sample_rate == 100


def test_two_native_stores_are_as_ambiguous_as_two_that_fit(
    make_store: Maker, stores: Path
) -> None:
    for rate in (44, 48):
        make_store(audio(), name=f"at-{rate}", sample_rate=rate)
    with pytest.raises(UsageError, match=r"2 stores that fit \(at-44, at-48\)"):
        choose_store(stores, NEED, None)


def test_who_needs_integers_is_given_nothing_resampled(make_store: Maker, stores: Path) -> None:
    make_store(audio(), name="native", sample_rate=48)
    lossless = Need(rate=100, dtypes=("pcm",), channels=2, seconds=1.0)
    with pytest.raises(DataError, match="found 48 Hz, needed 100 Hz; make one that fits from"):
        choose_store(stores, lossless, None)
    make_store(audio(), name="resampled", sample_rate=48, source_rate=100)
    command = "FOLDER --name resampled-100 --rate native --dtype pcm"
    with pytest.raises(DataError, match="found 48 Hz, needed 100 Hz") as caught:
        choose_store(stores, lossless, "resampled")
    assert command in str(caught.value).replace("'/data/field recordings'", "FOLDER")


def test_a_store_of_integers_does_where_nothing_better_is(make_store: Maker, stores: Path) -> None:
    need = Need(rate=100, dtypes=("int16", "float32", "pcm"), channels=2, seconds=1.0)
    integers = {"Beach.1": np.ones((4, 300), dtype=np.int32)}
    make_store(integers, name="integers", sample_rate=100, dtype="pcm")
    assert choose_store(stores, need, None).dtype == "pcm"
    with pytest.raises(DataError, match="found pcm, needed int16 or float32"):
        choose_store(stores, NEED, None)
    make_store(audio(), name="scaled", sample_rate=100)
    assert choose_store(stores, need, None).name == "scaled"


def test_parts_of_a_store_wait_to_be_merged(make_store: Maker, stores: Path) -> None:
    make_store(audio(), name="big.shard-1-of-2", sample_rate=100)
    with pytest.raises(NotFoundError, match="its 1 shards wait for: codecctl data merge big"):
        choose_store(stores, NEED, None)
    with pytest.raises(NotFoundError, match=r"no store of this name or path; .* holds none"):
        choose_store(stores, NEED, "big")
    assert choose_store(stores, NEED, "big.shard-1-of-2").name == "big.shard-1-of-2"
