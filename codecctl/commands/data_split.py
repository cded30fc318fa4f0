"""`codecctl data split`: which recordings train, validate and are kept for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import UsageError
from codecctl.locations import find_store
from codecctl.output import note, result, result_json

if TYPE_CHECKING:
    from codecctl.datasets.folds import Method, Side
    from codecctl.datasets.split import Split
    from codecctl.datasets.split_file import StoredSplit
    from codecctl.datasets.store import RecordingInfo, Store

_Sides = Annotated[
    str,
    typer.Option(metavar="SCENES|SHARE", help="Scenes with commas between, or a share as 0.2."),
]
_FOLDS_SHOWN = 8


def split(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    by: Annotated[
        str,
        typer.Option(metavar="scene|recording", help="What is on one side as a whole."),
    ] = "",
    folds: Annotated[
        int, typer.Option(min=0, help="So many folds; every recording validates in one of them.")
    ] = 0,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="A fold for each scene, or each recording.")
    ] = False,
    train: _Sides = "",
    val: _Sides = "",
    test: _Sides = "",
    group: Annotated[
        str, typer.Option(metavar="take|location", help="What stays together.")
    ] = "take",
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of the draw.")] = 42,
    name: Annotated[str, typer.Option(help="Name of the split; default: how it is made.")] = "",
    profile: Annotated[str, typer.Option(help="Whose scenes are shown and split by.")] = "paired",
    list_only: Annotated[
        bool, typer.Option("--list", help="List the splits of the store.")
    ] = False,
    remove: Annotated[str, typer.Option(metavar="NAME", help="Take a split away.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make a split that trainings can name, or show them.

    Recordings that share audio, a source file or a take are always on one side. Without options,
    shows what the profile trains and validates on, and the splits of the store.
    """
    from codecctl.datasets.split_file import read_split, remove_split
    from codecctl.datasets.store import Store

    folder = find_store(store)
    if remove:
        remove_split(folder, remove)
        note(f"{folder}: split {remove} removed")
        return
    makes = any((by, folds, leave_one_out, train, val, test, group != "take"))
    with Store.open(folder, check=False) as opened:
        if makes:
            sides = _side("--train", train), _side("--val", val), _side("--test", test)
            method = _method(opened, by, folds, leave_one_out, sides, group, seed, profile)
            _make(opened, name or _default_name(method), method, as_json=as_json)
        elif name:
            _show(opened, read_split(folder, name), "", as_json=as_json)
        else:
            _show_all(opened, "" if list_only else profile, as_json=as_json)


def _method(
    store: Store,
    by: str,
    folds: int,
    leave_one_out: bool,
    sides: tuple[Side, Side, Side],
    group: str,
    seed: int,
    profile: str,
) -> Method:
    from codecctl.datasets.folds import LOCATION, RECORDING, SCENE, TAKE, Method

    for option, value, allowed in (
        ("--by", by or RECORDING, (SCENE, RECORDING)),
        ("--group", group, (TAKE, LOCATION)),
    ):
        if value not in allowed:
            raise UsageError(f"{option} {value}: needed {' or '.join(allowed)}")
    if folds == 1:
        raise UsageError("--folds 1: needed 2 or more; leave it out for one split")
    by = by or (SCENE if any(isinstance(side, tuple) for side in sides[:2]) else RECORDING)
    if by == SCENE and sides == (None, None, None) and not folds and not leave_one_out:
        sides = _scenes_of(store, profile)
    train, validation, test = sides
    return Method(by, folds or 1, leave_one_out, group, train, validation, test, seed)


def _scenes_of(store: Store, profile: str) -> tuple[Side, Side, Side]:
    """The scenes of a profile that a store has; nothing where it lacks those of one side."""
    from codecctl.datasets.split import spelled
    from codecctl.engine.profile import load_profile

    data = load_profile(profile).profile.data
    train, validation, test = (
        tuple(sorted(spelled(scenes, store)))
        for scenes in (data.train_scenes, data.val_scenes, data.test_scenes)
    )
    return (train, validation, test or None) if train and validation else (None, None, None)


def _side(option: str, text: str) -> Side:
    """Scenes, a share, or nothing."""
    if not text:
        return None
    try:
        share = float(text)
    except ValueError:
        return tuple(scene.strip() for scene in text.split(",") if scene.strip())
    if not 0 < share < 1:
        raise UsageError(f"{option} {text}: needed a share above 0 and below 1, or scenes")
    return share


def _default_name(method: Method) -> str:
    base = f"leave-one-{method.by}-out" if method.leave_one_out else method.by
    folds = f"-{method.folds}-folds" if method.folds > 1 else ""
    return f"{base}{folds}{'-apart' if method.group == 'location' else ''}"


def _make(store: Store, name: str, method: Method, *, as_json: bool) -> None:
    from codecctl.datasets.folds import make_folds
    from codecctl.datasets.split_file import UNCHANGED, new_split, write_split

    made = new_split(name, method, store, make_folds(store, method))
    kept, done = write_split(store.path, made)
    _show(store, kept, done, as_json=as_json)
    if done != UNCHANGED:
        note(f"{store.path / 'splits' / name}.json: {done}")


def _show(store: Store, stored: StoredSplit, done: str, *, as_json: bool) -> None:
    if as_json:
        result_json({"schema": 1, **_heading(store), "done": done, **_split_json(store, stored)})
        return
    result(f"{store.path}: split {stored.name}: {_about(store, stored)}")
    if len(stored.folds) == 1:
        _print_sides(store, stored.folds[0])
    else:
        _print_folds(store, stored)
    fold = ":1" if len(stored.folds) > 1 else ""
    where = f"data.store={store.path.name} data.split={stored.name}{fold}"
    result(f"next: codecctl train --profile paired {where}")


def _show_all(store: Store, profile: str, *, as_json: bool) -> None:
    """The sides of a profile, if one is named, and every stored split."""
    from codecctl.datasets.leaks import find_leaks
    from codecctl.datasets.split_file import read_split, split_names
    from codecctl.engine.profile import load_profile
    from codecctl.engine.sides import unchecked_sides

    splits = [read_split(store.path, name) for name in split_names(store.path)]
    sides = unchecked_sides(load_profile(profile).profile.data, store) if profile else None
    if as_json:
        of_profile = sides and {"profile": profile, "note": sides.note, **_sides_json(store, sides)}
        rows = [_split_json(store, stored) for stored in splits]
        result_json({"schema": 1, **_heading(store), "as_profile": of_profile, "splits": rows})
        return
    if sides is not None:
        result(f"{store.path}: {len(store.recordings)} recordings; profile {profile} uses")
        _print_sides(store, sides)
        if sides.note:
            note(f"warning: {sides.note}")
        for leak in () if sides.on_itself else find_leaks(store.path, sides):
            note(f"warning: training will refuse this: {leak}")
    for stored in splits:
        result(f"split {stored.name}: {_about(store, stored)}")
    if not splits:
        result(f"no split yet; make one with: codecctl data split {store.path.name} --by recording")


def _about(store: Store, stored: StoredSplit) -> str:
    from codecctl.datasets.split_file import state_of

    state = state_of(store, stored)
    changed = f"; since then {state}" if state else ""
    return f"{stored.method}, {len(stored.recordings)} recordings, {stored.created}{changed}"


def _print_sides(store: Store, sides: Split) -> None:
    """A line for each scene: recordings and minutes of each side."""
    rows = [["scene", *sides.sides]]
    for scene, of_scene in _scenes(store).items():
        cells = [_amount(of_scene, names) for names in sides.sides.values()]
        rows.append([scene or "(none)", *cells])
    rows.append(["all", *(_amount(store.recordings, names) for names in sides.sides.values())])
    _print_table(rows)


def _print_folds(store: Store, stored: StoredSplit) -> None:
    """A line for each scene: how many of its recordings each fold validates on."""
    shown = stored.folds[:_FOLDS_SHOWN]
    sides = [*(fold.validation for fold in shown), shown[0].test]
    rows = [["scene", *(f"fold {number}" for number in range(1, len(shown) + 1)), "test"]]
    for scene, of_scene in [*_scenes(store).items(), ("all", store.recordings)]:
        chosen = [sum(info.name in names for info in of_scene) for names in sides]
        rows.append([scene or "(none)", *(str(count or "-") for count in chosen)])
    minutes = [sum(store.recording(name).seconds for name in names) / 60 for names in sides]
    rows.append(["minutes", *(f"{value:.2f}" if value else "-" for value in minutes)])
    result("recordings that each fold validates on; it trains on the rest")
    _print_table(rows)
    if len(stored.folds) > len(shown):
        result(f"and folds {len(shown) + 1} to {len(stored.folds)}")


def _scenes(store: Store) -> dict[str, list[RecordingInfo]]:
    scenes: dict[str, list[RecordingInfo]] = {}
    for info in sorted(store.recordings, key=lambda row: row.scene):
        scenes.setdefault(info.scene, []).append(info)
    return scenes


def _amount(rows: Sequence[RecordingInfo], names: Sequence[str]) -> str:
    chosen = [info for info in rows if info.name in set(names)]
    minutes = sum(info.seconds for info in chosen) / 60
    return f"{len(chosen)} ({minutes:.2f} min)" if chosen else "-"


def _heading(store: Store) -> dict[str, object]:
    return {"store": store.name, "path": str(store.path), "fingerprint": store.fingerprint}


def _split_json(store: Store, stored: StoredSplit) -> dict[str, object]:
    from dataclasses import asdict

    from codecctl.datasets.split_file import state_of

    return {
        "name": stored.name,
        "method": asdict(stored.method),
        "created": stored.created,
        "of_fingerprint": stored.fingerprint,
        "changed": state_of(store, stored),
        "folds": [_sides_json(store, fold) for fold in stored.folds],
    }


def _sides_json(store: Store, sides: Split) -> dict[str, object]:
    return {
        side: {
            "recordings": list(names),
            "minutes": sum(store.recording(name).seconds for name in names if _has(store, name))
            / 60,
        }
        for side, names in sides.sides.items()
    }


def _has(store: Store, name: str) -> bool:
    return any(info.name == name for info in store.recordings)


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        result("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
