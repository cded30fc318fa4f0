"""What a coded file holds, read from record to record without decoding any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.lossless.arrays import MODEL as NO_MODEL
from codecctl.engine.lossless.container import MAGIC, RECORD, SEALS, Header
from codecctl.engine.lossless.disk import opened


@dataclass(frozen=True)
class Survey:
    """Sizes in bytes, without the eight before each record, and hashes."""

    header: Header
    size: int
    """Of the file."""
    header_bytes: int
    verbatim_bytes: int
    """Of what stands before and behind the samples, coded."""
    chunks: tuple[int, ...]
    md5: bytes
    """Of the samples."""
    sha256: bytes
    """Of the WAV file."""

    @property
    def needs_model(self) -> bool:
        """Whether a trained model coded it."""
        return self.header.model != NO_MODEL

    @property
    def coder(self) -> str:
        """What coded it."""
        return "trained model" if self.needs_model else self.header.model

    @property
    def raw(self) -> int:
        """Bytes of the WAV file."""
        header = self.header
        return header.before + header.behind + header.symbols * header.bits // 8

    @property
    def bits_per_sample(self) -> float:
        """Of all chunks; 0 where there are none."""
        return 8 * sum(self.chunks) / self.header.symbols if self.chunks else 0.0

    @property
    def bits_of_chunks(self) -> list[float]:
        """Bits per sample of each chunk."""
        return [8 * size / self.header.length(i) for i, size in enumerate(self.chunks)]


def survey(source: Path) -> Survey:
    """Look at every record of a coded file.

    Raises:
        NotFoundError: There is no such file.
        DataError: It is damaged or no coded file.
    """
    size = source.stat().st_size if source.is_file() else 0
    with opened(source) as reader:
        header = reader.header
        chunks = tuple(
            len(reader.record(f"chunk {index}", most=size)) for index in range(header.num_chunks)
        )
        md5, sha256 = reader.end()
    kept = len(MAGIC) + (3 + len(chunks)) * RECORD.size + SEALS + sum(chunks)
    return Survey(
        header=header,
        size=size,
        header_bytes=reader.header_bytes,
        verbatim_bytes=size - kept - reader.header_bytes,
        chunks=chunks,
        md5=md5,
        sha256=sha256,
    )
