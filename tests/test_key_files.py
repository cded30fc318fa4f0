"""Keys that no job is built of: an export, a list or a group reads them, in every mode."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codecctl.engine.export_config import transformers_config
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.listing import list_profiles
from codecctl.engine.profile.schema import MODES
from codecctl.errors import ProfileError

from .key_proofs import WITHOUT_CODES
from .key_scenes import SCENES

STAGED = (
    "num_codebooks=4,groups=1,codebook_size=16,kmeans_init=true,kmeans_iterations=3,dropout=false,"
)
FOLLOWING = 'decay=0.9,epsilon=1e-5,dead_threshold=1.0,ema="correct",'


@pytest.mark.parametrize("kind", ["rvq", "vq"])
@pytest.mark.parametrize("profile", ["baseline-1ch", "mono", "paired", "soundstream"])
def test_an_export_of_every_mode_offers_other_bitrates(profile: str, kind: str) -> None:
    table = STAGED + (FOLLOWING if kind == "rvq" else "")
    offered = []
    for rates in ("[0.3,1.2]", "[0.6,1.2]"):
        quantizer = f'model.quantizer={{type="{kind}",{table}bandwidths={rates}}}'
        changes = ["model=seanet", "model.normalize=none", quantizer]
        offered.append(transformers_config(load_profile(profile, changes).profile))
    assert [config["target_bandwidths"] for config in offered] == [[0.3, 1.2], [0.6, 1.2]]


@pytest.mark.parametrize("mode", sorted(set(MODES) - {"lossless", "spectral"}))
def test_a_weight_of_the_divergence_is_told_to_do_nothing(mode: str) -> None:
    """The one key that may: contracts.md D32."""
    label = "trainer.loss_config.bottleneck.weights.kl"
    scene = SCENES[mode][0]
    notices = load_profile(scene.profile, [*scene.overrides, f"{label}=0.1"]).notices
    assert any(f"{label}: 0.1 is ignored" in notice for notice in notices)


@pytest.mark.parametrize("mode", sorted(MODES))
def test_description_and_family_of_a_file_of_every_mode_act(tmp_path: Path, mode: str) -> None:
    name = SCENES[mode][0].profile
    text = (PACKAGED / f"{name}.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(
        re.sub('^description = ".*"', 'description = "mine"', text, flags=re.MULTILINE)
    )
    assert "mine" in {entry.description for entry in list_profiles((tmp_path,))}
    here = load_profile(name, ["model=tiny"], search=(PACKAGED,)).profile
    for family in ("lm", "seanet", "soundstream", "spectral"):
        if family == here.family:
            continue
        changed = re.sub('^family = ".*"', f'family = "{family}"', text, flags=re.MULTILINE)
        (tmp_path / "own.toml").write_text(changed)
        try:
            other = load_profile("own", ["model=tiny"], search=(PACKAGED, tmp_path)).profile
        except ProfileError as error:
            assert "family" in str(error) or "tiny" in str(error)
        else:
            assert other.model != here.model


@pytest.mark.parametrize(("mode", "given"), WITHOUT_CODES)
def test_a_quantizer_that_a_mode_cannot_train_is_refused(mode: str, given: str) -> None:
    with pytest.raises(ProfileError, match=WITHOUT_CODES[mode, given]):
        load_profile(SCENES[mode][0].profile, [f"model.quantizer={given}"])
