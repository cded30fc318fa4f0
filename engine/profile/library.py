"""Where profiles and the options of their groups are found.

    profiles/<name>.toml                a profile
    profiles/{data,model,trainer}/      options of the groups, one file each

A later folder of the search path wins over an earlier one with a file of the same name.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from codecctl.engine.profile.names import did_you_mean, same_name
from codecctl.errors import NotFoundError, ProfileError

PACKAGED = Path(str(files("codecctl.profiles")))


@dataclass(frozen=True)
class File:
    """A TOML file of the search path."""

    path: Path
    label: str
    """How messages and provenance call it: short, but enough to open it."""


def search_path() -> tuple[Path, ...]:
    """The packaged profiles, the user's configuration folder, `./profiles`; the last wins."""
    from platformdirs import user_config_dir

    folders = (PACKAGED, Path(user_config_dir("codecctl")) / "profiles", Path("profiles"))
    found: list[Path] = []
    for folder in folders:
        # In a checkout of codecctl `./profiles` are the packaged ones.
        if folder.is_dir() and not any(folder.samefile(other) for other in found):
            found.append(folder)
    return tuple(found)


@dataclass(frozen=True)
class Library:
    """Profiles and options of a search path."""

    folders: tuple[Path, ...]

    def beside(self, file: File) -> Library:
        """This library and the folder of a profile that was given by its path."""
        folder = file.path.parent
        known = any(other.is_dir() and folder.samefile(other) for other in self.folders)
        return self if known else Library((*self.folders, folder))

    def names(self, group: str = "") -> dict[str, File]:
        """Name to file of the options of a group, or of the profiles."""
        found: dict[str, tuple[str, File]] = {}
        for folder in self.folders:
            for path in sorted((folder / group).glob("*.toml")):
                found[same_name(path.stem)] = (path.stem, File(path, label_of(path)))
        return dict(sorted(found.values(), key=lambda entry: entry[0]))

    def profile(self, name: str) -> File:
        """The file of a profile given by name or by path.

        Raises:
            NotFoundError: There is none; names the nearest and all others.
        """
        if name.endswith(".toml") or "/" in name:
            path = Path(name)
            if path.is_file():
                return File(path, label_of(path))
            raise NotFoundError(f"{name}: no such profile file")
        found = _matching(name, self.names())
        if found is None:
            names = list(self.names())
            raise NotFoundError(
                f"no profile '{name}'{did_you_mean(name, names)} (have: {', '.join(names)})"
            )
        return found

    def option(self, group: str, name: str, *, family: str) -> File:
        """The file of an option of a group; `tiny` is the family's own, if it has one.

        Raises:
            ProfileError: There is none; names the nearest and all others.
        """
        options = self.names(group)
        found = _matching(f"{family}-{name}", options) or _matching(name, options)
        if found is None:
            short = [known.removeprefix(f"{family}-") for known in options]
            hint = did_you_mean(name, [*options, *short])
            have = ", ".join(options) or "none"
            raise ProfileError(f"no option '{name}' in group '{group}'{hint} (have: {have})")
        return found


def label_of(path: Path) -> str:
    """A path as short as it can be opened: below the working directory, or in the package."""
    absolute = path.absolute()
    for base, prefix in ((Path.cwd(), ""), (PACKAGED, "codecctl/profiles/")):
        if absolute.is_relative_to(base):
            return prefix + absolute.relative_to(base).as_posix()
    return str(path)


def _matching(name: str, names: dict[str, File]) -> File | None:
    return {same_name(known): file for known, file in names.items()}.get(same_name(name))
