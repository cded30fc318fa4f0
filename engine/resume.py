"""What `--resume` continues, and what may have changed since; needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from codecctl.engine.rows import Row
from codecctl.engine.rundir import list_runs, read_json
from codecctl.errors import DataError, ProfileError, UsageError

MAY_CHANGE = (
    "data.audio_dir",
    "data.check_reads",
    "data.expand_on_device",
    "data.io_threads",
    "data.pin_memory",
    "data.prefetch_batches",
    "data.store",
    "data.val_batch_size",
    "defaults",
    "description",
    "trainer.accumulate_grad_batches",
    "trainer.array_measures",
    "trainer.benchmark",
    "trainer.check_val_every_n_epoch",
    "trainer.detect_anomaly",
    "trainer.keep_every_n_steps",
    "trainer.keep_last",
    "trainer.log_every_n_steps",
    "trainer.logger",
    "trainer.log_model_structure",
    "trainer.max_steps",
    "trainer.max_time",
    "trainer.model_name",
    "trainer.num_gpus",
    "trainer.num_nodes",
    "trainer.on_out_of_memory",
    "trainer.num_sanity_val_steps",
    "trainer.output_dir",
    "trainer.previews",
    "trainer.profile",
    "trainer.profiler_dir",
    "trainer.save_every_minutes",
    "trainer.save_every_n_epochs",
    "trainer.save_every_n_steps",
    "trainer.save_top_k",
    "trainer.strategy",
    "trainer.terminate_on_nan",
    "trainer.val_every_n_steps",
    "trainer.wandb",
)
"""Keys without influence on what a step does, but for rounding; all others have to stay.

`data.store` and `data.audio_dir` say where the audio is; its fingerprint has to stay."""

REMEDIES = (
    "trainer.discriminator.gradient_clip_val",
    "trainer.discriminator.optimizer.config.lr",
    "trainer.gradient_clip_val",
    "trainer.optimizer.config.lr",
    "trainer.precision",
)
"""Keys that change what a step does, and which a run that diverged is continued with."""

_SHOWN = 4


def newest_run(runs: Path, profile: str) -> Path | None:
    """The run of a profile that was started last, None when there is none.

    Imported ones were never started.
    """
    return next(
        (
            run.path
            for run in list_runs(runs)
            if run.profile == profile and "imported" not in stored_profile(run.path)
        ),
        None,
    )


def stored_profile(run: Path) -> Row:
    """What profile.json of a run holds, {} when the run was killed before it was written."""
    return read_json(run / "profile.json")


def merged_overrides(stored: object, given: Sequence[str]) -> list[str]:
    """The overrides that the run was started with, then those that are new.

    A requeued job repeats its command word for word, and a short `--resume` repeats nothing:
    both mean the same training.
    """
    before = [str(override) for override in stored] if isinstance(stored, list) else []
    if before[: len(given)] == list(given):
        return before
    merged = list(before)
    for override in given:
        key = override.partition("=")[0]
        same = [each for each in merged if each.partition("=")[0] == key]
        if same[-1:] != [override]:  # what was said last of a key counts
            merged.append(override)
    return merged


def refuse_changes(run: Path, profile: Mapping[str, object]) -> tuple[str, ...]:
    """Compare the profile of a run with the one that is to continue it.

    Args:
        run: The run folder.
        profile: As `model_dump(mode="json")` gives it.

    Returns:
        The keys that changed and may.

    Raises:
        ProfileError: A key changed that a step depends on.
    """
    then = stored_profile(run).get("profile")
    if not isinstance(then, dict):
        return ()
    changes = list(_changes(then, profile))
    kept = [change for change in changes if not _may_change(change[0])]
    if kept:
        shown = "; ".join(f"{key}: {now} now, {before} then" for key, before, now in kept[:_SHOWN])
        more = f" and {len(kept) - _SHOWN} more" if len(kept) > _SHOWN else ""
        raise ProfileError(
            f"{run.name}: the profile is not the one that this run was started with: "
            f"{shown}{more}; leave that out, or start another run with --run NAME"
        )
    return tuple(key for key, _, _ in changes)


def stored_store(run: Path) -> str:
    """Where the store of a run is, by path or else by name; "" where the run does not say."""
    store = read_json(run / "environment.json").get("store")
    if not isinstance(store, dict):
        return ""
    path = str(store.get("path", ""))
    return path if (Path(path) / "index.json").is_file() else str(store.get("name", ""))


def refuse_other_store(run: Path, *, name: str, fingerprint: str) -> None:
    """Compare the store of a run with the one that is to continue it.

    Raises:
        DataError: Its audio is not the same.
    """
    store = read_json(run / "environment.json").get("store")
    then = store if isinstance(store, dict) else {}
    if then and then.get("fingerprint") != fingerprint:
        raise DataError(
            f"{run.name}: store {name} is not the one that this run was started with "
            f"({then.get('name')} at {then.get('path')}, {then.get('recordings')} recordings); "
            "choose it with data.store=PATH, or start another run with --run NAME"
        )


def refuse_other_sides(run: Path, sides: Mapping[str, Sequence[str]]) -> None:
    """Compare what a run trains and validates on with what it is to be continued on.

    Args:
        run: The run folder.
        sides: Names of recordings by side, as in split.json.

    Raises:
        DataError: A recording has changed sides: the split was made anew.
    """
    then = read_json(run / "split.json").get("sides")
    if not isinstance(then, dict):
        return
    for side, names in sides.items():
        moved = sorted({str(name) for name in then.get(side) or ()} ^ set(names))
        if moved:
            shown = ", ".join(moved[:_SHOWN])
            raise DataError(
                f"{run.name}: the split is not the one that this run was started with: "
                f"{len(moved)} recordings differ in {side} ({shown}); choose it with "
                "data.split=NAME, or start another run with --run NAME"
            )


def refuse_other_profile(run: Path, name: str) -> None:
    """Compare names of profiles.

    Raises:
        UsageError: The run is of another one.
    """
    then = stored_profile(run).get("name")
    if isinstance(then, str) and then != name:
        raise UsageError(
            f"{run.name}: found a run of profile {then}, asked to continue {name}; "
            f"use --profile {then}, or start another run with --run NAME"
        )


def _may_change(key: str) -> bool:
    return any(key == free or key.startswith(f"{free}.") for free in (*MAY_CHANGE, *REMEDIES))


def _changes(
    then: Mapping[str, object], now: Mapping[str, object], path: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Key path, value then and value now of everything that differs."""
    for key in sorted({*then, *now}):
        before, after = then.get(key), now.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _changes(before, after, f"{path}{key}.")
        elif before != after:
            yield f"{path}{key}", before, after
