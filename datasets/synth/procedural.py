"""Built-in sounds: noise, chirps and pulses shaped into wind, surf, birds and people.

Each maker returns one period of a loop, (T,), of unit power, without a seam: everything is made
or filtered on a circle.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from codecctl.datasets.sphere import bin_frequencies
from codecctl.datasets.synth.spectrum import (
    Points,
    amplitudes,
    filtered,
    shaped_noise,
    unit_power,
)

Floats = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator, int, int], Floats]
"""(generator, frames, sample rate in Hz) -> one period."""

WIND: Points = ((30, 0), (100, -3), (300, -14), (1000, -30), (4000, -52), (16000, -80))
SURF_BODY: Points = ((40, -3), (120, 0), (400, -3), (1000, -10), (4000, -30), (16000, -60))
SURF_HISS: Points = ((200, -30), (800, -8), (2000, 0), (5000, -6), (9000, -16), (20000, -40))
RAIN_DROP: Points = ((300, -40), (1500, -12), (3000, -3), (6000, 0), (12000, -6), (20000, -18))
TIRES: Points = ((40, -12), (150, -6), (600, -1), (1000, 0), (2000, -9), (5000, -24), (16000, -50))
STEP_THUD: Points = ((40, -20), (90, 0), (250, -3), (800, -16), (3000, -32), (12000, -60))
STEP_SCRAPE: Points = ((300, -30), (1200, -3), (2500, 0), (6000, -8), (14000, -30))
VENTILATION: Points = ((40, -4), (120, 0), (500, -8), (2000, -22), (6000, -38), (16000, -60))
VOWELS: tuple[Points, ...] = (
    ((80, -12), (300, -6), (700, 0), (1100, -3), (1700, -18), (2500, -16), (3500, -26), (8e3, -60)),
    ((80, -12), (300, 0), (800, -18), (2000, -8), (2700, -10), (3400, -20), (8000, -56)),
    ((80, -12), (350, 0), (800, -6), (1400, -24), (2400, -26), (3400, -32), (8000, -64)),
    ((80, -12), (500, 0), (900, -10), (1600, -8), (2500, -14), (3500, -24), (8000, -58)),
)  # fmt: skip
CONTROL_HERTZ = 200.0  # of envelopes, drawn as straight lines in between
CONSONANTS: Points = ((300, -50), (2000, -20), (4000, -3), (6000, 0), (10000, -12), (20000, -40))


def wind(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """Low noise in gusts."""
    gusts = _slow(rng, frames, sample_rate=sample_rate, hertz=0.4)
    body = shaped_noise(rng, frames, points=WIND, sample_rate=sample_rate)
    return unit_power(body * np.exp(0.6 * gusts))


def surf(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """Waves that roll in every few seconds: a body, and a hiss that outlives the break."""
    seconds = frames / sample_rate
    count = max(round(seconds / rng.uniform(5.0, 8.0)), 1)
    times = np.arange(frames) / sample_rate
    swell = np.full(frames, 0.25)
    hiss = np.full(frames, 0.05)
    for wave in range(count):
        since = np.mod(times - (wave + rng.uniform(-0.2, 0.2)) * seconds / count, seconds)
        height = rng.uniform(0.6, 1.2)
        swell += height * (1 - np.exp(-since / 0.8)) * np.exp(-since / 1.6)
        hiss += height * (1 - np.exp(-since / 1.2)) * np.exp(-since / 2.2)
    body = shaped_noise(rng, frames, points=SURF_BODY, sample_rate=sample_rate) * swell
    foam = shaped_noise(rng, frames, points=SURF_HISS, sample_rate=sample_rate) * hiss
    return unit_power(_joined(body, sample_rate) + 0.15 * _joined(foam, sample_rate))


def rain(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """Drops by the hundred a second, few of them loud, over a hiss."""
    drops = np.zeros(frames)
    count = round(500 * frames / sample_rate)
    loudness = rng.exponential(1.0, count) * rng.choice([-1.0, 1.0], count)
    np.add.at(drops, rng.integers(0, frames, count), loudness)
    splash = np.zeros(frames)
    _add_burst(splash, rng, at=0.0, decay=0.002, sample_rate=sample_rate)
    drops = np.fft.irfft(np.fft.rfft(drops) * np.fft.rfft(splash), frames)
    patter = unit_power(filtered(drops, points=RAIN_DROP, sample_rate=sample_rate))
    return unit_power(
        patter + 0.5 * shaped_noise(rng, frames, points=RAIN_DROP, sample_rate=sample_rate)
    )


def traffic(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """One vehicle: tires, and an engine whose speed wanders a little."""
    engine = np.zeros(frames)
    wander = 1 + 0.03 * _slow(rng, frames, sample_rate=sample_rate, hertz=0.5)
    phase = _closed_phase(rng.uniform(28.0, 55.0) * wander, sample_rate)
    for harmonic in range(1, 25):
        level = rng.uniform(0.4, 1.0) / harmonic**0.8
        engine += level * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    tires = shaped_noise(rng, frames, points=TIRES, sample_rate=sample_rate)
    return unit_power(0.8 * unit_power(engine) + tires)


def birds(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """Phrases of chirps between 2 and 7 kHz, one bird at a time, with pauses."""
    song = np.zeros(frames)
    at = rng.uniform(0.0, 0.5)
    while at < frames / sample_rate - 1.2:
        base, sweep = rng.uniform(2000, 5500), rng.uniform(-1500, 1500)
        length, gap = rng.uniform(0.04, 0.16), rng.uniform(0.03, 0.12)
        for note in range(int(rng.integers(2, 8))):
            start = round((at + note * (length + gap)) * sample_rate)
            chirp = _chirp(base, base + sweep, seconds=length, sample_rate=sample_rate)
            chirp = chirp[: frames - start]
            song[start : start + len(chirp)] += chirp * rng.uniform(0.5, 1.0)
            if start + len(chirp) >= frames:
                break
        at += 8 * (length + gap) * rng.uniform(0.6, 1.0) + rng.uniform(0.2, 1.5)
    return unit_power(song)


def footsteps(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """Heel and sole on a hard floor, about two steps a second."""
    seconds = frames / sample_rate
    count = max(round(seconds * rng.uniform(1.7, 2.1)), 1)
    thuds, scrapes = np.zeros(frames), np.zeros(frames)
    for step in range(count):
        at = (step + rng.uniform(-0.05, 0.05)) * seconds / count
        _add_burst(thuds, rng, at=at, decay=0.02, sample_rate=sample_rate)
        _add_burst(scrapes, rng, at=at + 0.09, decay=0.03, sample_rate=sample_rate)
    thud = unit_power(filtered(thuds, points=STEP_THUD, sample_rate=sample_rate))
    scrape = unit_power(filtered(scrapes, points=STEP_SCRAPE, sample_rate=sample_rate))
    return unit_power(thud + 0.35 * scrape)


def voice(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """One talker: harmonics through changing vowels, with consonants and pauses."""
    intonation = 1 + 0.12 * _slow(rng, frames, sample_rate=sample_rate, hertz=1.5)
    phase = _closed_phase(rng.uniform(95.0, 230.0) * intonation, sample_rate)
    # A narrow pulse once a period: the spectrum of a glottis, to be filtered into vowels.
    pulses = np.fft.rfft(np.exp(30 * (np.cos(phase) - 1)))
    hertz = bin_frequencies(frames, sample_rate)
    talking = np.clip(_slow(rng, frames, sample_rate=sample_rate, hertz=0.4) + 0.8, 0.0, 1.0)
    speech = np.zeros(frames)
    for vowel in VOWELS:
        syllables = np.maximum(_slow(rng, frames, sample_rate=sample_rate, hertz=4.0), 0.0)
        speech += syllables * np.fft.irfft(pulses * amplitudes(vowel, hertz), frames)
    hisses = np.maximum(_slow(rng, frames, sample_rate=sample_rate, hertz=5.0) - 1.0, 0.0)
    noise = shaped_noise(rng, frames, points=CONSONANTS, sample_rate=sample_rate)
    return unit_power((unit_power(speech) + 0.4 * hisses * noise) * talking)


def babble(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """Five talkers at once."""
    return unit_power(sum((voice(rng, frames, sample_rate) for _ in range(5)), np.zeros(frames)))


def machinery(rng: np.random.Generator, frames: int, sample_rate: int) -> Floats:
    """A fan or motor: mains hum, a turning part with its overtones, air."""
    times = np.arange(frames) / sample_rate
    hum = np.zeros(frames)
    for base in (100.0, round(rng.uniform(17.0, 60.0) * 2) / 2):
        # Whole numbers of periods, so that the loop closes.
        base = max(round(base * frames / sample_rate), 1) * sample_rate / frames
        for harmonic in range(1, 12):
            level = rng.uniform(0.2, 1.0) / harmonic
            hum += level * np.sin(2 * np.pi * base * harmonic * times + rng.uniform(0, 2 * np.pi))
    air = shaped_noise(rng, frames, points=VENTILATION, sample_rate=sample_rate)
    return unit_power(0.7 * unit_power(hum) + air)


PROCEDURAL: dict[str, Maker] = {
    "wind": wind,
    "surf": surf,
    "rain": rain,
    "traffic": traffic,
    "birds": birds,
    "footsteps": footsteps,
    "voice": voice,
    "babble": babble,
    "machinery": machinery,
}


def _slow(rng: np.random.Generator, frames: int, *, sample_rate: int, hertz: float) -> Floats:
    """Noise of unit power below a frequency, closed on itself, (frames,)."""
    coarse = max(round(frames / sample_rate * CONTROL_HERTZ), 32)
    spectrum = np.zeros(coarse // 2 + 1, dtype=np.complex128)
    highest = min(max(round(2 * hertz * frames / sample_rate), 2), coarse // 2 - 1)
    bins = np.arange(1, highest + 1)
    weights = np.exp(-((bins * sample_rate / frames / hertz) ** 2))
    spectrum[1 : highest + 1] = weights * (
        rng.standard_normal(highest) + 1j * rng.standard_normal(highest)
    )
    values = unit_power(np.fft.irfft(spectrum, coarse))
    places = np.arange(frames) * (coarse / frames)
    smooth: Floats = np.interp(places, np.arange(coarse + 1), np.append(values, values[0]))
    return smooth


def _closed_phase(hertz: Floats, sample_rate: int) -> Floats:
    """Phase of an oscillator whose last sample leads to its first, radians, (T,)."""
    phase = 2 * np.pi * np.cumsum(hertz) / sample_rate
    turns = max(round(float(phase[-1]) / (2 * np.pi)), 1)
    closed: Floats = phase * (2 * np.pi * turns / phase[-1])
    return closed


def _joined(signal: Floats, sample_rate: int) -> Floats:
    """Take out the step that an envelope leaves at the end of a loop, over 50 ms."""
    length = min(round(0.05 * sample_rate), len(signal) // 4)
    ramp = np.linspace(0.0, 1.0, length)
    joined = signal.copy()
    joined[:length] *= np.sin(np.pi / 2 * ramp)
    joined[-length:] *= np.cos(np.pi / 2 * ramp)
    return joined


def _chirp(start: float, end: float, *, seconds: float, sample_rate: int) -> Floats:
    times = np.arange(round(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * (start * times + (end - start) * times**2 / (2 * seconds))
    chirp: Floats = np.sin(phase) * np.sin(np.pi * times / seconds) ** 2
    return chirp


def _add_burst(
    target: Floats, rng: np.random.Generator, *, at: float, decay: float, sample_rate: int
) -> None:
    """Add a decaying noise burst in place, around the end of the loop if need be; seconds."""
    length = round(6 * decay * sample_rate)
    burst = rng.standard_normal(length) * np.exp(-np.arange(length) / (decay * sample_rate))
    start = round(at * sample_rate)
    np.add.at(target, np.arange(start, start + length) % len(target), burst)
