"""Moments in parts: DeepSpeed's ZeRO, stage 1, around an optimizer of torch.

The weights of a network lie in one row, of which each process moves its part, keeps the moments,
and sends what it has moved to the others. Between updates all have all weights, so that whatever
reads or writes a network does so as ever. DeepSpeed averages gradients and moves weights; forward,
backward, clipping and checkpoints are codecctl's.

States are those of the optimizer alone, in whole tensors: a checkpoint says nothing of the
processes that wrote it.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Protocol, TypeGuard, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.engine.process_group import ProcessGroup
from codecctl.errors import ProfileError

_SETTINGS = {
    "train_micro_batch_size_per_gpu": 1,  # it has to be told; nothing here follows from it
    "gradient_clipping": 0.0,
    "zero_allow_untested_optimizer": True,
    "zero_optimization": {
        "stage": 1,
        # Else it would watch each backward, of which there are several for one update.
        "contiguous_gradients": False,
        "overlap_comm": False,
        "compute_grad_norm": False,
    },
}


class _Rows(Protocol):
    """What is used of DeepSpeed's optimizer of stage 1."""

    averaged_gradients: dict[int, list[Tensor] | None]
    """Of the part of this process, by the number of the row; there is one."""
    _hp_optimizer_states_linked: bool

    def refresh_fp32_params(self) -> None: ...

    def zero_grad(self, set_to_none: bool = True) -> None: ...

    def _lazy_init_hp_params_optimizer_state(self) -> None: ...


class _Engine(Protocol):
    """What is used of DeepSpeed's engine."""

    @property
    def optimizer(self) -> _Rows: ...

    def allreduce_gradients(self) -> None: ...

    def step(self) -> None: ...


class ZeroOptimizer(Optimizer):
    """An optimizer of torch that moves this process's part of a network; made by `divide`.

    Args:
        engine: DeepSpeed's, of a network and an optimizer.
        optimizer: The optimizer, which now moves a part of the row.
        weights: What it moved before, by name.
        group: The processes that hold the other parts.
    """

    def __init__(
        self,
        engine: _Engine,
        optimizer: Optimizer,
        weights: Mapping[str, Tensor],
        group: ProcessGroup,
    ) -> None:
        # Nothing of torch's own: weights and moments stay those of the optimizer within.
        self.defaults = optimizer.defaults
        self.param_groups = optimizer.param_groups
        self.state = optimizer.state
        self._engine = engine
        self._group = group
        self._size = len(weights)
        self._moved = {
            number: (name, weight)
            for number, (name, weight) in enumerate(weights.items())
            if weight.requires_grad
        }

    def average(self) -> None:
        """Leave this process the mean gradient of its part.

        Raises:
            ProfileError: A weight has no gradient: as part of a row it would move all the same.
        """
        without = [name for name, weight in self._moved.values() if weight.grad is None]
        if without:
            raise ProfileError(
                "trainer.strategy: found 'deepspeed', which moves all weights in one row, and "
                f"{without[0]} has no gradient in this step; needed: 'fsdp' or 'ddp'"
            )
        self._group.through(self._engine.allreduce_gradients)

    def gradients(self) -> list[Tensor]:
        """Those of this process's part, between `average` and `step`."""
        [gradients] = self._engine.optimizer.averaged_gradients.values()
        assert gradients is not None, "averaged before"
        return gradients

    def step(self, closure: object = None) -> None:  # type: ignore[override]  # returns no loss
        """Move the part of this process, and take the other parts from the others."""
        assert closure is None, closure
        # It moves a copy of the part, which knows nothing of what was loaded since.
        self._engine.optimizer.refresh_fp32_params()
        self._group.through(self._engine.step)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop what was gathered."""
        rows = self._engine.optimizer
        rows.zero_grad(set_to_none=set_to_none)
        rows.averaged_gradients.update(dict.fromkeys(rows.averaged_gradients))

    def state_dict(self) -> dict[str, object]:
        """The state of the optimizer in whole tensors; all processes call."""
        from deepspeed.utils import safe_get_full_optimizer_state

        held = self.state.get(self._row, {})

        def of(weight: Tensor, name: str, value: object) -> object:
            if _lies_along(value, self._row):
                return safe_get_full_optimizer_state(weight, name)
            return value.clone() if isinstance(value, Tensor) else value

        def collect() -> None:
            for number, (_, weight) in self._moved.items() if held else ():
                state[number] = {name: of(weight, name, value) for name, value in held.items()}

        state: dict[int, dict[str, object]] = {}
        self._group.through(collect)
        [group] = self.param_groups
        settings = {name: value for name, value in group.items() if name != "params"}
        return {
            "state": state,
            "param_groups": [{**settings, "params": list(range(self._size))}],
        }

    @torch.no_grad()
    def load_state_dict(self, state_dict: Mapping[str, object]) -> None:
        """Take up a state in whole tensors.

        Raises:
            ProfileError: It is of a training that moved some weights in other updates than others.
        """
        from deepspeed.utils import safe_set_full_optimizer_state

        [group] = self.param_groups
        [given] = cast("list[dict[str, object]]", state_dict["param_groups"])
        group.update({name: value for name, value in given.items() if name != "params"})
        self.state.pop(self._row, None)
        moments = cast("Mapping[int, Mapping[str, object]]", state_dict["state"])
        if not moments:
            return
        self.state[self._row] = self._places(moments)
        rows = self._engine.optimizer
        rows._hp_optimizer_states_linked = False
        rows._lazy_init_hp_params_optimizer_state()
        for number, (_, weight) in self._moved.items():
            for name, value in moments[number].items():
                if _lies_along(value, weight):
                    safe_set_full_optimizer_state(weight, value.to(weight), name)

    @property
    def _row(self) -> Tensor:
        """The part of the row that is this process's."""
        [group] = self.param_groups
        [row] = group["params"]
        return cast(Tensor, row)

    def _places(self, moments: Mapping[int, Mapping[str, object]]) -> dict[str, object]:
        """Zeros for each moment of the row, and what is one for all weights, as their count."""
        found: list[dict[str, object]] = [
            {
                name: None if _lies_along(value, weight) else value
                for name, value in moments.get(number, {}).items()
            }
            for number, (_, weight) in self._moved.items()
        ]
        if any(each != found[0] for each in found):
            raise ProfileError(
                "trainer.strategy: found 'deepspeed', which moves all weights in one row, and a "
                "checkpoint of a training that moved some of them in other updates; needed: 'fsdp' "
                "or 'ddp'"
            )
        return {
            name: torch.zeros_like(self._row) if value is None else value
            for name, value in found[0].items()
        }


def divide(
    network: nn.Module, optimizer: Optimizer, *, device: torch.device, group: ProcessGroup
) -> ZeroOptimizer:
    """Leave this process its part of the moments of a network.

    Args:
        network: With the same weights in all processes, on the device; they become parts of a row.
        optimizer: Of its weights, in one group, without moments.
        device: Where it lives.
        group: The processes that train together.
    """
    [weights] = [each["params"] for each in optimizer.param_groups]
    names = {id(weight): name for name, weight in network.named_parameters()}
    before = {names[id(weight)]: weight for weight in weights}
    # Where its own launchers say it; a process that is alone was given no variables.
    os.environ.setdefault("LOCAL_RANK", str(group.local_rank))
    if "deepspeed" not in sys.modules:
        os.environ["DS_ACCELERATOR"] = device.type
    with _quiet():
        import deepspeed

        # It would compile a way to sum in shared memory, which inference alone takes.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
        engine, *_ = deepspeed.initialize(
            args=Namespace(device_rank=device.index or 0),
            model=network,
            optimizer=optimizer,
            config=dict(_SETTINGS),
        )
    # They time forwards, which here are the network's own.
    engine.module_forward_pre_hook.remove()
    engine.module_forward_post_hook.remove()
    return ZeroOptimizer(engine, optimizer, before, group)


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing on stdout of what DeepSpeed says while it starts, and no warnings of its imports."""
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield


def _lies_along(value: object, weight: Tensor) -> TypeGuard[Tensor]:
    """Whether a part of a state has a number for each one of a weight."""
    return isinstance(value, Tensor) and value.shape == weight.shape
