"""Pictures of the screen: as PNG, decoded again, and as SVG."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from codecctl.dashboard import screen_png
from codecctl.dashboard.cells import Cell, mixed, screen_cells
from codecctl.dashboard.screen_svg import screen_svg
from codecctl.errors import UsageError

from .dashboard_runs import dashboard, make_run, screen_text, settle

Image = pytest.importorskip("PIL.Image", reason="needs Pillow, of the extra png")

RED, BLUE, WHITE = (200, 10, 20), (10, 20, 180), (250, 250, 250)
WIDTH, HEIGHT = screen_png.CELL_WIDTH, screen_png.CELL_HEIGHT


def pixels(picture: bytes) -> np.ndarray:
    """Rows and columns of cells, then of their pixels: (R, C, 20, 10, 3)."""
    image = Image.open(io.BytesIO(picture))
    assert image.format == "PNG"
    flat = np.asarray(image.convert("RGB"), np.int64)
    rows, columns = flat.shape[0] // HEIGHT, flat.shape[1] // WIDTH
    return flat.reshape(rows, HEIGHT, columns, WIDTH, 3).transpose(0, 2, 1, 3, 4)


def test_each_cell_has_its_colors_where_they_belong() -> None:
    row = [Cell(each, RED, BLUE) for each in ("█", " ", "▀", "▌", "▒", "⠁", "")]
    full, empty, upper, left, shade, dot, behind = pixels(screen_png.screen_png([row]))[0]
    assert (full == RED).all() and (empty == BLUE).all() and (behind == BLUE).all()
    assert (upper[:10] == RED).all() and (upper[10:] == BLUE).all()
    assert (left[:, :5] == RED).all() and (left[:, 5:] == BLUE).all()
    assert (shade == mixed(RED, BLUE, 0.5)).all()
    assert (dot[2][2] == RED).all() and (dot[5:] == BLUE).all() and (dot[:, 5:] == BLUE).all()


def test_letters_are_drawn_by_a_font_and_bold_ones_with_more_ink() -> None:
    rows = [[Cell("m", WHITE, BLUE), Cell("m", WHITE, BLUE, bold=True), Cell("m", BLUE, BLUE)]]
    plain, bold, unseen = pixels(screen_png.screen_png(rows))[0]
    assert 0 < (plain - BLUE).sum() < (bold - BLUE).sum()
    assert (plain[:3] == BLUE).all() and (unseen == BLUE).all()
    underlined = pixels(screen_png.screen_png([[Cell(" ", WHITE, BLUE, underline=True)]]))[0, 0]
    assert ((underlined == WHITE).all(axis=(1, 2))).sum() == 1


def test_the_font_that_comes_along_does_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_png, "_FONTS", ("none.ttf", "none-bold.ttf"))
    for cached in (screen_png._font, screen_png._drawn):
        cached.cache_clear()
    try:
        rows = [[Cell("m", WHITE, BLUE), Cell("m", WHITE, BLUE, bold=True)]]
        plain, bold = pixels(screen_png.screen_png(rows))[0]
        assert 0 < (plain - BLUE).sum() < (bold - BLUE).sum()
        screen_png._drawn.cache_clear()
        screen_png._font.cache_clear()
        monkeypatch.setattr(screen_png, "_brought_font", lambda: None)
        with pytest.raises(UsageError, match=r"found no monospaced font.*codecctl\[png\]"):
            screen_png.screen_png(rows)
    finally:
        for cached in (screen_png._font, screen_png._drawn):
            cached.cache_clear()


def test_svg_keeps_text_and_asks_nobody_for_anything() -> None:
    row = [Cell(each, RED, BLUE) for each in "a <b  c█"]
    text = screen_svg([row, row])
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height")) == ("80", "40")
    found = [each for each in root.iter() if each.tag.endswith("text")]
    assert [each.text for each in found] == ["a <b", "c"] * 2
    assert [each.get("x") for each in found] == ["0", "60"] * 2
    assert [each.get("textLength") for each in found] == ["40", "10"] * 2
    assert 'd="M70 0h10v20h-10zM70 20h10v20h-10z"' in text
    assert "h-10" in text and "--" not in screen_svg([[Cell("⏎", RED, BLUE)]])
    without_name_space = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|url\(|@import|@font-face|href", without_name_space)


@pytest.mark.long
async def test_a_key_and_the_palette_write_pictures_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "run")
    monkeypatch.chdir(tmp_path)
    app = dashboard(tmp_path / "runs")
    async with app.run_test(size=(90, 24), notifications=True) as pilot:
        await settle(app, pilot)
        before, words = screen_cells(app), screen_text(app)
        assert ["".join(c.text for c in row).rstrip() for row in before] == words.split("\n")
        await pilot.press("S")
        await settle(app, pilot)
        assert "exported to" in screen_text(app)
        await pilot.press("ctrl+p", *"screen as svg")
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("enter")
        await settle(app, pilot)
    drawn = pixels((tmp_path / "codecctl-screen.png").read_bytes())
    assert drawn.shape[:2] == (24, 90)
    grounds = np.array([[cell.ground for cell in row] for row in before])
    blank = np.array([[cell.text == " " and not cell.underline for cell in row] for row in before])
    assert blank.sum() > 500
    assert (drawn[blank] == grounds[blank][:, None, None]).all()
    assert len(np.unique(grounds.reshape(-1, 3), axis=0)) > 2
    assert "codecctl" in (tmp_path / "codecctl-screen.svg").read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "codecctl-screen.png",
        "codecctl-screen.svg",
        "runs",
    ]


async def test_without_pillow_the_key_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(screen_png, "find_spec", lambda name: None)
    app = dashboard(tmp_path / "runs")
    async with app.run_test(size=(120, 24), notifications=True) as pilot:
        await settle(app, pilot)
        await pilot.press("S")
        await settle(app, pilot)
        assert "PNG: found no Pillow" in screen_text(app)
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_few_colors_is_written_with_a_palette_and_one_of_many_is_not() -> None:
    few = [[Cell("m", RED, BLUE), Cell("▀", WHITE, BLUE)] * 20]
    many = [[Cell("▀", (red, green, 0), BLUE) for red in range(0, 250, 10)] for green in range(20)]
    images = [Image.open(io.BytesIO(screen_png.screen_png(rows))) for rows in (few, many)]
    assert [image.mode for image in images] == ["P", "RGB"]
    upper, lower = pixels(screen_png.screen_png(few))[0, 1][[0, -1], 0]
    assert upper.tolist() == list(WHITE)
    assert lower.tolist() == list(BLUE)
