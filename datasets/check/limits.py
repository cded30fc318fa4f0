"""From where on something is worth telling, each number with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Thresholds of the check; levels in dB, times in seconds."""

    silence_dbfs: float = -100.0
    """A second below it is silence: 24-bit recorders with nothing plugged in stay under -110, the
    quietest real scenes (a sound booth) are above -85."""
    silent_seconds: float = 1.0
    """Shorter silence of all channels is a pause; a training window of one second is not."""
    dropout_seconds: float = 0.010
    """Identical samples in a row. Buffers of sound cards last 1.3 ms and more, resampling eats 3 ms
    of a gap; int16 with a scale shows natural runs beyond 2 ms only where a click stands 95 dB
    above everything else of its second."""
    dead_share: float = 0.99
    """Share of seconds without any change of value that makes a channel dead."""
    dc_of_rms: float = 0.1
    """Offset against the level without it: 10 % costs 0.04 dB of a metric and is heard at cuts."""
    dc_dbfs: float = -60.0
    """Offsets below are what converters of good recorders leave."""
    low_db: float = 8.0
    """From the median of the channels, 300 Hz to 1400 Hz. Capsules of an em32 differ by 2 dB
    (genuine and simulated), shadow included; 8 dB is a broken capsule or a gain."""
    low_db_unknown: float = 20.0
    """The same for arrays of unknown shape: lapel and room microphones may differ by 15 dB."""
    full_scale: float = 0.985
    """Clipped samples that were resampled ripple by +-9 %, and reach at least this."""
    noisy_db: float = 12.0
    """Above the median in a band from 2.4 kHz on: shadow makes 5.1 dB at most in clean scenes and
    genuine files; hiss of a bad capsule stands out in quiet high bands first."""
    clip_events: int = 3
    """Separate places at the ceiling; a recording that was normalized touches it once."""
    clip_run: int = 3
    """Equal samples in a row at the ceiling, where nothing was resampled."""
    flat_share: float = 0.65
    """Of the time above 90 % of the maximum, the share above 97 %, where a recording was resampled:
    real sounds have 0.57 at most where `flat_events` and `flat_samples` hold, a sine 0.54; noise
    that was cut at 70 % of its peak 0.63 to 0.72, at 50 % 0.77."""
    flat_events: int = 20
    """Places needed for that share."""
    flat_samples: float = 4.0
    """Mean length above 90 %; shorter tops have no shape."""
    clipped_seconds: float = 0.01
    """Share of seconds with clipping from which on it is a warning; a note below."""
    duplicate_r: float = 0.9999
    """Likeness in every band that makes two channels one: adjacent capsules reach 0.999 below
    300 Hz and 0.9 above 1 kHz; real capsules have noise of their own everywhere."""
    swap_db: float = 1.5
    """By how much the misfit to the sphere has to fall when two channels are exchanged. Of all
    496 exchanges in 16 clean scenes and 2 genuine files, the best one RAISES it by 1.9 dB."""
    step_db: float = 0.4
    """Exchanges that lower it by less are not even tried on the way to an order that fits: a ring
    of three needs two of them, and the first may bring little."""
    flip_db: float = 1.5
    """By how much it has to fall when channels are inverted that move against the others below
    300 Hz; in clean recordings inverting any of them raises it by 6.8 dB and more."""
    odd_db: float = 6.0
    """The same when a channel is left out; in clean recordings it falls by 1 dB at most."""
    misfit_db: float = -15.0
    """Misfit above which 32 channels are no em32 in capsule order; clean ones are below -24."""
    field_r: float = 0.4
    """Mean likeness, 300 to 700 Hz, below which wind or noise stands in for a field and nothing is
    said about the array; clean recordings have 0.9."""
    capsule_r: float = 0.8
    """Mean likeness of channels, 150 to 300 Hz, above which they are capsules of a small array;
    measured: 0.92 and more for arrays, 0.25 and less for ambisonics."""
    ambisonic_r: float = 0.4
    """Below it they may be ambisonics."""
    order_db: float = 2.5
    """How far the energies of orders 1 and 2 may be from those of a normalization; real third-order
    recordings are within 1.2 dB, SN3D and N3D differ by 4.8 and 7.0 dB."""
    scene_outlier_db: float = 15.0
    """From the median level of the scene; takes of one place differ by 6 to 10 dB."""
    scene_recordings: int = 4
    """Fewer have no median worth the name."""
    envelope_r: float = 0.6
    """Likeness of two level curves (40 ms, slow changes removed) at their best offset; other
    recordings stay below 0.35, the same audio with another gain and cut is above 0.8."""
    envelope_seconds: float = 20.0
    """Overlap needed for that comparison."""
    shared_chunks: int = 2
    """Seconds with equal hashes that make two recordings overlap."""
    min_segments: int = 8
    """Spectra of fewer pieces say nothing about likeness."""
