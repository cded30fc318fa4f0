from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.provenance import Sources, metadata_columns, provenance
from codecctl.datasets.store import Store
from codecctl.errors import DataError

MakeStore = Callable[..., Path]
SILENCE = np.zeros((2, 8000), np.float32)


def test_the_recordings_say_what_made_them(make_store: MakeStore) -> None:
    with Store.open(make_store({"a": SILENCE, "b": SILENCE, "c": SILENCE[:1]})) as store:
        made = provenance(store)
    assert made.sources == (
        Sources("unknown-1ch", 1, 8000, 24, 1), Sources("unknown-2ch", 2, 8000, 24, 2),
    )  # fmt: skip
    assert made.hashes == {"sha256": 3}
    assert made.resamplers == {"none": 3}
    (tool,) = made.tools
    assert tool.startswith("codecctl ")
    assert made.first <= made.last
    assert made.first.endswith("Z")


def test_values_of_metadata_are_counted_and_empty_ones_left_out(make_store: MakeStore) -> None:
    metadata = {"a": {"Place": "Filey", "Note": ""}, "b": {"Place": "Filey", "Note": ""}}
    with Store.open(make_store({"a": SILENCE, "b": SILENCE}, metadata=metadata)) as store:
        assert metadata_columns(store) == {"Place": {"Filey": 2}}


def test_a_recording_that_vanished_is_named(make_store: MakeStore) -> None:
    store = Store.open(make_store({"a": SILENCE}))
    (store.path / "rec" / "a.h5").unlink()
    with pytest.raises(DataError, match=r"a\.h5: cannot read the recording"):
        provenance(store)
