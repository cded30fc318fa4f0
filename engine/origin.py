"""Where a job comes from: its profile, its command line, the weights that it starts with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codecctl.engine.profile import Resolved, profile_file
from codecctl.engine.rundir import RunDirectory, read_json


@dataclass(frozen=True)
class Origin:
    """Where a job comes from, for the run folder."""

    profile_name: str
    resolved: Resolved
    argv: Sequence[str]
    taken: Mapping[str, object] | None = None
    """Whose weights the networks were given before step 0, where they were."""

    def write_profile(self, run: RunDirectory) -> None:
        """Write profile.json; where an earlier job of the run took its weights from stays in it."""
        beginning = self.taken or read_json(run.path / "profile.json").get("from")
        stored = profile_file(self.profile_name, self.resolved)
        run.write_json("profile.json", stored | ({"from": beginning} if beginning else {}))

    def tell_start(self, run: RunDirectory, kind: str, step: int, message: str) -> None:
        """Write the events of a job that starts or resumes a run."""
        run.event(kind, step, message, argv=list(self.argv))
        if self.taken is not None:
            source = f"{self.taken['run']}:{self.taken['checkpoint']}"
            run.event("transferred", step, f"weights of {source}", taken=dict(self.taken))
