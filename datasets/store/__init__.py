"""The chunk store: write recordings, list them in an index, read any window of them."""

from codecctl.datasets.store.damage import Damage
from codecctl.datasets.store.disk import free_bytes, remove_abandoned, size_text
from codecctl.datasets.store.index import (
    Index,
    committed_recordings,
    read_index,
    sealed,
    write_index,
)
from codecctl.datasets.store.layout import (
    FORMAT_VERSION,
    STORE_DTYPES,
    Corpus,
    Geometry,
    RecordingInfo,
    SourceFacts,
    pcm_dtype,
    recording_path,
    store_dtype,
)
from codecctl.datasets.store.reader import Store
from codecctl.datasets.store.recording import RecordingWriter
from codecctl.datasets.store.source import AudioSource
from codecctl.datasets.store.verify import strays, verify_recordings

__all__ = [
    "FORMAT_VERSION",
    "STORE_DTYPES",
    "AudioSource",
    "Corpus",
    "Damage",
    "Geometry",
    "Index",
    "RecordingInfo",
    "RecordingWriter",
    "SourceFacts",
    "Store",
    "committed_recordings",
    "free_bytes",
    "pcm_dtype",
    "read_index",
    "recording_path",
    "remove_abandoned",
    "sealed",
    "size_text",
    "store_dtype",
    "strays",
    "verify_recordings",
    "write_index",
]
