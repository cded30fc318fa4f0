"""The page of an item: what it holds, and what it never does."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

from codecctl.dashboard.detail import list_previews
from codecctl.dashboard.heard import Ears, listen
from codecctl.dashboard.listening_page import COLUMNS, ROWS, PageRequest, page_html, page_of_run
from codecctl.dashboard.sound import read_pair
from codecctl.errors import CodecctlError, DataError, NotFoundError

from .dashboard_runs import make_run
from .preview_files import RATE, field, write_item, write_sound


def item_of(page: str) -> dict[str, object]:
    """What the script of the page reads."""
    found = re.search(r'<script type="application/json" id="item">(.*?)</script>', page, re.DOTALL)
    assert found
    content: dict[str, object] = json.loads(found[1])
    return content


def test_a_page_holds_both_sides_and_three_pictures(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    write_item(run, 20, channels=2, level=0.25)
    page = page_of_run(tmp_path, PageRequest("run", 20, "item-000", Ears()))
    item = item_of(page)
    assert item["title"] == "run · step 20 · item-000"
    assert (item["sampleRate"], item["channels"], item["matchDb"]) == (RATE, 2, 12.0)
    (preview,) = list_previews(run)
    heard = listen(read_pair(preview.reference, preview.reconstruction), Ears(), array="")
    for name, side in (("reference", heard.reference), ("reconstruction", heard.reconstruction)):
        pcm = np.frombuffer(base64.b64decode(str(item[name])), "<i2").reshape(-1, 2).T
        np.testing.assert_allclose(pcm / 32767, side, atol=2**-15)
    pictures = item["pictures"]
    assert isinstance(pictures, dict)
    for picture in pictures.values():
        assert len(base64.b64decode(picture)) == COLUMNS * ROWS
    difference = np.frombuffer(base64.b64decode(pictures["difference"]), np.uint8)
    assert abs(int(np.median(difference)) - 128) <= 1  # equally loud, so no difference


def test_a_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    write_item(run, 20)
    page = page_of_run(tmp_path, PageRequest("run", 20, "item-000", Ears(channel=1)))
    without_item = page.replace(json.dumps(item_of(page), ensure_ascii=False), "")
    assert len(without_item) < 20_000
    assert not re.search(r"https?:|//[a-z]|@import|fetch\(|XMLHttp|WebSocket", without_item)
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page)) == {"data:,"}


def test_names_cannot_leave_the_script_that_holds_them(tmp_path: Path) -> None:
    run = make_run(tmp_path, "<script>alert(1)<")
    write_item(run, 20)
    page = page_of_run(tmp_path, PageRequest(run.name, 20, "item-000", Ears()))
    assert "alert(1)<" not in page
    assert "<script>alert" not in page
    assert str(item_of(page)["title"]).startswith("<script>alert(1)<")


def test_what_cannot_be_heard_is_an_error(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    write_item(run, 20)
    write_sound(run / "previews" / "step-000000020" / "item-001.wav", field(2))
    previews = {preview.item: preview for preview in list_previews(run)}
    pair = read_pair(previews["item-000"].reference, previews["item-000"].reconstruction)
    with pytest.raises(DataError, match="no beam can be formed"):
        page_html(run, previews["item-000"], pair, Ears(direction=(0.0, 0.0)))
    with pytest.raises(CodecctlError, match="item-001 at step 20: not written"):
        page_of_run(tmp_path, PageRequest("run", 20, "item-001", Ears()))
    for wanted in (("other", 20, "item-000"), ("run", 21, "item-000"), ("run", 20, "../item-000")):
        with pytest.raises(NotFoundError):
            page_of_run(tmp_path, PageRequest(*wanted, Ears()))
