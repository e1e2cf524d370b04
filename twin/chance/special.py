"""The normal and the regularised incomplete gamma function, compiled, and their inverses, exact far into both tails.

The inverses take a probability twice, as u and as the hazard e = -log(1 - u), so that neither tail is lost to rounding.
"""

from __future__ import annotations

import math

from twin.kernel import kernel

# Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), PPND16.
# Coefficients run from the highest power down to the constant.
_CENTRE_OVER = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
    1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
)  # fmt: skip
_CENTRE_UNDER = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
    5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
)  # fmt: skip
_NEAR_OVER = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
    3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
)  # fmt: skip
_NEAR_UNDER = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
)  # fmt: skip
_FAR_OVER = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
)  # fmt: skip
_FAR_UNDER = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
)  # fmt: skip
_AS241_REACH = 27.0
_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)

_EPSILON = 2.0**-53
_NEWTON_STEPS = 60
_NEWTON_CLOSE = 1e-8
_TERMS = 100_000
_TINY = 1e-300


@kernel
def _ratio(over: tuple[float, ...], under: tuple[float, ...], x: float) -> float:
    """The ratio of two polynomials of degree 7."""
    numerator = over[0]
    denominator = under[0]
    for power in range(1, 8):
        numerator = numerator * x + over[power]
        denominator = denominator * x + under[power]
    return numerator / denominator


@kernel
def _normal_tail(e: float) -> float:
    """The z > 0 that a standard normal exceeds with probability exp(-e), e >= -log(0.075)."""
    root = math.sqrt(e)
    if root <= 5.0:
        return _ratio(_NEAR_OVER, _NEAR_UNDER, root - 1.6)
    if root <= _AS241_REACH:
        return _ratio(_FAR_OVER, _FAR_UNDER, root - 5.0)
    # Past the reach of AS 241 (and of exp): Newton on the logarithm of the asymptotic tail, exact there to rounding.
    z = math.sqrt(2.0 * e)
    for _ in range(4):
        w = 1.0 / (z * z)
        series = -w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w)))
        log_tail = -0.5 * z * z - math.log(z) - _LOG_ROOT_2PI + math.log1p(series)
        z += (log_tail + e) / (z * (1.0 + w))
    return z


@kernel
def normal_quantile(u: float, e: float) -> float:
    """Standard normal quantile at u = 1 - exp(-e), to 1e-15 relative (AS 241)."""
    q = u - 0.5
    if abs(q) <= 0.425:
        return q * _ratio(_CENTRE_OVER, _CENTRE_UNDER, 0.180625 - q * q)
    if q < 0.0:
        return -_normal_tail(-math.log(u))
    return _normal_tail(e)


@kernel
def normal_log_tail(z: float) -> float:
    """Logarithm of the probability that a standard normal exceeds z, to 1e-13 relative in both tails."""
    if z < 25.0:
        return (
            math.log(0.5 * math.erfc(z / math.sqrt(2.0)))
            if z > -5.0
            else math.log1p(-0.5 * math.erfc(-z / math.sqrt(2.0)))
        )
    w = 1.0 / (z * z)
    series = -w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w)))
    return -0.5 * z * z - math.log(z) - _LOG_ROOT_2PI + math.log1p(series)


@kernel
def _series(shape: float, x: float) -> float:
    """S with P(shape, x) = x**shape exp(-x) S / Gamma(shape + 1): sum of x**k / ((shape+1)...(shape+k))."""
    total = 1.0
    term = 1.0
    for k in range(1, _TERMS):
        term *= x / (shape + k)
        total += term
        if term <= total * _EPSILON:
            break
    return total


@kernel
def _fraction(shape: float, x: float) -> float:
    """F with Q(shape, x) = x**shape exp(-x) F / Gamma(shape), x > shape + 1: continued fraction by Lentz's method."""
    b = x + 1.0 - shape
    c = 1.0 / _TINY
    d = 1.0 / b
    total = d
    for k in range(1, _TERMS):
        a = -k * (k - shape)
        b += 2.0
        d = a * d + b
        if abs(d) < _TINY:
            d = _TINY
        c = b + a / c
        if abs(c) < _TINY:
            c = _TINY
        d = 1.0 / d
        factor = c * d
        total *= factor
        if abs(factor - 1.0) <= 2.0 * _EPSILON:
            break
    return total


@kernel
def _gamma_start(shape: float, u: float, e: float) -> float:
    """Logarithm of a first guess: Wilson and Hilferty's, but never below the bound P <= x**shape / Gamma(shape + 1)."""
    bound = (math.log(u) + math.lgamma(shape + 1.0)) / shape
    if shape < 1.0:
        return bound
    root = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(u, e) / (3.0 * math.sqrt(shape))
    if root <= 0.0:
        return bound
    return max(bound, math.log(shape) + 3.0 * math.log(root))


@kernel
def _gamma_lower(shape: float, u: float, log_start: float) -> float:
    """Solve log P = log u by Newton's method in log x, in which log P is concave, hence no safeguard is needed."""
    target = math.log(u) + math.lgamma(shape + 1.0)
    y = log_start
    for _ in range(_NEWTON_STEPS):
        x = math.exp(y)
        total = _series(shape, x)
        step = (target - shape * y + x - math.log(total)) * total / shape
        y += step
        if abs(step) <= _NEWTON_CLOSE:
            break
    return math.exp(y)


@kernel
def _gamma_upper(shape: float, e: float, start: float) -> float:
    """Solve log Q = -e by Newton's method in x, in which log Q is convex below shape 1 and concave above."""
    log_gamma = math.lgamma(shape)
    x = start
    for _ in range(_NEWTON_STEPS):
        log_front = shape * math.log(x) - x - log_gamma
        if x < shape + 1.0:
            front = math.exp(log_front)
            tail = 1.0 - front * _series(shape, x) / shape
            log_tail = math.log(tail)
            rate = front / (x * tail)
        else:
            fraction = _fraction(shape, x)
            log_tail = log_front + math.log(fraction)
            rate = 1.0 / (x * fraction)
        step = max((log_tail + e) / rate, -0.5 * x)
        x += step
        if abs(step) <= _NEWTON_CLOSE * x:
            break
    return x


@kernel
def gamma_quantile(shape: float, u: float, e: float) -> float:
    """Quantile of the gamma law of scale 1 at u = 1 - exp(-e), to 1e-10 relative for shapes from 0.05 to 500."""
    start = _gamma_start(shape, u, e)
    if u < 0.5:
        return _gamma_lower(shape, u, start)
    return _gamma_upper(shape, e, math.exp(start))


@kernel
def gamma_log_tail(shape: float, x: float) -> float:
    """Logarithm of the probability that the gamma law of scale 1 exceeds x > 0."""
    log_front = shape * math.log(x) - x - math.lgamma(shape)
    if x < shape + 1.0:
        return math.log1p(-math.exp(log_front) * _series(shape, x) / shape)
    return log_front + math.log(_fraction(shape, x))
