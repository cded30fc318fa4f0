"""What a training imports before its first step, and what it does not."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from codecctl.engine.fabric import hidden


def test_a_hidden_package_is_not_found_and_is_found_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with hidden("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").__name__ == "colorsys"


def test_a_package_that_is_imported_yet_stays() -> None:
    with hidden("subprocess"):
        assert importlib.import_module("subprocess") is subprocess
    assert sys.modules["subprocess"] is subprocess


@pytest.mark.long
def test_a_training_does_not_wait_for_packages_that_it_does_not_use() -> None:
    """Each is imported in a second or so where it is installed, as it is beside the tests."""
    program = "import sys, codecctl.engine.session; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert {"torchmetrics", "transformers", "scipy"}.isdisjoint(done.stdout.split())
