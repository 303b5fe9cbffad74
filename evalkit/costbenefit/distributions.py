"""What is uncertain about one input: a distribution with a known mean, to draw from and to take quantiles of."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from scipy import special

from evalkit.errors import StudyError

FAMILIES = ("beta", "gamma", "lognormal", "triangular", "normal")
Z95 = 1.959963984540054


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Uncertain:
    """An uncertain input whose mean is the value entered.

    `a` and `b` are: beta, its two shapes; gamma, shape and scale; lognormal, mean and SD of the logarithm;
    triangular, lower end and mode (`upper` is the other end); normal, mean and SD. A drawn x becomes `shift` +
    `slope` × x, or, with `fade`, the sum of fade[k] × (1 − x)^k, which falls as x grows.
    """

    family: str
    mean: float
    a: float = 0.0
    b: float = 0.0
    upper: float = 0.0
    shift: float = 0.0
    slope: float = 1.0
    values: np.ndarray | None = None
    fade: np.ndarray | None = None

    def draw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """n values, in the order of the stream."""
        raw = self._raw(rng, n)
        if self.fade is not None:
            return np.polyval(self.fade[::-1], 1 - raw)
        return raw if self.shift == 0 and self.slope == 1 else self.shift + self.slope * raw

    def _raw(self, rng: np.random.Generator, n: int) -> np.ndarray:
        if self.family == "beta":
            return rng.beta(self.a, self.b, n)
        if self.family == "gamma":
            return rng.gamma(self.a, self.b, n)
        if self.family == "triangular":
            return rng.triangular(self.a, self.b, self.upper, n)
        if self.family == "empirical":
            return self.values[rng.integers(0, len(self.values), n)]
        normal = rng.standard_normal(n)
        normal *= self.b
        normal += self.a
        return np.exp(normal, out=normal) if self.family == "lognormal" else normal

    def quantile(self, p: float) -> float:
        """The value below which a share p of the draws lie."""
        if self.fade is not None:
            return float(np.polyval(self.fade[::-1], 1 - self.entered(1 - p)))
        p = p if self.slope >= 0 else 1.0 - p
        return float(self.shift + self.slope * self._raw_quantile(p))

    def entered(self, p: float) -> float:
        """The quantile of the input itself, before it is turned into what multiplies a line."""
        return self._raw_quantile(p)

    def _raw_quantile(self, p: float) -> float:
        if self.family == "beta":
            return float(special.betaincinv(self.a, self.b, p))
        if self.family == "gamma":
            return float(special.gammaincinv(self.a, p) * self.b)
        if self.family == "triangular":
            return _triangular_quantile(self.a, self.b, self.upper, p)
        if self.family == "empirical":
            return float(np.quantile(self.values, p))
        x = self.a + self.b * special.ndtri(p)
        return float(np.exp(x)) if self.family == "lognormal" else float(x)


def stream(seed: int, key: str) -> np.random.Generator:
    """The random stream of one input, the same whatever else the account holds: common random numbers."""
    return np.random.default_rng([seed, zlib.crc32(key.encode()), len(key)])


def lognormal(mean: float, spread: float) -> Uncertain:
    """Lognormal with this mean and coefficient of variation."""
    log_sd = float(np.sqrt(np.log1p(spread**2)))
    return Uncertain(family="lognormal", mean=mean, a=float(np.log(mean)) - log_sd**2 / 2, b=log_sd)


def from_range(family: str, value: float, low: float, high: float, *, where: str) -> Uncertain:
    """The member of a family with this mean, whose central 95 per cent is about `low` to `high`.

    For `triangular`, `low` and `high` are the ends and the mode follows from the mean. Beta, gamma and normal take
    (high − low) / 3.92 as their standard deviation; lognormal takes log(high / low) / 3.92 for its logarithm.
    """
    if not low <= value <= high:
        raise StudyError(
            "the value lies outside its own range", where=where, found=f"{value:g} not in {low:g} to {high:g}"
        )
    if low == high:
        return Uncertain(family="normal", mean=value, a=value)
    sd = (high - low) / (2 * Z95)
    if family == "normal":
        return Uncertain(family=family, mean=value, a=value, b=sd)
    if family == "triangular":
        return _triangular(value, low, high, where)
    if family == "beta":
        return _beta(value, sd, where)
    if min(value, low) <= 0:
        raise StudyError(f"a {family} range must lie above nought", where=where, found=f"{low:g} to {high:g}")
    if family == "gamma":
        return Uncertain(family=family, mean=value, a=(value / sd) ** 2, b=sd**2 / value)
    log_sd = float(np.log(high / low)) / (2 * Z95)
    return Uncertain(family=family, mean=value, a=float(np.log(value)) - log_sd**2 / 2, b=log_sd)


def _beta(value: float, sd: float, where: str) -> Uncertain:
    concentration = value * (1 - value) / sd**2 - 1 if 0 < value < 1 else -1.0
    if concentration <= 0:
        raise StudyError(
            "a beta needs a value between 0 and 1 and a range inside it", where=where, found=f"{value:g}"
        )
    return Uncertain(family="beta", mean=value, a=value * concentration, b=(1 - value) * concentration)


def _triangular(value: float, low: float, high: float, where: str) -> Uncertain:
    mode = 3 * value - low - high
    if not low <= mode <= high:
        raise StudyError(
            "no triangle on this range has the value as its mean",
            where=where,
            found=f"{value:g} in {low:g} to {high:g}",
        )
    return Uncertain(family="triangular", mean=value, a=low, b=mode, upper=high)


def _triangular_quantile(low: float, mode: float, high: float, p: float) -> float:
    width = high - low
    if p <= (mode - low) / width:
        return low + float(np.sqrt(p * width * (mode - low)))
    return high - float(np.sqrt((1 - p) * width * (high - mode)))
