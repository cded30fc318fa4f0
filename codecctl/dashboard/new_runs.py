"""How one comes from a run or a profile to a new run, in the terminal or in one's editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import SuspendNotSupported
from textual.binding import Binding, BindingType

from codecctl.dashboard.confirm_screen import ConfirmScreen
from codecctl.dashboard.draft_screen import DraftScreen
from codecctl.dashboard.pages import Pages
from codecctl.dashboard.resuming import place_refusal
from codecctl.errors import CodecctlError

if TYPE_CHECKING:
    from codecctl.engine.rerun import Basis

READ_ONLY = "read-only: nothing is changed from here; with --web, --steer allows it"
_NO_EDITOR = "a browser has no $EDITOR: N changes values here"
_NO_EDITOR_HERE = "a browser has no $EDITOR: enter changes the value under the cursor, a adds one"


class NewRuns(Pages):
    """The part of the application that starts runs.

    Attributes:
        folder: The folder of runs.
        may_steer: Whether runs may be started.
    """

    folder: Path
    may_steer: bool
    stores: Path

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("N", "new_run", "New run", show=False, id="run.new", tooltip="With its profile"),
        Binding(
            "E", "edit_profile", "$EDITOR", show=False, id="run.edit", tooltip="Its profile, anew"
        ),
    ]

    def start_refusal(self) -> str:
        """Why no run can be started from here; "" when one can."""
        if not self.may_steer:
            return READ_ONLY
        if problem := place_refusal(self.folder):
            return problem
        there = self.folder if self.folder.is_dir() else self.folder.absolute().parent
        return "" if os.access(there, os.W_OK) else f"{there} may not be written by you"

    def action_new_run(self) -> None:
        """Make a new run of the profile of the selected one."""
        self._open_for_run()

    def action_edit_profile(self) -> None:
        """Open the profile of the selected run in an editor; what is changed makes a new run."""
        if self.is_web:
            self.notify(_NO_EDITOR, severity="warning")
        else:
            self._open_for_run(DraftScreen.action_editor)

    def _open_for_run(self, then: Callable[[DraftScreen], None] | None = None) -> None:
        from codecctl.engine.rerun import basis_of_run

        run = self.selected_run()
        if run is not None:
            self.open_draft(
                lambda: basis_of_run(run.summary.path),
                origin=run.name,
                name=run.name,
                then=then,
            )

    def open_draft(
        self,
        find: Callable[[], Basis],
        *,
        origin: str,
        name: str,
        edits: tuple[str, ...] = (),
        then: Callable[[DraftScreen], None] | None = None,
    ) -> None:
        """Open the page of a new run, or say why there can be none.

        Args:
            find: Gives the profile that it begins with.
            origin: What that is of, for the title.
            name: Of the run or profile, after which the new run is called.
            edits: Changes to begin with.
            then: Called with the page when it is open.
        """
        from codecctl.dashboard.draft import free_name, new_draft

        if problem := self.start_refusal():
            self.notify(problem, severity="warning", markup=False)
            return
        try:
            draft = new_draft(find(), edits)
        except CodecctlError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        proposed = free_name(self.folder, name)
        screen = DraftScreen(draft, origin=origin, folder=self.folder, name=proposed)
        self.push_screen(screen, self._page_closed)
        if then is not None:
            self.call_after_refresh(then, screen)

    @on(DraftScreen.Wanted)
    def _start_draft(self, event: DraftScreen.Wanted) -> None:
        from codecctl.dashboard.app import DashboardApp
        from codecctl.dashboard.draft import LOG, start

        assert isinstance(self, DashboardApp)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            start(self, event.draft, self.folder, event.run_name)
        except OSError as error:
            self.notify(f"not started: {error}", severity="error", markup=False)
            return
        if isinstance(self.screen, DraftScreen):
            self.screen.dismiss()
        told = f"{event.run_name}: starting; {LOG} of the run tells how"
        self.notify(told, markup=False)
        self.poll()

    @on(DraftScreen.EditorWanted)
    def _edit_draft(self, event: DraftScreen.EditorWanted) -> None:
        """Let an editor change a copy of the values; what differs then are changes of the draft."""
        from codecctl.engine.rerun import toml_of

        if self.is_web:
            self.notify(_NO_EDITOR_HERE, severity="warning")
            return
        self._edit(event.screen, _HEAD + toml_of(event.screen.draft.resolved.profile))

    def _edit(self, screen: DraftScreen, text: str) -> None:
        from codecctl.engine.rerun import edits_of_file

        basis = screen.draft.basis
        with tempfile.TemporaryDirectory(prefix="codecctl-") as folder:
            copy = Path(folder) / f"{basis.name}.toml"
            copy.write_text(text, encoding="utf-8")
            if problem := self._run_editor(copy):
                self.notify(problem, severity="error", markup=False)
                return
            written = copy.read_text(encoding="utf-8", errors="replace")
            try:
                edits = edits_of_file(basis, copy)
            except CodecctlError as error:
                lines = str(error).replace(f"{copy}:", "line ").split("\n")
                asked = "\n".join(
                    [*lines[:8], "", "Open it again? Otherwise its changes are lost."]
                )
                self.push_screen(
                    ConfirmScreen(asked), lambda yes: self._edit(screen, written) if yes else None
                )
                return
        screen.show_draft(screen.draft.with_edits(tuple(edits)))
        count = len(edits)
        told = (
            "nothing was changed"
            if not count
            else f"{count} value{'s' * (count != 1)} changed; ctrl+s starts it"
        )
        self.notify(told, markup=False)

    def _run_editor(self, path: Path) -> str:
        """Give the terminal to $VISUAL, $EDITOR or vi; why that failed, or ""."""
        chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        try:
            command = shlex.split(chosen)
            with self.suspend():
                code = subprocess.run([*command, str(path)], check=False).returncode
        except SuspendNotSupported:
            return f"{chosen}: this terminal cannot be given to an editor; N changes values here"
        except (OSError, ValueError) as error:
            return f"{chosen}: cannot be started: {error}; set $EDITOR"
        return f"{chosen}: ended with exit code {code}; nothing was taken over" if code else ""


_HEAD = """# The values of a run. Change what shall be different, save, and leave the editor:
# the changes are listed and offered as a new run. Without a change nothing happens.

"""
