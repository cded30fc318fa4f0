"""Which of several processes this one is, and how many should be started; needs no torch.

Processes come from `codecctl train` itself (`engine.supervisor`), from `torchrun`, or from `srun`
with one task for each. All three describe a process by variables of the environment; torch's are
taken as they are, and Slurm's are translated into them:

    RANK, WORLD_SIZE               which process of how many
    LOCAL_RANK, LOCAL_WORLD_SIZE   the same among those of this node
    MASTER_ADDR, MASTER_PORT       where they meet

A job script sets SLURM_NTASKS and SLURM_PROCID, too, but is no task of a step: only `srun` sets
SLURM_STEP_NUM_TASKS above 1. `srun --pty bash` may do so as well, but joins one task alone to the
terminal: what is typed there is started once, by a shell that is the task.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Literal

from codecctl.errors import ProfileError, UsageError

_NEEDED = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
_STEP = ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_STEP_NODELIST", "SLURM_JOB_ID")
_TERMINAL = "SLURM_PTY_PORT"
_FIRST_PORT, _PORTS = 15000, 10000
_FIRST_HOST = re.compile(r"(?P<name>[^,\[]+)(?:\[(?P<number>\d+))?")


@dataclass(frozen=True)
class Place:
    """One process among those that train together."""

    rank: int
    world_size: int
    local_rank: int
    """Among the processes of this node: the number of its GPU."""
    local_size: int = 0
    """Processes of this node; 0 where the launcher does not say."""


@dataclass(frozen=True)
class Node:
    """Processes that are to be started on this node."""

    processes: int
    index: int = 0
    """Of this node."""
    nodes: int = 1
    address: str = "127.0.0.1"
    port: int = 0
    """Where all processes meet; 0: a free one."""

    @property
    def world_size(self) -> int:
        """Processes on all nodes."""
        return self.processes * self.nodes

    def variables(self, local_rank: int) -> dict[str, str]:
        """What tells a process its place."""
        return {
            "RANK": str(self.index * self.processes + local_rank),
            "LOCAL_RANK": str(local_rank),
            "WORLD_SIZE": str(self.world_size),
            "LOCAL_WORLD_SIZE": str(self.processes),
            "GROUP_RANK": str(self.index),
            "MASTER_ADDR": self.address,
            "MASTER_PORT": str(self.port),
        }


def adopt_step(environment: MutableMapping[str, str]) -> None:
    """Give a task of a Slurm step torch's variables, unless it has them.

    With one task on each of several nodes, a task stands for its node and starts processes of its
    own; otherwise each task is a process.

    Args:
        environment: Of this process; changed.
    """
    tasks = int(environment.get("SLURM_STEP_NUM_TASKS", "1"))
    if tasks < 2 or "RANK" in environment or any(name not in environment for name in _STEP):
        return
    if _TERMINAL in environment and environment.get("SLURM_TASK_PID") != str(os.getpid()):
        return
    job = int(environment["SLURM_JOB_ID"])
    environment.setdefault("MASTER_ADDR", first_host(environment["SLURM_STEP_NODELIST"]))
    environment.setdefault("MASTER_PORT", str(_FIRST_PORT + job % _PORTS))
    if environment.get("SLURM_STEP_NUM_NODES") == str(tasks):
        environment["NODE_RANK"] = environment["SLURM_PROCID"]
        environment["NNODES"] = str(tasks)
        return
    environment["RANK"] = environment["SLURM_PROCID"]
    environment["WORLD_SIZE"] = str(tasks)
    environment["LOCAL_RANK"] = environment["SLURM_LOCALID"]


def find_place(environment: Mapping[str, str]) -> Place | None:
    """The place that a launcher gave this process; None where it was started alone.

    Raises:
        UsageError: Some of the variables are missing, or are no numbers.
    """
    if "RANK" not in environment or "WORLD_SIZE" not in environment:
        return None
    missing = [name for name in _NEEDED if name not in environment]
    if missing:
        raise UsageError(
            f"environment: found RANK and WORLD_SIZE of a launcher, but no {', '.join(missing)}; "
            "start with torchrun or srun, or unset RANK and WORLD_SIZE"
        )
    try:
        return Place(
            rank=int(environment["RANK"]),
            world_size=int(environment["WORLD_SIZE"]),
            local_rank=int(environment["LOCAL_RANK"]),
            local_size=int(environment.get("LOCAL_WORLD_SIZE", "0")),
        )
    except ValueError as error:
        raise UsageError(f"environment: RANK, WORLD_SIZE and LOCAL_RANK: {error}") from None


def plan_node(
    environment: Mapping[str, str],
    *,
    asked: int,
    num_gpus: Literal["auto"] | int,
    num_nodes: int,
    gpus: int,
    portions: int,
) -> Node:
    """How many processes this node should have.

    Args:
        environment: Of this process; says which of several nodes this is.
        asked: Processes that were asked for; 0: one for each GPU.
        num_gpus: To use; auto: as many of those that there are as divide the batch.
        num_nodes: To use; where this is 1, as many as the command was started on.
        gpus: How many this process sees.
        portions: Items of a batch, divided by the parts that each process trains them in.

    Raises:
        ProfileError: There are not so many GPUs or nodes.
        UsageError: Processes that were asked for would have to share a GPU.
    """
    nodes = max(num_nodes, int(environment.get("NNODES", "1")))
    if num_gpus == "auto":
        fitting = (count for count in range(gpus, 0, -1) if portions % (count * nodes) == 0)
        processes = asked or next(fitting, 1)
    else:
        processes = asked or max(num_gpus, 1)
        if num_gpus > max(gpus, 1):  # of a single one that is not there, the device itself tells
            raise ProfileError(
                f"trainer.num_gpus: found {num_gpus}, this node has {gpus} that torch can use; "
                "0 trains on the CPU"
            )
    if num_gpus != 0 and processes > gpus > 0:
        raise UsageError(
            f"--processes {asked}: found {gpus} GPUs, needed one for each process; train on the "
            "CPU with trainer.num_gpus=0"
        )
    if nodes == 1:
        return Node(processes=processes)
    return replace(_node_of(environment, nodes), processes=processes)


def _node_of(environment: Mapping[str, str], nodes: int) -> Node:
    """This one of several nodes."""
    started = environment.get("NNODES", str(nodes))
    needed = ("NODE_RANK", "MASTER_ADDR", "MASTER_PORT")
    missing = [name for name in needed if name not in environment]
    if missing or started != str(nodes):
        found = f"no {', '.join(missing)}" if missing else f"{started} nodes"
        raise ProfileError(
            f"trainer.num_nodes: found {nodes}, but {found} in the environment; start the command "
            "once on each node: srun --ntasks-per-node=1, or use torchrun"
        )
    return Node(
        processes=1,
        index=int(environment["NODE_RANK"]),
        nodes=nodes,
        address=environment["MASTER_ADDR"],
        port=int(environment["MASTER_PORT"]),
    )


def refuse_other_launch(place: Place, *, num_gpus: Literal["auto"] | int, num_nodes: int) -> None:
    """Compare what a launcher started with what the profile asks for.

    Raises:
        ProfileError: It started something else.
    """
    if not place.local_size:
        return
    nodes = place.world_size // place.local_size
    for key, wanted, found, what in (
        ("num_gpus", num_gpus, place.local_size, "processes on this node"),
        ("num_nodes", num_nodes, nodes, "nodes"),
    ):
        free = ("auto", 0) if key == "num_gpus" else (1,)
        if wanted not in (*free, found):
            raise ProfileError(
                f"trainer.{key}: found {wanted}, but the launcher started {found} {what}; leave it "
                f"at {free[0]}, or start {wanted}"
            )


def first_host(nodes: str) -> str:
    """The first name of a list as Slurm writes it: `a[03-05,9],b1` gives `a03`."""
    found = _FIRST_HOST.match(nodes)
    assert found is not None, nodes
    return found["name"] + (found["number"] or "")


def refuse_uneven(batch_size: int, *, parts: int, world_size: int) -> None:
    """Check that all processes get equally many items.

    Args:
        batch_size: Items of an update, over all processes.
        parts: That each process trains its items in.
        world_size: Processes.

    Raises:
        ProfileError: They cannot.
    """
    if batch_size % (world_size * parts):
        each = f" x {parts} (trainer.accumulate_grad_batches)" if parts > 1 else ""
        raise ProfileError(
            f"data.batch_size: found {batch_size}, needed a multiple of {world_size} processes"
            f"{each}: it is the batch of all of them together; change it, or start fewer processes"
        )
