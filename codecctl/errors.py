"""Errors that a user can act on; imports nothing, so that every layer may raise them.

    CodecctlError             1  failure: disk full, divergence, out of memory
      UsageError              2  wrong arguments, ambiguous store, run name taken
      ProfileError            3  profile, group, key or value
      DataError               4  audio or store data
      NotFoundError           5  path, store, profile, run or checkpoint
      StoppedError           75  stopped by SIGTERM or SIGUSR1 with a checkpoint
      InterruptedByUserError 130  Ctrl-C

A message is one line: subject, found, needed, fix. The command line prints it on stderr and
exits with `exit_code`.
"""

from __future__ import annotations

from collections.abc import Sequence


class CodecctlError(Exception):
    """Something the user can act on."""

    exit_code = 1


class UsageError(CodecctlError):
    """The command cannot mean anything as written."""

    exit_code = 2


class ProfileError(CodecctlError):
    """A profile does not resolve or does not validate.

    Args:
        problems: One line for each thing that is wrong; at least one.
    """

    exit_code = 3

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (
            (problems,) if isinstance(problems, str) else tuple(problems)
        )
        super().__init__("\n".join(self.problems))


class DataError(CodecctlError):
    """Audio or a store is not what it has to be."""

    exit_code = 4


class NotFoundError(CodecctlError):
    """A path, store, profile, run or checkpoint does not exist."""

    exit_code = 5


class StoppedError(CodecctlError):
    """The scheduler asked for the end; a checkpoint was saved."""

    exit_code = 75


class InterruptedByUserError(CodecctlError):
    """Ctrl-C; the message says whether a checkpoint was saved."""

    exit_code = 130
