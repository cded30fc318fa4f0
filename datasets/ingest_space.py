"""Whether the disks will hold what an ingest is going to write."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.quota import Quota, quota
from codecctl.datasets.store import size_text
from codecctl.errors import CodecctlError


@dataclass(frozen=True)
class Space:
    """One file system that stores are written to."""

    folder: Path
    """The first of the stores on it."""
    needed: int
    """Bytes of all stores on it."""
    free: int
    """Bytes."""
    quota: Quota | None
    """The tightest of this user and group; None where there is none or nobody knows."""
    quota_known: bool

    @property
    def left(self) -> int:
        """Bytes that can be written."""
        return self.free if self.quota is None else min(self.free, self.quota.left)

    @property
    def quota_text(self) -> str:
        """For people."""
        if self.quota is None:
            return "none" if self.quota_known else "unknown"
        return f"{size_text(self.quota.left)} of {size_text(self.quota.limit)} left"


def spaces(needs: Iterable[tuple[Path, int]]) -> tuple[Space, ...]:
    """One row for each file system, in the order of the stores.

    Args:
        needs: Folder of a store, which need not exist, and the bytes to write there.
    """
    rows: dict[int, Space] = {}
    for folder, needed in needs:
        above = folder.absolute()
        place = next(path for path in (above, *above.parents) if path.is_dir())
        device = place.stat().st_dev
        before = rows.get(device)
        if before is None:
            free = shutil.disk_usage(place).free
            rows[device] = Space(folder, needed, free, *quota(place))
        else:
            rows[device] = Space(
                before.folder,
                before.needed + needed,
                before.free,
                before.quota,
                before.quota_known,
            )
    return tuple(rows.values())


def require_space(rows: Iterable[Space]) -> None:
    """Stop before the first byte where a disk or a quota is too small.

    Raises:
        CodecctlError: It is.
    """
    for row in rows:
        if row.needed > row.free:
            raise CodecctlError(
                f"{row.folder}: the store needs {size_text(row.needed)}, the disk has "
                f"{size_text(row.free)} free; make room or set CODECCTL_HOME to a larger disk"
            )
        if row.quota is not None and row.needed > row.quota.left:
            raise CodecctlError(
                f"{row.folder}: the store needs {size_text(row.needed)}, the quota leaves "
                f"{size_text(row.quota.left)} of {size_text(row.quota.limit)}; make room or set "
                "CODECCTL_HOME to another disk"
            )
