"""What types and bounds cannot say of `trainer.loss_config.` and `trainer.eval_loss_config.`."""

from __future__ import annotations

from collections.abc import Iterator

from codecctl.engine.profile.findings import Finding, disagreement
from codecctl.engine.profile.schema_eval_losses import EvalLosses
from codecctl.engine.profile.schema_losses import Losses
from codecctl.engine.profile.schema_losses_spectral import MultiResolutionStftConfig
from codecctl.engine.profile.schema_stages import Stage
from codecctl.engine.profile.schema_trainer import Trainer
from codecctl.engine.profile.staged import Term, UnknownTermError, stage_weights, weights_of

_MRSTFT = "trainer.loss_config.spectral.mrstft.config"


def check_losses(trainer: Trainer) -> Iterator[Finding]:
    """Keys of terms and measures that contradict each other."""
    yield from _check_resolutions(trainer.loss_config.spectral.mrstft.config)
    phase = trainer.loss_config.spectral.phase.config
    if phase.win_length > phase.n_fft:
        key = "trainer.loss_config.spectral.phase.config"
        yield _too_long(f"{key}.win_length", phase.win_length, phase.n_fft, f"{key}.n_fft")
    yield from _check_measures(trainer.eval_loss_config, trainer.best_metric)


def terms_in_use(trainer: Trainer) -> set[Term]:
    """Group and name of what has a weight above 0, in any stage where there are some."""
    losses = trainer.loss_config
    weighed = [_weights_in(losses, stage) for stage in trainer.stages] or [weights_of(losses)]
    return {term for weights in weighed for term, weight in weights.items() if weight}


def _weights_in(losses: Losses, stage: Stage) -> dict[Term, float]:
    try:
        return stage_weights(losses, stage)
    except UnknownTermError:
        return {}  # `check_stages` tells of it


def longest_window(trainer: Trainer, rate: int) -> int:
    """Samples, at the rate of the data in Hz, that the terms and measures in use need."""
    reconstruction, spectral = trainer.loss_config.reconstruction, trainer.loss_config.spectral
    measures, used = trainer.eval_loss_config, terms_in_use(trainer)
    needs: list[int] = [2 ** max(reconstruction.mel.config.scales)]
    if ("spectral", "mrstft") in used:
        needs.append(max(spectral.mrstft.config.n_ffts))
    if ("spectral", "linear_mel") in used:
        needs.append(2 ** max(spectral.linear_mel.config.scales))
    if ("spectral", "phase") in used:
        needs.append(spectral.phase.config.n_fft)
    if "stft" in measures.terms:
        needs.append(-(-measures.stft.fft_size * rate // measures.stft.sample_rate))
    if "mel" in measures.terms:
        needs.append(measures.mel.fft_size)
    return max(needs)


def _check_resolutions(config: MultiResolutionStftConfig) -> Iterator[Finding]:
    count = len(config.n_ffts)
    for name, lengths in (
        ("hop_lengths", config.hop_lengths),
        ("win_lengths", config.win_lengths),
    ):
        if len(lengths) != count:
            yield disagreement(
                f"{_MRSTFT}.{name}",
                f"found {len(lengths)} entries, needed {count}: one for each of n_ffts",
                f"{_MRSTFT}.n_ffts",
            )
    for win_length, n_fft in zip(config.win_lengths, config.n_ffts, strict=False):
        if win_length > n_fft:
            yield _too_long(f"{_MRSTFT}.win_lengths", win_length, n_fft, f"{_MRSTFT}.n_ffts")
    if not (config.convergence or config.log_magnitude or config.magnitude or config.complex):
        yield disagreement(
            f"{_MRSTFT}.convergence",
            "found 0 as for all other parts, needed: one part above 0; "
            "trainer.loss_config.spectral.weights.mrstft=0 leaves the term out",
        )


def _check_measures(measures: EvalLosses, best_metric: str) -> Iterator[Finding]:
    key = "trainer.eval_loss_config"
    if len(set(measures.terms)) != len(measures.terms):
        yield disagreement(f"{key}.terms", f"found {list(measures.terms)}, allowed: each once")
    for name, sizes in (("stft", measures.stft), ("mel", measures.mel)):
        if sizes.win_length > sizes.fft_size:
            place = f"{key}.{name}"
            yield _too_long(
                f"{place}.win_length", sizes.win_length, sizes.fft_size, f"{place}.fft_size"
            )
    chosen = best_metric.removeprefix("val/eval/")
    if chosen != best_metric and chosen not in measures.terms:
        yield disagreement(
            "trainer.best_metric",
            f"found '{best_metric}', which is not measured; add '{chosen}' to {key}.terms",
            f"{key}.terms",
        )


def _too_long(key: str, win_length: int, n_fft: int, of_transform: str) -> Finding:
    text = f"found {win_length}, allowed: at most the transform's {n_fft}"
    return disagreement(key, text, of_transform)
