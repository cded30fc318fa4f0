"""Named terms of a profile: what has a weight is built, logged and validated, nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.build import build_recipe
from codecctl.engine.build_objective import build_metrics
from codecctl.engine.losses import LOSSES
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import ProfileError

SMALL = (
    "model=tiny",
    "data.segment_seconds=0.1",
    "data.min_source_seconds=0.1",
    "data.batch_size=2",
    "model.generator.num_filters=2",
    "model.generator.latent_dim=8",
    "model.discriminators=[]",
    "trainer.loss_config.adversarial.weights={generator=0.0,feature=0.0}",
)
GROUPS = {
    "si_sdr": "reconstruction",
    "mrstft": "spectral",
    "linear_mel": "spectral",
    "phase": "spectral",
}
OFF = "trainer.loss_config.reconstruction.weights={time=0.0,mel=0.0,si_sdr=0.0}"


def weight(name: str, value: float = 1.0) -> str:
    return f"trainer.loss_config.{GROUPS[name]}.weights.{name}={value}"


def recipe(*overrides: str, profile: str = "mono") -> Recipe:
    resolved = load_profile(profile, [*SMALL, *overrides])
    return build_recipe(resolved.profile, runtime=FabricRuntime(0), updates_per_epoch=10)


def batch() -> Tensor:
    return 0.1 * torch.randn(2, 1, 2400, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", GROUPS)
def test_a_term_with_a_weight_alone_moves_the_codec(name: str) -> None:
    trained = recipe(OFF, weight(name), "trainer.balancer.enabled=false")
    scalars = trained.train_step(batch(), 0)
    assert f"loss/{name}" in scalars
    assert not {"loss/time", "loss/mel"} & set(scalars)
    assert scalars["grad_norm/generator"] > 0
    evaluation = trained.evaluate(batch())
    label = "si_sdr_loss" if name == "si_sdr" else name  # the metric of that name is for all
    assert label in evaluation.metrics
    assert f"{name}_loss" in evaluation.metrics or name != "si_sdr"


def test_every_term_can_be_balanced_beside_the_others() -> None:
    covers = '["time","mel","si_sdr","mrstft","linear_mel","phase"]'
    weights = [weight(name) for name in GROUPS]
    trained = recipe(*weights, f"trainer.balancer.covers={covers}")
    scalars = trained.train_step(batch(), 0)
    shares = {name: scalars[f"balancer/{name}"].item() for name in (*GROUPS, "time", "mel")}
    assert sum(shares.values()) == pytest.approx(1.0, abs=1e-4)
    assert shares["phase"] == pytest.approx(1 / 5.1, abs=1e-3)


def test_a_term_without_a_weight_is_not_even_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_config: object) -> object:
        raise AssertionError("built")

    for name in GROUPS:
        monkeypatch.setitem(LOSSES, name, refuse)
    recipe().train_step(batch(), 0)
    with pytest.raises(AssertionError, match="built"):
        recipe(weight("phase"))


def test_settings_of_a_term_reach_it() -> None:
    values = []
    for part in ("convergence", "log_magnitude", "magnitude", "complex"):
        parts = ",".join(
            f"{each}={1.0 if each == part else 0.0}"
            for each in ("convergence", "log_magnitude", "magnitude", "complex")
        )
        sizes = "n_ffts=[256],hop_lengths=[64],win_lengths=[256]"
        config = f"trainer.loss_config.spectral.mrstft.config={{{sizes},{parts}}}"
        trained = recipe(weight("mrstft"), config)
        values.append(trained.evaluate(batch()).metrics["mrstft"].mean().item())
    assert len({f"{value:.4f}" for value in values}) == 4


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ((weight("phase", -1.0),), "found -1.0, allowed: a number at least 0"),
        (
            ("trainer.loss_config.spectral.weights.mrsft=1.0",),
            "mrstft",
        ),
        (
            ("trainer.loss_config.spectral.mrstft.config.hop_lengths=[64]",),
            "found 1 entries, needed 3: one for each of n_ffts",
        ),
        (
            ("trainer.loss_config.spectral.phase.config.n_fft=1024",),
            "found 2048, allowed: at most the transform's 1024",
        ),
        (
            (weight("phase"), "trainer.loss_config.spectral.phase.config.n_fft=4096"),
            "allowed: at least 0.1707, the longest window",
        ),
        (
            ("trainer.best_metric=val/eval/sisdr",),
            "which is not measured; add 'sisdr' to trainer.eval_loss_config.terms",
        ),
        (("trainer.loss_config.spectral.stft_mse.config.p=0.5",), "allowed: a number at least 1"),
        (
            ("trainer.loss_config.pairwise.weights.similarity=1.0",),
            "similarity: found 1, allowed in mode 'mono': 0",
        ),
        (('trainer.eval_loss_config.terms=["mel","mel"]',), "allowed: each once"),
        (('trainer.eval_loss_config.terms=["pesq"]',), "'sisdr', 'stft' or 'mel'"),
    ],
)
def test_what_cannot_be_is_one_line(overrides: tuple[str, ...], line: str) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("mono", [*SMALL, *overrides])
    assert line in caught.value.problems[0]


def test_measures_of_evaluation_are_rows_and_choose_the_best() -> None:
    overrides = (
        'trainer.eval_loss_config.terms=["sisdr","stft","mel"]',
        "trainer.best_metric=val/eval/sisdr",
    )
    trained = recipe(*overrides)
    evaluation = trained.evaluate(batch())
    scalars = trained.aggregate([evaluation])
    for name in ("sisdr", "stft", "mel"):
        assert evaluation.metrics[f"eval/{name}"].shape == (2,)
        assert scalars[f"val/eval/{name}"].isfinite()
    torch.testing.assert_close(scalars["val/eval/sisdr"], scalars["val/si_sdr"])
    assert not any("eval/" in name for name in recipe().evaluate(batch()).metrics)


def test_every_setting_of_a_measure_changes_what_it_says() -> None:
    base = 'trainer.eval_loss_config.terms=["sisdr","stft","mel"]'
    reference = batch().expand(2, 2, -1) + 0.05
    estimate = reference + 0.05 * torch.randn(2, 2, 2400)

    def values(*overrides: str) -> dict[str, float]:
        profile = load_profile("mono", [*SMALL, base, *overrides]).profile
        metrics = build_metrics(profile, FabricRuntime(0))
        return {name: metric(estimate, reference).mean().item() for name, metric in metrics.items()}

    before = values()
    for name, setting in (
        ("sisdr", "zero_mean=false"),
        ("sisdr", "reduction=sum"),
        ("stft", "sample_rate=48000"),
        ("stft", "fft_size=4096"),
        ("stft", "hop_size=256"),
        ("stft", "win_length=1024"),
        ("mel", "fft_size=4096"),
        ("mel", "hop_size=256"),
        ("mel", "win_length=1024"),
        ("mel", "n_mels=32"),
    ):
        longer = "data.segment_seconds=0.2"
        after = values(f"trainer.eval_loss_config.{name}.{setting}", longer)
        changed = {key for key in before if before[key] != pytest.approx(after[key], rel=1e-6)}
        assert changed == {f"eval/{name}"}, setting


def test_windows_other_than_the_networks_are_told() -> None:
    notices = load_profile("spectral-vae", ["trainer.eval_loss_config.mel.hop_size=256"]).notices
    assert any("eval_loss_config.mel" in each and "(2048, 512, 2048)" in each for each in notices)
    assert not any("eval_loss_config" in each for each in load_profile("spectral-vae").notices)


def test_a_rate_other_than_that_of_the_audio_is_told() -> None:
    stft = ('trainer.eval_loss_config.terms=["stft"]', "trainer.eval_loss_config.stft.sample_rate=")
    there = load_profile("mono", [*SMALL, stft[0], stft[1] + "44100"]).notices
    assert any("resampled from data.rate=24000 to 44100 Hz" in each for each in there)
    for setting in ([], [stft[0], stft[1] + "24000"], [stft[1] + "44100"]):
        notices = load_profile("mono", [*SMALL, *setting]).notices
        assert not any("sample_rate" in each for each in notices)


def test_terms_that_only_a_stage_weighs_are_checked_before_it_begins() -> None:
    def stages(weights: str) -> str:
        later = "{name='later',length={steps=1},weights={" + weights + "}}"
        return "trainer.stages=[{name='first',length={steps=1}}," + later + "]"

    long = "trainer.loss_config.spectral.phase.config.n_fft=4096"
    for weights, line in (
        ("phase=1.0", "allowed: at least 0.1707, the longest window"),
        ("classifier=1.0", "found a weight in trainer.stages, allowed in mode 'mono': 0"),
        ("stft_mse=1.0", "found a weight of spectral.stft_mse, allowed with generator type"),
    ):
        with pytest.raises(ProfileError) as caught:
            load_profile("mono", [*SMALL, long, stages(weights)])
        assert any(line in problem for problem in caught.value.problems)
    load_profile("mono", [*SMALL, long, stages("phase=0.0")])
