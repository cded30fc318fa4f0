"""The processes of one training in torch: sums over them, agreement, and who failed first.

Two groups connect them. Tensors of the networks go through the first, with NCCL where they lie on
GPUs. What the step loop agrees on goes through the second, over gloo in the memory of the host, so
that no step waits for a GPU to learn whether to stop.

When a process dies, the connections of the others break at their next message. Before it goes, it
leaves its error in the store where all have met; the others raise that instead of their own.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from types import TracebackType
from typing import TypeVar

import torch
from torch import Tensor, distributed
from torch.distributed import HashStore  # type: ignore[attr-defined]  # not said to be exported
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from codecctl.engine.topology import Place
from codecctl.errors import CodecctlError, UsageError

T = TypeVar("T")

MEETING = timedelta(minutes=5)
"""For all processes to come."""
PATIENCE = timedelta(minutes=30)
"""With a process that is alive but says nothing."""
_FAILURE = "codecctl/failure"
_LAST_WORDS = timedelta(seconds=3)
"""For the error of a process whose connection broke."""


@dataclass(frozen=True)
class Failure:
    """Why the first process failed."""

    rank: int
    message: str
    exit_code: int
    details: str = ""
    """Its traceback; "" where it could not tell any more."""


class OtherProcessFailedError(CodecctlError):
    """Another process of this training failed; message and exit code are that one's."""


class _ElsewhereError(Exception):
    """The traceback of another process, shown as the cause of this one's error."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class ProcessGroup:
    """This process among the others; a `Crew`. While entered, an error is told to all.

    Args:
        place: Of this process.
        store: Where all of them meet; None: where the variables of the environment say.

    Raises:
        CodecctlError: The processes do not find each other.
    """

    def __init__(self, place: Place, *, store: Store | None = None) -> None:
        self.rank = place.rank
        self.world_size = place.world_size
        self.local_rank = place.local_rank
        try:
            self._store = store or next(rendezvous("env://", timeout=MEETING))[0]
            distributed.init_process_group(
                "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo",
                store=PrefixStore("codecctl", self._store),
                rank=self.rank,
                world_size=self.world_size,
                timeout=PATIENCE,
            )
            self._control = distributed.new_group(backend="gloo", timeout=PATIENCE)
        except (RuntimeError, ValueError) as error:
            raise CodecctlError(
                f"process {self.rank} of {self.world_size}: found no connection to the others at "
                f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}: {_first_line(error)}"
            ) from error

    @classmethod
    def of_one(cls) -> ProcessGroup:
        """This process alone, for what needs a group."""
        return cls(Place(rank=0, world_size=1, local_rank=0), store=HashStore())

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.agree(0)  # nobody cuts a connection that another one still speaks through
            distributed.destroy_process_group()
        else:
            self.tell(error, "".join(traceback.format_exception(error)))
            # Destroyed like this, as nobody sends what it waits for; and not left to the end of
            # Python, where a thread of a group that still lives aborts in place of the exit code.
            for group in (self._control, distributed.GroupMember.WORLD):
                if group is not None:
                    group.abort()
            distributed.destroy_process_group()

    def tell(self, error: BaseException, details: str) -> None:
        """Let the others know why this process ends; what was told first counts."""
        if isinstance(error, OtherProcessFailedError):
            return
        if isinstance(error, CodecctlError):
            message, code = str(error), error.exit_code
        else:
            message = f"{type(error).__name__}: {_first_line(error)}"
            code = 130 if isinstance(error, KeyboardInterrupt) else 1
        tell_failure(self._store, Failure(self.rank, message, code, details))

    def agree(self, value: int) -> int:
        """The largest value that a process passed."""
        largest = torch.tensor([value], dtype=torch.int64)
        self.through(
            lambda: distributed.all_reduce(
                largest, op=distributed.ReduceOp.MAX, group=self._control
            )
        )
        return int(largest)

    def share(self, value: T) -> T:
        """What the leading process passed; anything that can be pickled."""
        box: list[T] = [value]
        self.through(lambda: distributed.broadcast_object_list(box, src=0, group=self._control))
        return box[0]

    def gather(self, value: T) -> Sequence[T]:
        """What all processes passed, by rank; only the leading one gets them, others nothing."""
        boxes: list[T] | None = [value] * self.world_size if self.rank == 0 else None
        self.through(lambda: distributed.gather_object(value, boxes, dst=0, group=self._control))
        return boxes or []

    def sum_(self, tensor: Tensor) -> None:
        """Sum a tensor over the processes, in place."""
        self.through(lambda: distributed.all_reduce(tensor))

    def equalize(self, tensors: Iterable[Tensor]) -> None:
        """Give all processes the tensors of the leading one, to the last bit."""
        for tensor in tensors:
            values = tensor.detach()
            self.through(lambda values=values: distributed.broadcast(values, src=0))  # type: ignore[misc]  # a default binds it now

    def refuse_other_commands(self, arguments: Sequence[str]) -> None:
        """Compare the command lines of all processes.

        Raises:
            UsageError: They differ, so that these are trainings of their own.
        """
        if self.share(list(arguments)) == list(arguments):
            return
        raise UsageError(
            f"process {self.rank} of {self.world_size} was given another command than process 0; "
            "processes that a launcher starts together train one run; for several runs start each "
            "alone, under Slurm with srun --ntasks=1"
        )

    def through(self, send: Callable[[], object]) -> None:
        """Exchange something, and say which process failed where that breaks.

        Raises:
            OtherProcessFailedError: Another process did, or is gone.
        """
        try:
            send()
        except RuntimeError as error:
            failure = read_failure(self._store, _LAST_WORDS)
            if failure is None:
                raise OtherProcessFailedError(
                    f"another of the {self.world_size} processes has ended, or the connection to "
                    f"it is lost: {_first_line(error)}; the last checkpoint stays: continue with "
                    "--resume"
                ) from error
            raise _as_error(failure, self.world_size) from (
                _ElsewhereError(failure.details) if failure.details else error
            )


def tell_failure(store: Store, failure: Failure) -> None:
    """Leave an error in the store, unless another process was first."""
    with suppress(RuntimeError):  # the process that keeps the store may be gone
        store.compare_set(_FAILURE, "", json.dumps(asdict(failure)))


def read_failure(store: Store, patience: timedelta) -> Failure | None:
    """The error of the process that failed first; None where there is none in time."""
    try:
        store.wait([_FAILURE], patience)
        return Failure(**json.loads(store.get(_FAILURE)))
    except RuntimeError:  # also where the process that keeps the store is gone
        return None


def _as_error(failure: Failure, world_size: int) -> OtherProcessFailedError:
    error = OtherProcessFailedError(f"process {failure.rank} of {world_size}: {failure.message}")
    error.exit_code = failure.exit_code
    return error


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
