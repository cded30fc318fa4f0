"""The page on which a new run is made of a profile: values with what they mean, and changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from codecctl.dashboard.confirm_screen import ConfirmScreen
from codecctl.dashboard.curves import searcher
from codecctl.dashboard.keys_footer import KeysFooter
from codecctl.dashboard.line import Line
from codecctl.dashboard.listing import Cell, ListColumn, Listing

if TYPE_CHECKING:
    from codecctl.dashboard.draft import Draft

_COLUMNS = (ListColumn("key", 0), ListColumn("value", 0), ListColumn("from", 20))
_SHIPPED = ("codecctl/profiles/", "profiles/")
_MOST_PROBLEMS = 4


class DraftScreen(Screen[None]):
    """A new run that is not started yet.

    Args:
        draft: What it begins with.
        origin: Run or profile that it begins with, for the title.
        folder: The folder of runs.
        name: Proposed for the run.
    """

    HELP = """
    ## New run

    The values of a profile, what they mean and where they come from. `enter` changes the value
    under the cursor, `a` adds `key=value`, `group=option` or `~key` as behind `codecctl train`, and
    each letter is checked as it is typed. `ctrl+s` starts the training after a question. Nothing
    of the run that the values come from is written.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start", id="draft.start", tooltip="Train it", priority=True),
        Binding("a", "add", "Add", id="draft.add", tooltip="key=value, group=option or ~key"),
        Binding("u", "undo", "Undo", id="draft.undo", tooltip="The change under the cursor"),
        Binding("slash", "search", "Search", id="draft.search", key_display="/", tooltip="Keys"),
        Binding("E", "editor", "$EDITOR", id="draft.editor", tooltip="All values as a file"),
        Binding("escape", "back", "Back", id="draft.back", tooltip="Leave without a new run"),
    ]

    class Wanted(Message):
        """A training is to be started."""

        def __init__(self, draft: Draft, name: str) -> None:
            super().__init__()
            self.draft = draft
            self.run_name = name

    class EditorWanted(Message):
        """The values are to be opened in an editor."""

        def __init__(self, screen: DraftScreen) -> None:
            super().__init__()
            self.screen = screen

    def __init__(self, draft: Draft, *, origin: str, folder: Path, name: str) -> None:
        super().__init__()
        self.draft = draft
        self._origin = origin
        self._folder = folder
        self._proposed = name
        self._before = draft.before()

    def compose(self) -> ComposeResult:
        """Title, name, search, values, what the value means, the line that changes it, keys."""
        yield Static(id="draft-title", markup=False)
        with Horizontal(id="draft-naming"):
            yield Static("name", markup=False)
            yield Line(self._proposed, id="draft-name", compact=True)
        yield Line(
            placeholder="keys: a regular expression",
            id="draft-search",
            classes="line",
            compact=True,
        )
        yield Listing(_COLUMNS, id="draft-table")
        yield Static(id="draft-meaning", classes="whole-row", markup=False)
        yield Line(
            placeholder="key=value  group=option  ~key",
            id="draft-edit",
            classes="line",
            compact=True,
        )
        yield Static(id="draft-problem", classes="whole-row", markup=False)
        yield KeysFooter()

    def on_mount(self) -> None:
        """Keys go to the table."""
        self.query_one("#draft-table", Listing).focus()
        self.show_draft(self.draft)

    def show_draft(self, draft: Draft) -> None:
        """Exchange the values."""
        self.draft = draft
        changes = len(draft.changes())
        parts = [f"new run from {self._origin}", f"profile {draft.basis.name}"]
        parts.append(f"{changes} change" + "s" * (changes != 1))
        self.query_one("#draft-title", Static).update(" · ".join(parts))
        pattern = self.query_one("#draft-search", Input).value
        self.query_one("#draft-table", Listing).show_rows(dict(self._rows(pattern)))
        self._tell(self._name_problem(), *draft.problems)
        self._show_meaning()

    def _rows(self, pattern: str) -> Iterator[tuple[str, list[Cell]]]:
        """Changes of keys that there are not, then the values whose key matches."""
        from codecctl.dashboard.draft import key_of

        matches = searcher(pattern)
        every = self.draft.rows()
        known = {row.key for row in every}
        shown = [row for row in every if matches(row.key)]
        for edit in self.draft.edits:
            if key_of(edit) not in known and self.draft.problems:
                yield key_of(edit), [Text(key_of(edit), style="bold"), edit, "typed"]
        for row in shown:
            old = self._before.get(row.key)
            if row.value == old:
                yield row.key, [row.key, row.value, _source(row.source)]
            else:
                was = "was absent" if old is None else f"was {old}"
                value = Text.assemble((row.value, "bold"), (f"  {was}", "dim"))
                yield row.key, [Text(f"{row.key} *", style="bold"), value, "changed here"]

    def _name_problem(self) -> str:
        from codecctl.dashboard.draft import name_problem

        return name_problem(self._folder, self.query_one("#draft-name", Input).value.strip())

    def _tell(self, *problems: str) -> None:
        lines = [line for line in problems if line]
        shown = lines[:_MOST_PROBLEMS]
        shown += [f"and {len(lines) - len(shown)} more"] if len(lines) > len(shown) else []
        self.query_one("#draft-problem", Static).update(Text("\n".join(shown), style="bold red"))

    @on(Listing.RowHighlighted, "#draft-table")
    def _show_meaning(self) -> None:
        key = self.query_one("#draft-table", Listing).selected_key or ""
        source = next((row.source for row in self.draft.rows() if row.key == key), "")
        parts = [self.draft.describe(key), f"From {source}." if source else ""]
        text = " ".join(part for part in parts if part)
        self.query_one("#draft-meaning", Static).update(f"{key}: {text}" if text else key)

    @on(Listing.RowSelected, "#draft-table")
    def _change_row(self, event: Listing.RowSelected) -> None:
        event.stop()
        key = self.query_one("#draft-table", Listing).selected_key or ""
        value = {row.key: row.value for row in self.draft.rows()}.get(key, "")
        self._open_line(f"{key}={value}")

    def _open_line(self, text: str) -> None:
        line = self.query_one("#draft-edit", Input)
        line.add_class("-open")
        line.value = text
        line.cursor_position = len(text)
        line.focus()

    def _close_lines(self) -> bool:
        """Close the lines for a change and for a search; whether one was open."""
        lines = [self.query_one(name, Input) for name in ("#draft-edit", "#draft-search")]
        opened = [line for line in lines if line.has_class("-open")]
        for line in opened:
            line.remove_class("-open")
            line.value = ""
        self.query_one("#draft-table", Listing).focus()
        self.show_draft(self.draft)
        return bool(opened)

    @on(Input.Changed, "#draft-edit")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value.strip():
            self._tell(self._name_problem(), *self.draft.with_edit(event.value).problems)

    @on(Input.Submitted, "#draft-edit")
    def _changed(self, event: Input.Submitted) -> None:
        """Take the change, also one that fits only together with another that is still to come."""
        event.stop()
        from codecctl.dashboard.draft import key_of

        if event.value.strip():
            self.draft = self.draft.with_edit(event.value)
            self.show_draft(self.draft)
            self.query_one("#draft-table", Listing).select_key(key_of(event.value))
        event.input.value = ""
        event.input.remove_class("-open")
        self.query_one("#draft-table", Listing).focus()

    @on(Input.Changed, "#draft-search")
    def _searched(self, event: Input.Changed) -> None:
        event.stop()
        self.show_draft(self.draft)

    @on(Input.Changed, "#draft-name")
    def _renamed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell(self._name_problem(), *self.draft.problems)

    @on(Input.Submitted, "#draft-search")
    @on(Input.Submitted, "#draft-name")
    def _done(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "draft-search":
            event.input.set_class(bool(event.value), "-open")
        self.query_one("#draft-table", Listing).focus()

    def action_add(self) -> None:
        """Type a change of any key."""
        self._open_line("")

    def action_search(self) -> None:
        """Show the line that searches keys."""
        line = self.query_one("#draft-search", Input)
        line.add_class("-open")
        line.focus()

    def action_undo(self) -> None:
        """Take back the change under the cursor."""
        key = self.query_one("#draft-table", Listing).selected_key or ""
        self.show_draft(self.draft.without_edit(key))

    def action_editor(self) -> None:
        """Open the values in an editor."""
        self.post_message(self.EditorWanted(self))

    def action_back(self) -> None:
        """Close the open line; when there is none, leave, after a question if there are changes."""
        if self._close_lines():
            return
        if not self.draft.edits:
            self.dismiss()
            return
        self.app.push_screen(ConfirmScreen("Leave without a new run?"), self._left)

    @on(Line.Cancelled)
    def _line_cancelled(self, event: Line.Cancelled) -> None:
        event.stop()
        self.action_back()

    def _left(self, yes: bool | None) -> None:
        if yes:
            self.dismiss()

    def action_start(self) -> None:
        """Ask, and start the training."""
        from codecctl.dashboard.draft import question

        name = self.query_one("#draft-name", Input).value.strip()
        problems = [problem for problem in (self._name_problem(), *self.draft.problems) if problem]
        if problems:
            self._tell(*problems)
            self.app.notify("not started: see what is wrong below the table", severity="warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.post_message(self.Wanted(self.draft, name))

        self.app.push_screen(ConfirmScreen(question(self.draft, name)), answered)


def _source(source: str) -> str:
    """Where a value comes from, in the width of a column."""
    if source.startswith("override "):
        return "command line"
    for prefix in _SHIPPED:
        source = source.removeprefix(prefix)
    return source
