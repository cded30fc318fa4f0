"""Keys that have to agree with each other."""

from __future__ import annotations

import pytest

from codecctl.engine.profile import load_profile
from codecctl.engine.profile.checks import kbps_per_stage
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.schema_model import Staged
from codecctl.errors import ProfileError

SEARCH = (PACKAGED,)
PLAIN = load_profile("paired", search=SEARCH).profile


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ['data.val_scenes=["Park", "Woodland"]'],
            "data.val_scenes: 'Park' is in train_scenes as well; keep one",
        ),
        (
            ['data.test_scenes=["train station"]'],
            "data.test_scenes: 'trainstation' is in val_scenes as well; keep one",
        ),
        (
            ["data.capsules.count=1"],
            "data.capsules.count: found 1, allowed in mode 'paired': at least 2",
        ),
        (
            ["data.items_per_epoch=7"],
            "data.items_per_epoch: found 7, allowed: at least data.batch_size = 8",
        ),
        (
            ["trainer.accumulate_grad_batches=3"],
            "trainer.accumulate_grad_batches: found 3, allowed: a divisor of data.batch_size = 8",
        ),
        (
            ["model.discriminators.0.channels=pairs"],
            "model.discriminators.0.channels: found 'pairs', allowed with "
            "model.generator.channels = 1: 'all'",
        ),
        (
            ["model.discriminators.0.num_filters=4", "model=soundstream"],
            "model.discriminators.0.num_filters: found 4, allowed: a multiple of 8",
        ),
        (
            ["trainer.on_out_of_memory=halve", "trainer.num_gpus=2"],
            "trainer.on_out_of_memory: found 'halve', allowed with several processes: 'stop'; one "
            "of them cannot repeat a step without the others",
        ),
        (
            ["data.segment_seconds=0.05"],
            "data.segment_seconds: found 0.05 (1200 samples), allowed: at least 0.08533, the "
            "longest window of losses, measures and discriminators",
        ),
        (
            ["model.generator.channels=2"],
            "model.generator.channels: found 2, allowed in mode 'paired': 1",
        ),
        (
            ["model.generator.trim_right_ratio=0.5"],
            "model.generator.trim_right_ratio: found 0.5, allowed with causal = true: 1.0",
        ),
        (
            ["model.generator.num_filters=1"],
            "model.generator.compress: found 2, allowed: at most num_filters = 1",
        ),
        (
            ["model.quantizer.bandwidths=[3.0, 1.5]"],
            "model.quantizer.bandwidths: found [3.0, 1.5], allowed: rising",
        ),
        (
            ["model.quantizer.bandwidths=[0.5, 1.5]"],
            "model.quantizer.bandwidths: found 0.5 kb/s, allowed: at least the 0.75 kb/s of one "
            "codebook",
        ),
        (
            ["model.n_q=1"],
            "trainer.loss_config.pairwise.diversity.config.stage: found 1, allowed: below "
            "model.quantizer.num_codebooks = 1",
        ),
        (
            ["model.discriminators.0.hop_lengths=[256, 512]"],
            "model.discriminators.0.hop_lengths: found 2 entries, needed 3: one for each of n_ffts",
        ),
        (
            ["model.discriminators.0.win_lengths=[1024, 2048, 1024]"],
            "model.discriminators.0.win_lengths: found 1024, allowed: at most its n_fft 512",
        ),
        (
            ["model.discriminators=[]"],
            "model.discriminators: found none, needed: one, or weights 0 in "
            "trainer.loss_config.adversarial",
        ),
        (
            ["trainer.scheduler.config.warmup_epochs=300"],
            "trainer.scheduler.config.warmup_epochs: found 300.0, allowed: below "
            "trainer.max_epochs = 300",
        ),
        (
            ["trainer.discriminator.scheduler.config.warmup_epochs=300"],
            "trainer.discriminator.scheduler.config.warmup_epochs: found 300.0, allowed: below "
            "trainer.max_epochs = 300",
        ),
        (
            ['trainer.balancer.covers=["mel", "mel"]'],
            "trainer.balancer.covers: found ['mel', 'mel'], allowed: each once",
        ),
        (
            ["trainer.balancer.covers=[]"],
            "trainer.balancer.covers: found [] without any weight, needed: a term with a weight "
            "above 0, or trainer.balancer.enabled = false",
        ),
        (
            ["trainer.profiler_dir=../profile"],
            "trainer.profiler_dir: found '../profile', allowed: a folder below the run directory, "
            "or an absolute path",
        ),
        (
            ["trainer.max_time=8h"],
            "trainer.max_time: found '8h', allowed: DD:HH:MM:SS or HH:MM:SS, such as 00:08:00:00",
        ),
    ],
)
def test_what_does_not_agree_is_refused_and_the_override_blamed(
    overrides: list[str], line: str
) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("paired", overrides, search=SEARCH)
    assert caught.value.problems == (f"override {overrides[0]}: {line}",)


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.n_q=1", "pairwise.div_weight=0"],
        [
            "model.discriminators=[]",
            *(
                f"trainer.loss_config.adversarial.weights.{term}=0"
                for term in ("generator", "feature")
            ),
        ],
        ["data.items_per_epoch=7", "trainer.updates_per_epoch=10"],
        ["data.capsules.count=4"],
        ["data.capsules.geometry=adjacent"],
        ["data.capsules.geometry=opposite", "data.capsules.count=4"],
        ["trainer.balancer.covers=[]", "trainer.balancer.enabled=false"],
        ["trainer.scheduler.config.warmup_epochs=300", "trainer.scheduler.enabled=false"],
        ["model.generator.trim_right_ratio=0.5", "model.generator.causal=false"],
        ['data.test_scenes=["Woodland"]', 'data.val_scenes=["TrainStation"]'],
        ["trainer.num_gpus=0"],
        ["trainer.num_gpus=auto"],
    ],
)
def test_what_does_agree_is_taken(overrides: list[str]) -> None:
    assert load_profile("paired", overrides, search=SEARCH).overrides == tuple(overrides)


def test_one_capsule_makes_no_pair() -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile("paired", ["data.capsules.policy=random_one"], search=SEARCH)
    assert [line.partition(": ")[2] for line in caught.value.problems] == [
        "data.capsules.count: found 2, allowed with policy 'random_one': 1",
        "data.capsules.policy: found 'random_one', allowed in mode 'paired': 'random_distinct' or "
        "'all'",
    ]


def test_all_capsules_leave_no_choice_of_place() -> None:
    given = ["data.capsules.geometry=adjacent", "data.capsules.policy=all"]
    with pytest.raises(ProfileError) as caught:
        load_profile("paired", given, search=SEARCH)
    assert [line.partition(": ")[2] for line in caught.value.problems] == [
        "data.capsules.geometry: found 'adjacent', allowed with policy 'all' and count 2: 'any'"
    ]


def test_a_codebook_of_1024_entries_costs_750_bits_a_second() -> None:
    quantizer, strides = PLAIN.model.quantizer, PLAIN.model.generator.strides
    assert isinstance(quantizer, Staged)
    assert kbps_per_stage(quantizer, rate=24000, strides=strides) == pytest.approx(0.75)
    assert kbps_per_stage(quantizer, rate=48000, strides=strides) == pytest.approx(1.5)


SGD = '{type="SGD",config={lr=0.1,nesterov=true}}'


@pytest.mark.parametrize(
    ("name", "overrides", "line"),
    [
        (
            "soundstream",
            [f"trainer.stages.1.optimizer={SGD}"],
            r"trainer\.stages\.1\.optimizer\.config\.nesterov: found true with momentum 0",
        ),
        (
            "soundstream",
            [f"trainer.stages.1.discriminator.optimizer={SGD}"],
            r"trainer\.stages\.1\.discriminator\.optimizer\.config\.nesterov: found true",
        ),
        (
            "lossless-8bit",
            [f"trainer.optimizer={SGD}"],
            r"trainer\.optimizer\.config\.nesterov: found true with momentum 0",
        ),
        (
            "soundstream",
            ["model.discriminators.1.num_filters=9"],
            r"found 9 with max_filters 1024, of which a layer from 9 to 36 has no groups of four",
        ),
        (
            "baseline-1ch",
            ["model.generator.trim_right_ratio=0.7"],
            r"trim_right_ratio: found 0\.7, allowed with causal = false: 0\.5",
        ),
        (
            "spectral-vae",
            ["trainer.loss_config.bottleneck.weights.commitment=1.0"],
            r"weights\.commitment: found 1, allowed in mode 'spectral'",
        ),
    ],
)
def test_what_could_not_be_built_or_would_be_ignored_is_refused(
    name: str, overrides: list[str], line: str
) -> None:
    with pytest.raises(ProfileError, match=line):
        load_profile(name, overrides, search=SEARCH)
