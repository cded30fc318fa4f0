"""Work beside the pages is described in words, not by its arguments."""

from __future__ import annotations

import ast
from pathlib import Path

import codecctl.dashboard

FOLDER = Path(codecctl.dashboard.__file__).parent


def _workers() -> dict[str, tuple[bool, bool]]:
    """Of each method that is work: whether it takes arguments, and whether it is described."""
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for each in node.decorator_list:
                if isinstance(each, ast.Call) and ast.unparse(each.func) == "work":
                    takes = len(node.args.args) > 1 or bool(node.args.kwonlyargs)
                    described = any(keyword.arg == "description" for keyword in each.keywords)
                    found[f"{path.stem}.{node.name}"] = (takes, described)
    return found


def test_work_with_arguments_is_described_so_that_nobody_writes_them_out() -> None:
    """Textual would write the whole run with its tables, in the thread that draws."""
    workers = _workers()
    assert {"previews._read", "space_view._compute"} <= workers.keys()
    assert [name for name, (takes, described) in workers.items() if takes and not described] == []
