"""What the loudspeakers of this machine play of an item."""

from __future__ import annotations

from codecctl.dashboard.heard import Heard
from codecctl.dashboard.mixer import Mixer
from codecctl.playback import Stream, open_stream


class Speaker:
    """Plays a pair over and over until it is stopped.

    Attributes:
        side: What is heard: 0 the reference, 1 the reconstruction; kept between items.
    """

    def __init__(self) -> None:
        self.side = 0
        self._mixer: Mixer | None = None
        self._stream: Stream | None = None

    @property
    def playing(self) -> bool:
        """Whether something is heard."""
        return self._stream is not None

    def start(self, heard: Heard) -> None:
        """Play a pair in place of what is heard.

        Raises:
            CodecctlError: There is no device, or it refuses.
        """
        self.stop()
        mixer = Mixer(
            (heard.reference, heard.reconstruction), sample_rate=heard.sample_rate, side=self.side
        )
        stream = open_stream(
            mixer.fill, sample_rate=heard.sample_rate, channels=len(heard.reference)
        )
        stream.start()
        self._mixer, self._stream = mixer, stream

    def stop(self) -> None:
        """Be silent, and let the device go."""
        if self._stream is not None:
            self._stream.close()
        self._mixer = self._stream = None

    def other(self) -> int:
        """Hear the other side, at the same place; returns which."""
        self.side = 1 - self.side
        if self._mixer is not None and self._mixer.side != self.side:
            self._mixer.other()
        return self.side
