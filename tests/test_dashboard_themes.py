"""Curves and words on the ground of every theme."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App

from codecctl.dashboard.cells import Rgb, screen_cells

from .dashboard_runs import dashboard, make_run, settle

OF_CURVES, OF_WORDS = 5.0, 1.7
"""Least contrast as WCAG counts it, 1 for no difference: of a curve, and of the faintest word. Two
light themes of Textual draw words below 2: atom-one-light 1.77, catppuccin-latte 1.93."""
THEMES = sorted(App[None]().available_themes)


def brightness(color: Rgb) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    parts = [value / 255 for value in color]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(ink: Rgb, ground: Rgb) -> float:
    """From 1 to 21."""
    dark, light = sorted((brightness(ink), brightness(ground)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.long
async def test_curves_and_words_can_be_told_from_the_ground_of_every_theme(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    found = {}
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app, pilot)
        for theme in THEMES:
            app.theme = theme
            await settle(app, pilot)
            cells = [cell for row in screen_cells(app) for cell in row]
            words = [cell for cell in cells if cell.text.isalnum()]
            curves = [cell for cell in cells if 0x2800 < ord(cell.text or " ") < 0x2900]
            assert len(words) > 100
            assert len(curves) > 20
            faintest = min(contrast(cell.ink, cell.ground) for cell in words)
            curve = max(contrast(cell.ink, cell.ground) for cell in curves)
            found[theme] = (round(curve, 2), round(faintest, 2))
    low = [theme for theme, (curve, word) in found.items() if curve < OF_CURVES or word < OF_WORDS]
    assert low == [], found
