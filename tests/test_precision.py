"""Training in half precision: in the networks alone, float32 where it would not do."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.build import build_recipe
from codecctl.engine.networks.discriminator import STFTDiscriminator
from codecctl.engine.profile import load_profile
from codecctl.engine.quantizers import Quantized
from codecctl.engine.recipes.base import Recipe, Scalars
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.runtime import FabricRuntime
from tests.tiny_training import BOOKS, NARROW

pytestmark = pytest.mark.long

TINY = (
    *NARROW,
    "data.batch_size=2",
    "trainer.discriminator.start={step=1}",
    "trainer.discriminator.update_probability=1.0",
)
SPLIT = ("trainer.accumulate_grad_batches=2", "trainer.ema.enabled=true")
THREE = ("data.capsules.count=3", "model.generator.channels=3")
CASES: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "paired": ("paired", 2, BOOKS),
    "bounded": ("paired-bounded", 2, (*BOOKS, *SPLIT)),
    "mono in groups": (
        "mono",
        1,
        (*BOOKS, "model.quantizer.groups=2", "model.quantizer.dropout=true"),
    ),
    "learned books": ("mono", 1, (*BOOKS, "model.quantizer.type=vq")),
    "grid": ("mono", 1, ("model.quantizer.type=fsq", "model.quantizer.levels=[5,3]")),
    "one channel": ("baseline-1ch", 1, ()),
    "three channels": ("baseline-32ch", 3, THREE),
    "one of three": (
        "baseline-32ch",
        3,
        (*THREE, *SPLIT, "model.discriminators.0.channels=random_one"),
    ),
}
"""Profile, capsules, overrides."""


def recipe(case: str, precision: str = "bf16-mixed") -> Recipe:
    name, capsules, overrides = CASES[case]
    precise = f"trainer.precision={precision}"
    profile = load_profile(name, [*TINY, *overrides, precise]).profile
    runtime = FabricRuntime(0, precision=profile.trainer.precision)
    trained = build_recipe(profile, runtime=runtime, updates_per_epoch=10)
    trained.initialize(iter(batch(capsules, seed) for seed in range(100, 150)))
    return trained


def batch(capsules: int, seed: int) -> Tensor:
    return 0.1 * torch.randn(2, capsules, 1200, generator=torch.Generator().manual_seed(seed))


def dtypes(module: nn.Module, seen: dict[str, set[torch.dtype]], name: str) -> None:
    """Note what a module gets and gives."""

    def note(_module: nn.Module, given: tuple[Tensor, ...], result: object) -> None:
        values = [result] if isinstance(result, Tensor) else []
        if isinstance(result, Quantized):
            values = [result.latent, result.stages, result.commitments, result.attraction]
        seen.setdefault(f"{name} gets", set()).add(given[0].dtype)
        seen.setdefault(f"{name} gives", set()).update(value.dtype for value in values)

    module.register_forward_hook(note)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_every_recipe_trains_with_finite_values_in_half_precision(
    case: str, precision: str
) -> None:
    trained, capsules = recipe(case, precision), CASES[case][1]
    exact = recipe(case, "32-true")
    exact.load_state_dict(copy.deepcopy(trained.state_dict()))  # k-means is a matter of digits
    expected = exact.train_step(batch(capsules, 0), 0)["loss/mel"]
    start = copy.deepcopy(trained.modules()["generator"].state_dict())
    rows: list[Scalars] = [trained.train_step(batch(capsules, step), step) for step in range(7)]
    rows.append(trained.aggregate([trained.evaluate(batch(capsules, 9))]))
    for row in rows:
        bad = [name for name, value in row.items() if not bool(value.isfinite())]
        assert all(name.startswith("grad_norm/") for name in bad), bad  # of an overflow
        assert not (bad and precision == "bf16-mixed")
    moved = trained.modules()["generator"].state_dict()
    assert not all(torch.equal(value, moved[name]) for name, value in start.items())
    for network in trained.modules().values():
        for name, value in network.state_dict().items():
            assert value.dtype in (torch.float32, torch.int64), name
            assert bool(value.isfinite().all()), name
    torch.testing.assert_close(rows[0]["loss/mel"], expected, rtol=0.05, atol=0)


@pytest.mark.parametrize(
    ("precision", "half"), [("bf16-mixed", torch.bfloat16), ("16-mixed", torch.float16)]
)
def test_networks_are_in_half_and_everything_delicate_is_not(
    precision: str, half: torch.dtype
) -> None:
    trained = recipe("paired", precision)
    codec, jury = trained.modules()["generator"], trained.modules()["discriminator"]
    assert isinstance(codec, CodecNetwork) and isinstance(codec.quantizer, nn.Module)
    seen: dict[str, set[torch.dtype]] = {}
    dtypes(codec.quantizer, seen, "quantizer")
    dtypes(next(m for m in codec.modules() if isinstance(m, nn.Conv1d)), seen, "codec")
    dtypes(next(m for m in jury.modules() if isinstance(m, nn.Conv2d)), seen, "jury")
    for step in range(2):
        trained.train_step(batch(2, step), step)
    full = {torch.float32}
    assert seen["codec gives"] == seen["jury gives"] == seen["quantizer gets"] == {half}
    assert seen["quantizer gives"] == full
    assert seen["jury gets"] == full  # spectra
    state = trained.state_dict()["balancer"]
    assert isinstance(state, dict)
    assert {value.dtype for value in state["sums"].values()} == {torch.float64}


def test_losses_get_the_estimate_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    from codecctl.engine.losses import LOSSES

    seen: set[torch.dtype] = set()

    def listening(build: Callable[..., object]) -> Callable[..., object]:
        def built(**config: object) -> object:
            loss = build(**config)

            def measured(estimate: Tensor, reference: Tensor) -> Tensor:
                seen.update({estimate.dtype, reference.dtype})
                assert not torch.is_autocast_enabled("cpu")
                assert callable(loss)
                value: Tensor = loss(estimate, reference)
                seen.add(value.dtype)
                return value

            return measured

        return built

    for name, build in LOSSES.items():
        monkeypatch.setitem(LOSSES, name, listening(build))
    recipe("three channels").train_step(batch(3, 0), 0)
    assert seen == {torch.float32}


def test_audio_enters_and_leaves_the_networks_unrounded() -> None:
    trained = recipe("paired")
    codec, jury = trained.modules()["generator"], trained.modules()["discriminator"]
    entered: list[Tensor] = []
    left: list[Tensor] = []
    codec.register_forward_hook(lambda _, given, coded: left.append(coded.estimate.detach()))
    for network in (codec, jury):
        network.register_forward_pre_hook(lambda _, given: entered.append(given[0].detach()))
    trained.train_step(batch(2, 1), 1)
    reference = batch(2, 1).flatten(0, 1)[:, None]
    of_codec, of_reference, of_estimate = entered
    assert torch.equal(of_codec, reference) and torch.equal(of_reference, reference)
    assert torch.equal(of_estimate, left[0])
    assert (left[0] != left[0].bfloat16().float()).float().mean() > 0.9  # the level is exact


def test_spectra_of_the_discriminator_do_not_suffer_from_autocast() -> None:
    jury = recipe("one channel").modules()["discriminator"]
    scale = next(m for m in jury.modules() if isinstance(m, STFTDiscriminator))
    audio = batch(1, 0)
    exact = scale.spectrogram(audio)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(scale.spectrogram(audio), exact)
