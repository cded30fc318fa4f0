"""What was compiled is not taken for other sources."""

from __future__ import annotations

from typing import Any

import pytest

from codecctl.engine.lossless import compiled, recursion

pytestmark = pytest.mark.skipif(not compiled.COMPILES, reason="numba is not installed")


def test_other_sources_in_the_folder_are_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    function: Any = recursion.run
    codegen = function.targetctx.codegen()
    first = function._cache._index_key("signature", codegen)
    assert compiled.sources() in first
    monkeypatch.setattr(compiled, "sources", lambda: -1)
    assert function._cache._index_key("signature", codegen) != first
