from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.bench_lines import Report, lines
from codecctl.commands.data_bench import bench
from codecctl.datasets.bench import COLD, MEMORY, SIMULATED, Load, Place, Speed
from codecctl.datasets.windows import Window
from codecctl.errors import DataError, UsageError

LOAD = Load(Window(frames=24000, capsules=32), batch_size=4, rate=24000)


@pytest.fixture
def store(make_store: Callable[..., Path]) -> Path:
    audio = np.random.default_rng(0).standard_normal((4, 4000)).astype(np.float32)
    return make_store({"Park.1": audio}, sample_rate=100)


def measured(
    store: Path, capsys: pytest.CaptureFixture[str], **options: object
) -> dict[str, object]:
    bench(str(store), budget=0, steps=1000, as_json=True, **options)  # type: ignore[arg-type]
    content: dict[str, object] = json.loads(capsys.readouterr().out)
    return content


def rows(content: dict[str, object]) -> list[dict[str, object]]:
    found = content["rows"]
    assert isinstance(found, list)
    return found


def test_every_asked_place_is_measured(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = measured(store, capsys, cold=True, latency="0.01,0.02", io_threads="1,3")
    places = [(row["read"], row["io_threads"], row["latency_ms"]) for row in rows(content)]
    assert places == [
        ("in memory", 1, 0),
        ("from disk", 1, 0),
        ("from disk", 3, 0),
        ("simulated", 1, 0.01),
        ("simulated", 3, 0.01),
        ("simulated", 1, 0.02),
        ("simulated", 3, 0.02),
    ]
    assert [row["simulated"] for row in rows(content)] == 3 * [False] + 4 * [True]
    assert (content["channels"], content["batch_size"], content["window_seconds"]) == (4, 4, 1)
    assert content["schema"] == 1 and content["array_channels"] == 4


def test_a_window_may_be_chosen(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = measured(store, capsys, channels=2, seconds=0.5, batch_size=7)
    assert (content["channels"], content["batch_size"], content["window_seconds"]) == (2, 7, 0.5)


def test_a_profile_that_reads_symbols_is_refused(store: Path) -> None:
    with pytest.raises(UsageError, match=r"^--profile lossless-8bit: reads symbols, and this"):
        bench(str(store), profile="lossless-8bit")


def test_a_profile_says_what_is_read_and_a_native_store_is_resampled(
    make_store: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    audio = np.random.default_rng(0).standard_normal((2, 96_000)).astype(np.float32)
    folder = make_store({"Park.1": audio}, sample_rate=48_000)
    content = measured(folder, capsys, profile="paired", batch_size=2)
    assert (content["channels"], content["rate"], content["batch_size"]) == (2, 24_000, 2)


def test_a_slow_disk_is_imitated_with_three_numbers_of_threads(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = measured(store, capsys, latency="0.01")
    assert [row["io_threads"] for row in rows(content)] == [1, 1, 8, 32]


def test_the_table_is_for_people(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench(str(store), budget=0, steps=1000)
    first, *others = capsys.readouterr().out.splitlines()
    assert first.endswith("4 channels of 1 s at 100 Hz, 0.0032 MB of int16 each")
    assert others[1].startswith("in memory") and others[2].startswith("items of 4 channels:")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"latency": "-1"}, "--latency: found '-1', needed milliseconds"),
        ({"latency": "x"}, "--latency: found 'x', needed milliseconds"),
        ({"io_threads": "0"}, "--io-threads: found '0', needed numbers from 1 to 256"),
        ({"io_threads": "1,a"}, "--io-threads: found '1,a'"),
    ],
)
def test_numbers_that_are_none_are_refused(
    store: Path, options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        bench(str(store), **options)  # type: ignore[arg-type]


def test_more_channels_than_there_are_is_an_error(store: Path) -> None:
    with pytest.raises(DataError, match=r"found 4 channels, needed 5; lower --channels"):
        bench(str(store), channels=5)


def speed(kind: str, rate: float, *, io_threads: int = 1, latency: float = 0.0) -> Speed:
    return Speed(Place(kind, io_threads, latency), 1 / rate, 0.001, 9, 6.144e6, LOAD)


def words(*speeds: Speed) -> str:
    return "\n".join(lines(Report("stores/s", "int16", speeds, speeds[0], 0.97, 10.0)))


def test_who_waits_is_said_in_words() -> None:
    text = words(
        speed(MEMORY, 160),
        speed(COLD, 80),
        speed(SIMULATED, 1.3, latency=0.005),
        speed(SIMULATED, 11, io_threads=8, latency=0.005),
        speed(SIMULATED, 35, io_threads=32, latency=0.005),
        speed(SIMULATED, 0.4, latency=0.02),
        speed(SIMULATED, 2.9, io_threads=8, latency=0.02),
    )
    assert "from memory, a trainer at 10 steps/s does not wait (up to 160 steps/s)" in text
    assert "from this disk, a trainer at 10 steps/s does not wait (up to 80 steps/s)" in text
    assert (
        "behind 5 ms a read (simulated), a trainer at 10 steps/s does not wait (up to 11 steps/s) "
        "with data.io_threads=8; with 1, it makes 1.3"
    ) in text
    assert (
        "behind 20 ms a read (simulated), a trainer with data.io_threads=8 at 10 steps/s waits 71% "
        "of its time and makes 2.9"
    ) in text
    assert "10 steps/s instead of 0.4: codecctl data stage stores/s DIR" in text
    assert "97% of the loading goes unnoticed" in text


def test_staging_is_not_advised_where_it_would_not_help() -> None:
    assert "stage" not in words(speed(MEMORY, 160), speed(COLD, 80))
    assert "stage" not in words(speed(MEMORY, 5), speed(COLD, 4))
    assert "stage" in words(speed(MEMORY, 9), speed(COLD, 4))
