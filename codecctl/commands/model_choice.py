"""NAME.npz, RUN or RUN:CHECKPOINT on a command line to the language model that codes audio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.commands.checkpoint_choice import choose_checkpoint
from codecctl.errors import NotFoundError, ProfileError
from codecctl.output import note

if TYPE_CHECKING:
    from codecctl.engine.lossless.exact import ExactTransformer

EXPORTED = ".npz"


@dataclass(frozen=True)
class CodingModel:
    """A model in exact arithmetic, and how it was trained to hear several channels."""

    exact: ExactTransformer
    block: int
    """Samples of a channel in a row."""


def choose_model(text: str) -> Path:
    """The file of exported weights, or the folder of a checkpoint; loads nothing.

    Args:
        text: Path of a file that `train` exported, or a run or checkpoint as `choose_checkpoint`
            takes it.

    Raises:
        NotFoundError: There is no such file, run or checkpoint.
        ProfileError: The run is one of another mode.
    """
    path = Path(text)
    if path.is_file():
        return path
    if path.suffix == EXPORTED:
        raise NotFoundError(f"{path}: no such file; needed weights that train exported, or a run")
    from codecctl.engine.profile.schema import LosslessProfile
    from codecctl.engine.run_profile import profile_of

    checkpoint = choose_checkpoint(text)
    run = checkpoint.parent.parent
    profile = profile_of(run)
    if not isinstance(profile, LosslessProfile):
        raise ProfileError(
            f"{run.name}: found a profile of mode {profile.mode}, needed a language model; train "
            "one with --profile lossless-8bit or lossless-16bit, or code with --lossless"
        )
    return checkpoint


def load_model(chosen: Path) -> CodingModel:
    """The model of what `choose_model` found: of a checkpoint its averaged weights, if it has any.

    Raises:
        NotFoundError: It is gone.
        DataError: It is damaged, or holds no weights of a language model.
        CodecctlError: The network is too large for exact sums.
    """
    from codecctl.engine.lossless.exact import ExactTransformer
    from codecctl.engine.lossless_export import exported_block, load_exported

    if chosen.is_file():
        return CodingModel(ExactTransformer(load_exported(chosen)), exported_block(chosen))
    from codecctl.engine.lossless_trained import load_language_model
    from codecctl.engine.profile.schema import LosslessProfile
    from codecctl.engine.run_profile import profile_of

    profile = profile_of(chosen.parent.parent)
    assert isinstance(profile, LosslessProfile), profile.mode
    trained = load_language_model(chosen, profile)
    kind = "averaged weights" if trained.weights == "average" else "weights of its last step"
    note(f"model: {trained.run}:{trained.step}, {kind}")
    return CodingModel(ExactTransformer(trained.network), trained.block)
