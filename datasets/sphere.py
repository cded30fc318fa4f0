"""Sound on a rigid sphere: what each capsule of an array hears of a plane wave.

Convention: time factor e^{+i w t}, outgoing waves h^(2), so that multiplying a spectrum of
`numpy.fft.rfft` by a response of this module filters the signal. Responses are relative to the
free field at the center of the sphere. With the other sign of time, front and back would swap.

    H_m(f) = sum_n b_n(kr) (2n+1)/(4 pi) P_n(u_m . d)
    b_n(kr) = 4 pi i^n (-i) / ((kr)^2 h_n^(2)'(kr)),  k = 2 pi f / c

The second line is the Wronskian form of 4 pi i^n [j_n - j_n'/h_n^(2)' h_n^(2)] (Rafaely,
Fundamentals of Spherical Array Processing, 2015, section 4.2); it has no cancellation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

SPEED_OF_SOUND = 343.0  # m/s, dry air at 20 degrees Celsius
ORDER_AT_48_KHZ = 30  # truncation below -100 dB at 24 kHz for a radius of 42 mm
PASSBAND_END = 0.86  # of half the sample rate: above, impulse responses are faded out


def spherical_hankel2(x: Floats, order: int) -> Complexes:
    """h_n^(2)(x) for n = 0 ... order + 1, (order + 2, ...).

    The upward recurrence is safe here: it is stable for the imaginary part, and the real part
    only becomes inaccurate where it is smaller than the imaginary part by many orders.

    Args:
        x: Positive arguments.
        order: The last order that a caller needs; one more is returned for derivatives.
    """
    values = np.empty((order + 2, *x.shape), dtype=np.complex128)
    values[0] = 1j * np.exp(-1j * x) / x
    values[1] = values[0] / x - np.exp(-1j * x) / x
    for n in range(1, order + 1):
        values[n + 1] = (2 * n + 1) / x * values[n] - values[n - 1]
    return values


def rigid_sphere_modes(kr: Floats, order: int) -> Complexes:
    """Mode strengths b_n(kr) of a rigid sphere, (order + 1, F).

    Args:
        kr: Wave number times radius, (F,), zero allowed: b_0(0) = 4 pi, the others vanish.
        order: Highest n.
    """
    positive = np.where(kr > 0, kr, 1.0)
    hankel = spherical_hankel2(positive, order)
    n = np.arange(order + 1).reshape(-1, *([1] * kr.ndim))
    derivative = n / positive * hankel[:-1] - hankel[1:]  # h_n' = (n / x) h_n - h_{n+1}
    phase = np.array([1, 1j, -1, -1j])[n % 4]  # i^n without rounding
    modes = 4 * np.pi * phase * -1j / (positive**2 * derivative)
    at_rest = np.where(n == 0, 4 * np.pi, 0.0)
    result: Complexes = np.where(kr > 0, modes, at_rest)
    return result


def legendre(cosine: Floats, order: int) -> Floats:
    """Legendre polynomials P_0 ... P_order, (order + 1, ...)."""
    values = np.empty((order + 1, *cosine.shape))
    values[0] = 1.0
    if order > 0:
        values[1] = cosine
    for n in range(1, order):
        values[n + 1] = ((2 * n + 1) * cosine * values[n] - n * values[n - 1]) / (n + 1)
    return values


def response_of_angle(
    cosine: Floats, frequencies: Floats, *, radius: float, order: int = ORDER_AT_48_KHZ
) -> Complexes:
    """Pressure on the sphere at an angle from the direction of arrival, (..., F).

    Args:
        cosine: Cosine of the angle between capsule and direction of arrival, any shape.
        frequencies: Hz, (F,).
        radius: Meters.
        order: Highest mode; 16 is enough up to 12 kHz, 30 up to 24 kHz at 42 mm.
    """
    modes = rigid_sphere_modes(2 * np.pi * frequencies * radius / SPEED_OF_SOUND, order)
    return sum_of_modes(cosine, modes)


def sum_of_modes(cosine: Floats, modes: Complexes) -> Complexes:
    """Sum over n of (2n+1)/(4 pi) P_n(cosine) modes[n], (..., F).

    By einsum and not as a matrix product of BLAS, whose last bit may depend on the number of
    threads: rendered corpora have to be equal byte for byte.

    Args:
        cosine: Any shape.
        modes: (order + 1, F), of any meaning: spectra, or spectra of filters cut in time.
    """
    weights = (2 * np.arange(len(modes)) + 1) / (4 * np.pi)
    polynomials = legendre(cosine.ravel(), len(modes) - 1) * weights[:, None]
    parts = np.ascontiguousarray(modes).view(np.float64)  # real and imaginary, interleaved
    total = np.einsum("na,nf->af", polynomials, parts)
    result: Complexes = total.view(np.complex128).reshape(*cosine.shape, modes.shape[1])
    return result


def array_response(
    frequencies: Floats,
    directions: Floats,
    *,
    capsules: Floats,
    radius: float,
    order: int = ORDER_AT_48_KHZ,
) -> Complexes:
    """Frequency responses of an array to plane waves, (D, C, F).

    Args:
        frequencies: Hz, (F,).
        directions: Unit vectors towards the sources, (D, 3).
        capsules: Unit vectors of the capsules, (C, 3).
        radius: Meters.
        order: Highest mode.
    """
    cosine = np.clip(np.einsum("dx,cx->dc", directions, capsules), -1.0, 1.0)
    return response_of_angle(cosine, frequencies, radius=radius, order=order)


def mode_filters(
    sample_rate: int, *, radius: float, taps: int, delay: int, order: int = ORDER_AT_48_KHZ
) -> Floats:
    """Impulse responses of the modes b_n, (order + 1, taps).

    Faded out above 0.86 of half the sample rate, where a real recorder's anti-aliasing filter
    acts too: without it the responses would ring over their whole length.

    Args:
        sample_rate: Hz.
        radius: Meters.
        taps: Length; everything of an em32 happens within 128 samples at 48 kHz.
        delay: Samples before the wave reaches the center; capsules that face the source hear it
            up to radius / c earlier.
        order: Highest mode.
    """
    frequencies = bin_frequencies(taps, sample_rate)
    modes = rigid_sphere_modes(2 * np.pi * frequencies * radius / SPEED_OF_SOUND, order)
    beyond = (frequencies / (sample_rate / 2) - PASSBAND_END) / (1 - PASSBAND_END)
    fade = np.cos(np.pi / 2 * np.clip(beyond, 0, 1)) ** 2
    shift = np.exp(-2j * np.pi * frequencies / sample_rate * delay)
    filters: Floats = np.fft.irfft(modes * fade * shift, taps, axis=-1)
    return filters


def bin_frequencies(fft_size: int, sample_rate: int) -> Floats:
    """Frequencies of the bins of `numpy.fft.rfft`, Hz, (fft_size // 2 + 1,)."""
    frequencies: Floats = np.fft.rfftfreq(fft_size, 1 / sample_rate).astype(np.float64)
    return frequencies
