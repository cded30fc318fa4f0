"""The language that chooses runs: `profile:paired status:running val/mel<0.5 name~^foo -old`.

Terms are separated by spaces and all of them have to hold; `|` stands between alternatives, and
brackets around what belongs together:

    word            in the name, the profile, the mode or a tag
    field:text      in a field: name, profile, mode, status, tag, host
    field~pattern   a regular expression in a field
    metric<number   also <= > >= = !=, of the newest values, and of step, epoch, seen (seconds)
    key=value       a value of the resolved profile: trainer.seed=7 data.batch_size>8 data.store:eig
    -term           the opposite, also -(a b)
    a b | c         a and b, or c
    a (b | c)       a, and b or c

Upper and lower case are the same. A run without a metric or key satisfies no comparison of it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import best_first
from codecctl.engine.rundir import number

FIELDS = ("name", "profile", "mode", "status", "tag", "host")
OR, NOT, OPEN, CLOSE = "|", "-", "(", ")"
_OPENING = re.compile(r"(-?\()+")
_TERM = re.compile(r"(?P<name>[^:~<>=!]+)(?P<sign><=|>=|!=|[:~<>=])(?P<value>.+)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_Test = Callable[[RunView], bool]


@dataclass(frozen=True)
class RunFilter:
    """A choice of runs."""

    text: str = ""
    test: _Test | None = None
    """Whether a run is chosen; none lets every run through."""
    problem: str = ""
    """Why the text is none (yet: it is being typed); such a filter lets every run through."""

    def matches(self, run: RunView) -> bool:
        """Whether a run is chosen."""
        return self.test is None or self.test(run)


def parse_filter(text: str) -> RunFilter:
    """The filter that a text describes."""
    words = _words(text)
    if not words:
        return RunFilter(text)
    try:
        return RunFilter(text, _Parser(words).whole())
    except ValueError as error:
        return RunFilter(text, problem=str(error))


def _words(text: str) -> list[str]:
    """Terms, `|` and brackets; a pattern keeps the brackets that it opens itself."""
    found: list[str] = []
    for piece in text.split():
        opening = _OPENING.match(piece)
        start = opening.end() if opening else 0
        brackets = re.findall(r"-?\(", piece[:start])
        stop = len(piece)
        while stop > start and piece[stop - 1] == CLOSE and _surplus(piece[start:stop]):
            stop -= 1
        found += [*brackets, *([piece[start:stop]] if stop > start else [])]
        found += [CLOSE] * (len(piece) - stop)
    return found


def _surplus(word: str) -> bool:
    """Whether a word closes more brackets than it opens, escaped ones aside."""
    plain = re.sub(r"\\.", "", word)
    return plain.count(CLOSE) > plain.count(OPEN)


class _Parser:
    """Alternatives of terms, from words.

    Args:
        words: At least one.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._next = 0

    def whole(self) -> _Test:
        """All words as one test.

        Raises:
            ValueError: They are none, or not finished.
        """
        test = self._alternatives()
        if self._peek():  # `_all_of` ends at nothing else
            raise ValueError(f"{CLOSE}: nothing was opened before it")
        return test

    def _peek(self) -> str:
        return self._words[self._next] if self._next < len(self._words) else ""

    def _alternatives(self) -> _Test:
        tests = [self._all_of()]
        while self._peek() == OR:
            self._next += 1
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda run: any(test(run) for test in tests)

    def _all_of(self) -> _Test:
        tests: list[_Test] = []
        while self._peek() not in ("", OR, CLOSE):
            tests.append(self._one())
        if not tests:
            before = self._words[self._next - 1] if self._next else ""
            if OR in (self._peek(), before):
                raise ValueError(f"{OR}: needs a term on both sides")
            if not before:
                raise ValueError(f"{CLOSE}: nothing was opened before it")
            raise ValueError(f"{OPEN}: needs a term behind it")
        return lambda run: all(test(run) for test in tests)

    def _one(self) -> _Test:
        word = self._peek()
        self._next += 1
        if word not in (OPEN, NOT + OPEN):
            return _term(word)
        inside = self._alternatives()
        if self._peek() != CLOSE:
            raise ValueError(f"{OPEN}: not closed")
        self._next += 1
        return inside if word == OPEN else lambda run: not inside(run)


def metric_value(run: RunView, name: str) -> float | None:
    """The newest value of a scalar of a run, or of step, epoch and seen; None if there is none."""
    summary = run.summary
    known = {
        "step": float(summary.step),
        "epoch": float(summary.epoch),
        "seen": summary.age_seconds,
    }
    if name in known:
        return known[name]
    value = number(summary.validation.get(name))
    return number(summary.train.get(name)) if value is None else value


def metric_names(runs: Sequence[RunView]) -> list[str]:
    """What runs can be compared and sorted by."""
    rows = [row for run in runs for row in (run.summary.validation, run.summary.train)]
    fixed = {"schema", "seconds", "audio_seconds", "epoch", "step", "time"}
    names: set[str] = set()
    for row in rows:  # those of most runs are the same
        names |= {name for name in row.keys() - names if number(row[name]) is not None}
    return ["step", "epoch", "seen", *sorted(names - fixed)]


def sorted_runs(runs: Sequence[RunView], metric: str, *, pinned: str = "") -> list[RunView]:
    """Runs with the best value of a metric first, those without one last; the pinned one on top.

    Args:
        runs: In the order that equal values keep.
        metric: "" for no other order.
        pinned: Name of the run to begin with.
    """

    def place(run: RunView) -> tuple[bool, float]:
        value = metric_value(run, metric) if metric else 0.0
        return run.name != pinned, best_first(metric, value)

    return sorted(runs, key=place)


def _term(word: str) -> _Test:
    if word.startswith(NOT) and len(word) > 1:
        test = _term(word[1:])
        return lambda run: not test(run)
    found = _TERM.fullmatch(word)
    if found is None:
        if re.search("[:~<>=!]", word):
            raise ValueError(f"{word}: not finished")
        return lambda run: any(word.lower() in text for text in _texts(run))
    name, sign, value = found["name"].lower(), found["sign"], found["value"]
    if name in FIELDS:
        return _text_test(name, sign, value, word)
    if "." in name and (sign in (":", "~") or (sign in ("=", "!=") and _number(value) is None)):
        return _text_test(found["name"], sign, value, word)
    return _number_test(found["name"], sign, value, word)


def _text_test(name: str, sign: str, value: str, word: str) -> _Test:
    if sign == "~":
        try:
            search = re.compile(value, re.IGNORECASE).search
        except re.error as error:
            raise ValueError(f"{word}: {error}") from None
        return lambda run: any(search(text) for text in _field(run, name))
    if sign in ("=", "!="):
        return _equality_test(name, value.lower(), wanted=sign == "=")
    if sign != ":":
        raise ValueError(f"{word}: {name} is text; use : = != or ~")
    return lambda run: any(value.lower() in text for text in _field(run, name))


def _equality_test(name: str, value: str, *, wanted: bool) -> _Test:
    def test(run: RunView) -> bool:
        texts = _field(run, name)
        known = name in FIELDS or bool(texts)
        return known and (value in texts) is wanted

    return test


def _number_test(name: str, sign: str, value: str, word: str) -> _Test:
    if sign not in _COMPARE:
        raise ValueError(f"{word}: {name} is none of {', '.join(FIELDS)}, and no key of profiles")
    limit = _number(value)
    if limit is None:
        raise ValueError(f"{word}: {value} is no number")
    compare = _COMPARE[sign]

    def test(run: RunView) -> bool:
        found = metric_value(run, name)
        if found is None and name in run.settings:
            found = _number(run.settings[name])
        return found is not None and compare(found, limit)

    return test


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _field(run: RunView, name: str) -> tuple[str, ...]:
    """Texts of a field, or of a key of the profile; none where the run does not have it."""
    summary = run.summary
    if name not in FIELDS:
        return (run.settings[name].lower(),) if name in run.settings else ()
    if name == "tag":
        return tuple(tag.lower() for tag in summary.tags)
    fields = {
        "name": summary.name,
        "profile": summary.profile,
        "mode": summary.mode,
        "status": summary.status,
        "host": summary.state.host,
    }
    return (fields[name].lower(),)


def _texts(run: RunView) -> tuple[str, ...]:
    return tuple(text for name in ("name", "profile", "mode", "tag") for text in _field(run, name))
