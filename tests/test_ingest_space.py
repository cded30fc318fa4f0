from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codecctl.datasets import ingest_space
from codecctl.datasets.ingest_space import require_space, spaces
from codecctl.datasets.quota import Quota
from codecctl.errors import CodecctlError


def test_stores_on_one_disk_are_added_up(tmp_path: Path) -> None:
    (row,) = spaces([(tmp_path / "stores" / "a", 10), (tmp_path / "stores" / "b", 5)])
    assert (row.folder, row.needed) == (tmp_path / "stores" / "a", 15)
    assert row.free == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    require_space([row])


def test_another_disk_has_a_row_of_its_own(tmp_path: Path) -> None:
    rows = spaces([(tmp_path / "a", 1), (Path("/proc/b"), 2)])
    assert [row.needed for row in rows] == [1, 2]


def test_a_quota_ends_an_ingest_before_the_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest_space, "quota", lambda _: (Quota(5_000_000, 4_000_000), True))
    (row,) = spaces([(tmp_path / "a", 2_000_000)])
    assert (row.left, row.quota_text) == (1_000_000, "1 MB of 5 MB left")
    with pytest.raises(CodecctlError, match=r"needs 2 MB, the quota leaves 1 MB of 5 MB"):
        require_space([row])


def test_no_quota_and_an_unknown_one_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known, text in ((True, "none"), (False, "unknown")):
        monkeypatch.setattr(ingest_space, "quota", lambda _, known=known: (None, known))
        (row,) = spaces([(tmp_path / "a", 1)])
        assert row.quota_text == text
        assert row.left == row.free
