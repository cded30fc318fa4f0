"""Links of the documents lead to files, and every page of the dashboard has a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from textual.screen import Screen

import codecctl.dashboard
from codecctl.dashboard import compare_screen, previews, run_screen, store_screen

ROOT = Path(__file__).parents[1]
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
PICTURES = ROOT / "docs" / "pictures"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_TEST = re.compile(r"`([a-z_0-9/]+)::(test_\w+)`")
_OF_SCREENS = {
    "AlertsScreen": ("alerts",),
    "CompareScreen": tuple(f"compare-{name}" for name in compare_screen.TABS),
    "ConfirmScreen": ("question",),
    "DraftScreen": ("new-run",),
    "PromptScreen": ("tags",),
    "RunScreen": tuple(f"run-{name}" for name in run_screen.TABS if name != "previews"),
    "RunsScreen": ("runs",),
    "StoreScreen": tuple(f"store-{name}" for name in store_screen.STORE_TABS),
    "StoresScreen": ("stores",),
}
MOST_BYTES = 1_500_000


def links(document: Path) -> Iterator[str]:
    """What a document links to, headings and other hosts aside."""
    for link in _LINK.findall(_FENCED.sub("", document.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", link) and not link.startswith("#"):
            yield link.partition("#")[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(document: Path) -> None:
    missing = [link for link in links(document) if not (document.parent / link).exists()]
    assert missing == []


def test_every_page_has_a_picture_that_the_guide_shows() -> None:
    folder = Path(codecctl.dashboard.__path__[0])
    names = {path.stem for path in folder.glob("*_screen.py")}
    screens = {
        name
        for module in names
        for name, value in vars(import_module(f"codecctl.dashboard.{module}")).items()
        if isinstance(value, type) and issubclass(value, Screen) and not name.endswith("Modal")
    } - {"Screen", "ModalScreen"}
    assert screens == set(_OF_SCREENS), "a screen without a picture"
    wanted = {name for pages in _OF_SCREENS.values() for name in pages}
    wanted |= {f"previews-{view}" for view in previews.VIEWS} | {"help", "palette"}
    shown = {Path(link).stem for link in links(ROOT / "docs" / "dashboard.md")}
    there = {path.stem for path in PICTURES.glob("*.png")}
    assert wanted <= shown
    assert there <= shown, "a picture that nobody sees"


def test_all_pictures_together_are_small() -> None:
    sizes = [path.stat().st_size for path in PICTURES.iterdir()]
    assert sum(sizes) < MOST_BYTES
    assert all(path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" for path in PICTURES.iterdir())


def test_every_test_that_the_score_sheet_names_exists() -> None:
    text = (ROOT / "docs" / "dashboard.md").read_text(encoding="utf-8")
    rows = [row for row in text.split("\n") if re.match(r"\| \d+ \|", row)]
    assert len(rows) == 20
    for row in rows[:-1]:  # the last one is measured
        named = _TEST.findall(row)
        assert named, row
        for file, test in named:
            path = f"{file}.py" if "/" in file else f"test_dashboard_{file}.py"
            assert f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), test
