from __future__ import annotations

import os

import pytest

from codecctl.engine.topology import (
    Node,
    Place,
    adopt_step,
    find_place,
    first_host,
    plan_node,
    refuse_other_launch,
    refuse_uneven,
)
from codecctl.errors import ProfileError, UsageError

TORCHRUN = {
    "RANK": "3",
    "LOCAL_RANK": "1",
    "WORLD_SIZE": "4",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "a",
    "MASTER_PORT": "29500",
}
TASK = {
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NODELIST": "gpu[07-08]",
    "SLURM_JOB_ID": "123456789",
}
JOB_SCRIPT = {"SLURM_NTASKS": "8", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_JOB_ID": "7"}


def test_a_process_of_torchrun_knows_its_place() -> None:
    assert find_place(TORCHRUN) == Place(rank=3, world_size=4, local_rank=1, local_size=2)


def test_a_job_script_is_one_process_whatever_its_tasks() -> None:
    environment = dict(JOB_SCRIPT)
    adopt_step(environment)
    assert environment == JOB_SCRIPT
    assert find_place(environment) is None


def test_a_command_typed_into_a_terminal_of_a_step_is_started_alone() -> None:
    shell = {**TASK, "SLURM_PTY_PORT": "40123", "SLURM_TASK_PID": str(os.getppid())}
    environment = dict(shell)
    adopt_step(environment)
    assert environment == shell
    assert find_place(environment) is None


def test_a_command_that_is_itself_a_task_with_a_terminal_is_a_process() -> None:
    environment = {**TASK, "SLURM_PTY_PORT": "40123", "SLURM_TASK_PID": str(os.getpid())}
    adopt_step(environment)
    assert find_place(environment) == Place(rank=5, world_size=8, local_rank=1)


def test_a_shell_of_salloc_is_one_process_whatever_its_tasks() -> None:
    shell = {"SLURM_NTASKS": "8", "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "gpu[07-08]"}
    environment = dict(shell)
    adopt_step(environment)
    assert environment == shell


def test_a_task_of_a_step_is_a_process() -> None:
    environment = dict(TASK)
    adopt_step(environment)
    assert find_place(environment) == Place(rank=5, world_size=8, local_rank=1)
    assert (environment["MASTER_ADDR"], environment["MASTER_PORT"]) == ("gpu07", "21789")


def test_a_lone_task_on_each_node_starts_the_processes_of_its_node() -> None:
    environment = {**TASK, "SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1"}
    adopt_step(environment)
    assert find_place(environment) is None
    node = plan_node(environment, asked=0, num_gpus="auto", num_nodes=1, gpus=4, portions=16)
    assert node == Node(processes=4, index=1, nodes=2, address="gpu07", port=21789)
    assert find_place(node.variables(3)) == Place(rank=7, world_size=8, local_rank=3, local_size=4)


def test_half_an_environment_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no LOCAL_RANK, MASTER_ADDR, MASTER_PORT; start with"):
        find_place({"RANK": "0", "WORLD_SIZE": "2"})


@pytest.mark.parametrize(
    ("gpus", "portions", "expected"), [(8, 32, 8), (8, 4, 4), (3, 4, 2), (0, 4, 1)]
)
def test_auto_takes_as_many_gpus_as_divide_the_batch(
    gpus: int, portions: int, expected: int
) -> None:
    node = plan_node({}, asked=0, num_gpus="auto", num_nodes=1, gpus=gpus, portions=portions)
    assert node == Node(processes=expected)


def test_more_gpus_or_processes_than_there_are_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"trainer.num_gpus: found 4, this node has 2"):
        plan_node({}, asked=0, num_gpus=4, num_nodes=1, gpus=2, portions=8)
    with pytest.raises(ProfileError, match=r"found 64, this node has 0 that torch can use"):
        plan_node({}, asked=0, num_gpus=64, num_nodes=1, gpus=0, portions=8)
    with pytest.raises(UsageError, match=r"--processes 4: found 2 GPUs"):
        plan_node({}, asked=4, num_gpus="auto", num_nodes=1, gpus=2, portions=8)


def test_several_nodes_need_a_command_on_each() -> None:
    with pytest.raises(ProfileError, match=r"found 2, but no NODE_RANK, MASTER_ADDR, MASTER_PORT"):
        plan_node({}, asked=0, num_gpus=0, num_nodes=2, gpus=0, portions=8)


def test_a_launcher_that_started_something_else_is_refused() -> None:
    place = Place(rank=0, world_size=4, local_rank=0, local_size=2)
    refuse_other_launch(place, num_gpus="auto", num_nodes=1)
    refuse_other_launch(place, num_gpus=2, num_nodes=2)
    with pytest.raises(ProfileError, match=r"num_gpus: found 4, but the launcher started 2 pro"):
        refuse_other_launch(place, num_gpus=4, num_nodes=1)
    with pytest.raises(ProfileError, match=r"num_nodes: found 3, but the launcher started 2 nodes"):
        refuse_other_launch(place, num_gpus=2, num_nodes=3)


def test_a_batch_is_that_of_all_processes_and_has_to_be_shared_evenly() -> None:
    refuse_uneven(8, parts=2, world_size=4)
    with pytest.raises(ProfileError, match=r"found 8, needed a multiple of 3 processes: it is the"):
        refuse_uneven(8, parts=1, world_size=3)
    with pytest.raises(ProfileError, match=r"of 4 processes x 4 \(trainer.accumulate_grad_batch"):
        refuse_uneven(8, parts=4, world_size=4)


@pytest.mark.parametrize(
    ("nodes", "first"), [("a1", "a1"), ("a[03-05,9],b1", "a03"), ("n-1,n-2", "n-1")]
)
def test_the_first_host_of_a_list(nodes: str, first: str) -> None:
    assert first_host(nodes) == first
