"""Cells as PNG: shapes drawn here, letters by Pillow with a font that is there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from codecctl.dashboard.cells import Cell
from codecctl.dashboard.glyphs import HEIGHT, is_box, shape
from codecctl.errors import UsageError

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Mask = npt.NDArray[np.float32]

CELL_WIDTH = 10
CELL_HEIGHT = round(CELL_WIDTH * HEIGHT)
_FINER = 8
"""Shapes are drawn larger by this, and averaged."""
_FONT_SIZE = 16
_BASELINE = 15
_BOLD = "Bold"
_SHARES = 8
"""Steps from the ground to the ink at the edges of letters: a page then has few colors."""
_PALETTE = 256
_FONTS = ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf")
"""Of the system; they know more characters than the one that textual-serve brings."""
_ADVICE = "needed Pillow and a font; install them with: pip install 'codecctl[png]'"


def screen_png(rows: Sequence[Sequence[Cell]]) -> bytes:
    """A picture of cells, 10 x 20 pixels each.

    Raises:
        UsageError: Pillow or every font is missing.
    """
    if find_spec("PIL") is None:
        raise UsageError(f"PNG: found no Pillow, {_ADVICE}")
    ink, ground = (
        np.array([[getattr(cell, name) for cell in row] for row in rows], dtype=np.float32)
        for name in ("ink", "ground")
    )  # (rows, columns, 3)
    masks = np.stack([np.stack([_mask(cell) for cell in row]) for row in rows])
    share = masks[..., None]  # (rows, columns, 20, 10, 1)
    colors = ground[:, :, None, None] + share * (ink - ground)[:, :, None, None]
    pixels = colors.transpose(0, 2, 1, 3, 4).reshape(
        len(rows) * CELL_HEIGHT, len(rows[0]) * CELL_WIDTH, 3
    )
    target = io.BytesIO()
    _image(np.rint(pixels).astype(np.uint8)).save(target, "PNG", optimize=True)
    return target.getvalue()


def _image(pixels: npt.NDArray[np.uint8]) -> Image.Image:
    """The same colors (height, width, 3), by number where they are few: a third of the bytes."""
    from PIL import Image

    packed = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    colors, numbers = np.unique(packed, return_inverse=True)
    if colors.size > _PALETTE:
        return Image.fromarray(pixels)
    image = Image.fromarray(numbers.reshape(packed.shape).astype(np.uint8))
    image.putpalette([int(color) >> shift & 255 for color in colors for shift in (16, 8, 0)])
    return image


def _mask(cell: Cell) -> Mask:
    plain = _empty() if cell.text in ("", " ") else _drawn(cell.text, cell.bold)
    if cell.underline:
        plain = plain.copy()
        plain[_BASELINE + 2] = 1.0
    return plain


@lru_cache(maxsize=1)
def _empty() -> Mask:
    return np.zeros((CELL_HEIGHT, CELL_WIDTH), np.float32)


@lru_cache(maxsize=2048)
def _drawn(character: str, bold: bool) -> Mask:
    """How much of each pixel a character covers, (20, 10)."""
    found = shape(character) if character > "~" else None
    if found is None:
        return _lettered(character, bold)
    from PIL import Image, ImageDraw

    size = (CELL_WIDTH * _FINER, CELL_HEIGHT * _FINER)
    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    for points in found.polygons:
        scaled = [(x * size[0], y * size[0]) for x, y in points]
        if is_box(points):
            (left, top), (right, bottom) = scaled[0], scaled[2]
            # Pillow fills the last row and column, too.
            draw.rectangle((round(left), round(top), round(right) - 1, round(bottom) - 1), 255)
        else:
            draw.polygon(scaled, 255)
    fine = np.asarray(image, np.float32).reshape(CELL_HEIGHT, _FINER, CELL_WIDTH, _FINER)
    mask: Mask = fine.mean((1, 3), dtype=np.float32) * np.float32(found.opacity / 255)
    return mask


def _lettered(character: str, bold: bool) -> Mask:
    from PIL import Image, ImageDraw

    image = Image.new("L", (CELL_WIDTH, CELL_HEIGHT))
    font = _font(bold)
    start = round((CELL_WIDTH - font.getlength(character)) / 2)
    ImageDraw.Draw(image).text((max(0, start), _BASELINE), character, 255, font, anchor="ls")
    mask: Mask = np.rint(np.asarray(image, np.float32) * (_SHARES / 255)) / np.float32(_SHARES)
    return mask


@lru_cache(maxsize=2)
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    """A monospaced font: the system's DejaVu Sans Mono, else that of textual-serve.

    Raises:
        UsageError: Neither is there.
    """
    from PIL import ImageFont

    try:
        return ImageFont.truetype(_FONTS[bold], _FONT_SIZE)
    except OSError:
        brought = _brought_font()
    if brought is None:
        raise UsageError(f"PNG: found no monospaced font, {_ADVICE}")
    font = ImageFont.truetype(str(brought), _FONT_SIZE)
    if bold:
        font.set_variation_by_name(_BOLD)
    return font


def _brought_font() -> Path | None:
    """The font in the package textual-serve."""
    found = find_spec("textual_serve")
    folders = found.submodule_search_locations if found is not None else None
    for folder in folders or ():
        fonts = Path(folder, "static", "fonts").glob("*Mono-V*.ttf")
        for path in sorted(fonts):
            return path
    return None
