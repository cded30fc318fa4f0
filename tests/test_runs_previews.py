"""Previews of a run as a table whose links hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codecctl.app import app
from codecctl.errors import NotFoundError


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "runs" / "a"
    for name in (
        *("reference/item-000.wav", "reference/item-001.wav", "step-000050000/item-000.wav"),
        *("step-000050000/item-001.wav", "step-000050000/item-000.swap.wav"),
        *("step-000080000/item-000.wav", "step-000080000/item-002.wav", "step-odd/item-000.wav"),
    ):
        path = run / "previews" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (run / "profile.json").write_text("{}")
    return run


def test_real_and_fake_stand_side_by_side(run: Path) -> None:
    done = CliRunner().invoke(app, ["runs", "previews", str(run)])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.split("|")[1:3] for line in lines[2:]] == [
        [" 50000 ", " item-000 "],
        [" 50000 ", " item-001 "],
        [" 80000 ", " item-000 "],
    ]
    links = re.findall(r"\]\(([^)]+)\)", done.stdout)
    assert len(links) == 6
    assert all((run / link).is_file() for link in links)


def test_one_item_and_json(run: Path) -> None:
    done = CliRunner().invoke(app, ["runs", "previews", str(run), "--item", "item-001", "--json"])
    (pair,) = json.loads(done.stdout)["previews"]
    assert pair == {
        "step": 50000,
        "item": "item-001",
        "real": "previews/reference/item-001.wav",
        "fake": "previews/step-000050000/item-001.wav",
    }
    done = CliRunner().invoke(app, ["runs", "previews", str(run), "--item", "item-009"])
    assert isinstance(done.exception, NotFoundError)
