"""Values of others on the material of a run."""

from __future__ import annotations

import json
from pathlib import Path

from codecctl.engine.references import (
    FILE,
    Reference,
    read_missing,
    read_references,
    to_json,
)


def test_references_come_back(tmp_path: Path) -> None:
    written = (Reference("val/bits_per_sample", "FLAC", 9.25, "on all"), Reference("a", "b", 1.0))
    (tmp_path / FILE).write_text(json.dumps(to_json(written)))
    assert read_references(tmp_path) == written
    assert read_missing(tmp_path) == ""


def test_a_reference_that_is_missing_says_why(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps(to_json((), missing="FLAC: not here")))
    assert (read_references(tmp_path), read_missing(tmp_path)) == ((), "FLAC: not here")


def test_what_is_no_reference_is_left_out(tmp_path: Path) -> None:
    assert read_references(tmp_path) == ()
    good = {"metric": "a", "name": "b", "value": 2.0}
    bad = [3, {**good, "value": "NaN"}, {**good, "value": None}, {**good, "name": ""}]
    (tmp_path / FILE).write_text(json.dumps({"references": [*bad, good]}))
    assert read_references(tmp_path) == (Reference("a", "b", 2.0),)
    (tmp_path / FILE).write_text('{"references": 5}')
    assert read_references(tmp_path) == ()
