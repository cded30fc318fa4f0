"""One training that nothing interrupted, for every test that looks at one or equals one."""

from __future__ import annotations

from pathlib import Path

import pytest

from .training import SHORT, run, write_store


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and the run `whole`; what it said is in said.txt."""
    home = tmp_path_factory.mktemp("home")
    write_store(home / "stores" / "noise")
    code, out, err = run(home, "train", *SHORT, "--run", "whole")
    assert code == 0, err
    (home / "said.txt").write_text(out + err, encoding="utf-8")
    return home
