"""The resolved profile of a run: every value and where it came from."""

from __future__ import annotations

from rich.text import Text

from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.settings import flatten, source_of
from codecctl.dashboard.views import RunView
from codecctl.engine.rundir import Row

_COLUMNS = (
    ListColumn("key", 0),
    ListColumn("value", 0),
    ListColumn("from", 20),
)
_SHIPPED = "codecctl/profiles/"


class ProfileTable(Listing):
    """One row for each value; what the command line changed is bold."""

    HELP = """
    ## Profile

    The resolved profile with the source of each value, then the environment of the run.
    Values that the command line changed are bold.
    """

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="profile-table")
        self._rows_in_full: dict[str, list[Cell]] = {}
        self._shown: tuple[Row, Row] | None = None

    def show_run(self, run: RunView) -> None:
        """Exchange the rows, if the files changed."""
        if run.detail is None or self._shown == (run.detail.profile, run.detail.environment):
            return
        self._shown = (run.detail.profile, run.detail.environment)
        provenance = run.detail.profile.get("provenance")
        sources = provenance if isinstance(provenance, dict) else {}
        rows: dict[str, list[Cell]] = {}
        for path, value in flatten(run.detail.profile.get("profile")):
            source = str(source_of(path, sources)).removeprefix(_SHIPPED)
            changed = source.startswith("override ")
            style = "bold" if changed else ""
            source = "command line" if changed else source
            rows[path] = [Text(path, style=style), Text(value, style=style), source]
        for path, value in flatten(_without_distributions(run.detail.environment)):
            key = f"environment.{path}"
            rows.setdefault(key, [Text(key, style="dim"), value, "environment.json"])
        self._rows_in_full = rows
        self.show_rows(rows)

    def selected_text(self) -> str:
        """The row under the cursor without anything cut off."""
        cells = self._rows_in_full.get(self.selected_key or "")
        if cells is None:
            return ""
        path, value, source = (str(cell) for cell in cells)
        return f"{path} = {value}" + (f"   from {source}" if source else "")


def _without_distributions(environment: Row) -> Row:
    """A hundred installed distributions would bury everything else; their number stays."""
    installed = environment.get("distributions")
    if not isinstance(installed, dict):
        return environment
    return {**environment, "distributions": f"{len(installed)}, see environment.json"}
