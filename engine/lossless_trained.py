"""The language model of a checkpoint, and the recordings that its run validates on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.token_stream import TokenStream
from codecctl.engine.build_lossless import transformer_layout
from codecctl.engine.checkpoint_files import META
from codecctl.engine.lossless.takes import Hearing
from codecctl.engine.lossless_source import lossless_sides, open_stream, tokens_of
from codecctl.engine.networks.transformer import Transformer
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.rows import number
from codecctl.engine.rundir import read_json
from codecctl.engine.trained import Weights, load_strictly, read_tensors, weights_file


@dataclass(frozen=True)
class TrainedModel:
    """A language model and where it comes from."""

    network: Transformer
    """On the CPU, in evaluation mode."""
    profile: LosslessProfile
    run: str
    checkpoint: str
    """Name of the folder, `step-000000500`."""
    step: int
    weights: str
    """`average` or `last`."""
    store_fingerprint: str
    """Of what it was trained on."""

    @property
    def hearing(self) -> Hearing:
        """How it hears a recording."""
        tokenizer, layout = tokens_of(self.profile.data)
        return Hearing(layout, tokenizer)

    @property
    def block(self) -> int:
        """Samples of a channel in a row that it was trained on."""
        return self.profile.data.stereo_blocking_n


def load_language_model(
    checkpoint: Path, profile: LosslessProfile, weights: Weights = ""
) -> TrainedModel:
    """The network of a checkpoint folder inside its run.

    Args:
        checkpoint: The folder.
        profile: Of the run.
        weights: Which.

    Raises:
        NotFoundError: There are no weights of this kind.
        DataError: A file is damaged, or the weights are not those of the profile.
    """
    kind, file = weights_file(checkpoint, weights)
    network, meta = transformer_layout(profile).build(), read_json(checkpoint / META)
    load_strictly(network, read_tensors(file), label=str(file))
    return TrainedModel(
        network=network.eval(),
        profile=profile,
        run=checkpoint.parent.parent.name,
        checkpoint=checkpoint.name,
        step=int(number(meta.get("step")) or 0),
        weights=kind,
        store_fingerprint=str(meta.get("store_fingerprint", "")),
    )


def validated_recordings(
    profile: LosslessProfile, run: Path, stores: Path
) -> tuple[TokenStream, tuple[str, ...]]:
    """What a run reads, and the names of the recordings that it validates on.

    Args:
        profile: Of the run.
        run: Its folder.
        stores: Folder of the stores.

    Raises:
        NotFoundError: The folder or store is not there any more.
        DataError: Nothing in it can be used.
    """
    store = read_json(run / "environment.json").get("store")
    path = str(store.get("path", "")) if isinstance(store, dict) else ""
    stream = open_stream(profile.data, stores, path or profile.data.store)
    return stream, lossless_sides(profile.data, stream).validation
