"""Other names of keys and profiles: every one that the documents of the united projects print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codecctl.engine.profile.aliases_lm import LM_ALIASES, LM_SWITCHES
from codecctl.engine.profile.names import did_you_mean
from codecctl.errors import UsageError

KEY_ALIASES: dict[str, str] = {
    "data.eval_dataloader.batch_size": "data.val_batch_size",
    "data.hop_length": "model.generator.hop_length",
    "data.n_fft": "model.generator.n_fft",
    "data.normalized": "model.generator.normalized",
    "data.num_workers": "data.prefetch_batches",
    "data.sample_rate": "data.rate",
    "data.train_dataloader.batch_size": "data.batch_size",
    "data.train_dataloader.num_workers": "data.prefetch_batches",
    "data.win_length": "model.generator.win_length",
    "datasets.batch_size": "data.batch_size",
    "datasets.fixed_length": "data.items_per_epoch",
    "epochs": "trainer.max_epochs",
    "log_interval": "trainer.log_every_n_steps",
    "model.n_q": "model.quantizer.num_codebooks",
    "model.target_bandwidths": "model.quantizer.bandwidths",
    "num_workers": "data.prefetch_batches",
    "pairwise.div_weight": "trainer.loss_config.pairwise.weights.diversity",
    "pairwise.sim_weight": "trainer.loss_config.pairwise.weights.similarity",
    "trainer.devices": "trainer.num_gpus",
    "trainer.epochs": "trainer.max_epochs",
    "trainer.log_interval": "trainer.log_every_n_steps",
    "trainer.val_check_interval": "trainer.val_every_n_steps",
}

VALUE_ALIASES: dict[str, dict[str, str]] = {
    "trainer.logger": {"none": "jsonl"},
    "model.quantizer.ema": {"ema": "correct", "ema_encodec": "encodec"},
}
"""Other words for values, by the key that they stand at."""

BRANCH_ALIASES: dict[str, str] = {"model.autoencoder": "model", "trainer.trainer": "trainer"}
"""Everything below the first stands below the second."""

PROFILE_ALIASES: dict[str, str] = {
    "config_mono_nq2": "mono",
    "config_paired_nq2": "paired",
}
"""Values of `--config-name`, which are also names of profiles."""

FLAG_ALIASES: dict[str, str] = {"1ch": "baseline-1ch", "32ch": "baseline-32ch"}
"""Options of `train` without a value that choose a profile."""


def canonical_key(key: str) -> str:
    """The key of the profile tree that a dotted key means; itself when it is no alias."""
    for branch, target in BRANCH_ALIASES.items():
        if key.startswith(f"{branch}."):
            key = target + key[len(branch) :]
    return KEY_ALIASES.get(key, key)


def canonical_value(key: str, written: str) -> str:
    """The value that a word means at a canonical key; itself when it is no alias."""
    return VALUE_ALIASES.get(key, {}).get(written.strip(), written)


def aliased_options(arguments: Sequence[str], *, family: str = "") -> tuple[str | None, list[str]]:
    """The profile and the overrides that arguments of `train` mean which it does not know itself.

    `--config-name config_paired_nq2` chooses a profile; `--epochs 5` and `--log-interval=10` are
    aliases of keys; everything that does not begin with a dash is an override and stays.

    Args:
        arguments: In order.
        family: Of the profile, where it is known; `lm` brings the flags of its document.

    Raises:
        UsageError: An option is no alias, lacks its value, or chooses a second profile.
    """
    profile: str | None = None
    overrides: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-"):
            overrides.append(argument)
            continue
        option, equals, value = argument.partition("=")
        name = option.removeprefix("--").replace("-", "_")
        chosen: str | None = None
        if option == "--config-name":
            config = (value if equals else _value_of(option, rest)).removesuffix(".yaml")
            chosen = PROFILE_ALIASES.get(config, config)
        elif name in FLAG_ALIASES and option.startswith("--") and not equals:
            chosen = FLAG_ALIASES[name]
        elif family == "lm" and name in LM_SWITCHES and not equals:
            overrides.append(f"{name}={LM_SWITCHES[name]}")
        elif option.startswith("--") and (
            canonical_key(name) != name or (family == "lm" and name in LM_ALIASES)
        ):
            overrides.append(f"{name}={value if equals else _value_of(option, rest)}")
        else:
            known = (*_OPTIONS, *(f"--{flag}" for flag in LM_ALIASES if family == "lm"))
            hint = did_you_mean(option, known, cutoff=0.75) or "; see codecctl train --help"
            raise UsageError(f"no option {option}{hint}")
        if chosen and profile not in (None, chosen):
            raise UsageError(f"{argument}: chooses profile '{chosen}' beside '{profile}'; keep one")
        profile = chosen or profile
    return profile, overrides


_OPTIONS = (
    *("--profile", "--run", "--resume", "--dry-run", "--help", "--config-name"),
    *(f"--{name}" for name in (*FLAG_ALIASES, *KEY_ALIASES)),
)


def _value_of(option: str, rest: Iterator[str]) -> str:
    value = next(rest, "--")
    if value.startswith("--"):
        raise UsageError(f"{option}: found no value, needed {option} VALUE")
    return value
