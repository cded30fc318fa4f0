"""The flags of the audio language model's document, for profiles of the family `lm`."""

from __future__ import annotations

from collections.abc import Mapping

LM_ALIASES: Mapping[str, str] = {
    "audio_dir": "data.audio_dir",
    "batch_size": "data.batch_size",
    "chunk_size": "data.chunk_size",
    "embedding_dim": "model.embedding_dim",
    "learning_rate": "trainer.optimizer.config.lr",
    "log_every": "trainer.log_every_n_steps",
    "model_name": "trainer.model_name",
    "num_chunks": "data.num_chunks",
    "num_heads": "model.num_heads",
    "num_layers": "model.num_layers",
    "output_dir": "trainer.output_dir",
    "seed": "trainer.seed",
    "stereo_blocking_n": "data.stereo_blocking_n",
    "training_steps": "trainer.max_steps",
    "use_16bit": "data.bit_depth",
    "wandb_project": "trainer.wandb.project",
    "wandb_run_name": "trainer.wandb.run_name",
    "widening_factor": "model.widening_factor",
}
"""Flag to the key that it sets."""

LM_SWITCHES: Mapping[str, str] = {"use_16bit": "true"}
"""Flags that stand alone, and what they then say."""

_VALUES: Mapping[str, Mapping[str, str]] = {"use_16bit": {"true": "16", "false": "8"}}
"""Values of flags that the key writes otherwise."""

_BESIDE: Mapping[str, tuple[str, str]] = {
    "stereo_blocking_n": ("data.channel_mode", "blocked"),
    "wandb_project": ("trainer.wandb.use_wandb", "true"),
}
"""What naming a flag says without words: who chooses blocks or a project wants them."""


def meaning(name: str, value: str) -> tuple[tuple[str, str], ...]:
    """Keys and values, as written in TOML, that a flag of the document sets."""
    written = _VALUES.get(name, {}).get(value.strip().lower(), value)
    beside = (_BESIDE[name],) if name in _BESIDE else ()
    return ((LM_ALIASES[name], written), *beside)
