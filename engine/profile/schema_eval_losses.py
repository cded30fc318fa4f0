"""`trainer.eval_loss_config.`: what validation measures beside the distances of all profiles."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from codecctl.engine.profile.constraints import CLOSED, Count

Size = Annotated[int, Field(ge=16, le=65536)]
Rate = Annotated[int, Field(ge=1000, le=768_000)]


class EvalSiSdr(BaseModel):
    """Scale-invariant ratio of signal to distortion in dB; higher is closer."""

    model_config = CLOSED

    zero_mean: bool
    """Take the mean of each channel away first."""
    reduction: Literal["mean", "sum"]
    """Over the channels of a signal; over items it is a mean."""


class EvalStft(BaseModel):
    """Spectral convergence plus the mean difference of natural log magnitudes."""

    model_config = CLOSED

    sample_rate: Rate
    """Hz at which the lengths are meant; audio of another rate is resampled to it first."""
    fft_size: Size
    """In samples."""
    hop_size: Count
    """In samples."""
    win_length: Size
    """Of the Hann window, in samples."""


class EvalMel(BaseModel):
    """The same distance of magnitudes in mel bands."""

    model_config = CLOSED

    fft_size: Size
    """In samples."""
    hop_size: Count
    """In samples."""
    win_length: Size
    """Of the Hann window, in samples."""
    n_mels: Count
    """Bands between 0 Hz and half the rate of the data."""


class EvalLosses(BaseModel):
    """Measures of validation, as `val/eval/sisdr`, `val/eval/stft` and `val/eval/mel`."""

    model_config = CLOSED

    terms: tuple[Literal["sisdr", "stft", "mel"], ...]
    """Which of them are measured; [] for none."""
    sisdr: EvalSiSdr
    stft: EvalStft
    mel: EvalMel
