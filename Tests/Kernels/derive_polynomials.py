#!/usr/bin/env python3
"""Derives the polynomial coefficients of Sources/Codegen/Math.

Each polynomial is a minimax fit: the greatest weighted error over the interval
is the least a polynomial of that degree can have (Remez exchange, in 60-digit
arithmetic). Coefficients are then rounded to the format, lowest power first;
after each rounding the rest is fitted again, so that later coefficients make
up for what earlier ones lost.

Usage: derive_polynomials.py > Sources/Codegen/Math/Coefficients.swift
       derive_polynomials.py name [degree for f32, degree for f64]    (one, to try degrees)
Needs mpmath.
"""
import struct
import sys

from mpmath import mp, mpf, cos, pi, matrix, lu_solve, exp, log, erf, erfc, sin, tanh, sqrt, expm1, log1p, asin, atan, sinh

mp.dps = 60


def round_to(value, bits):
    if bits == 24:
        return mpf(struct.unpack("<f", struct.pack("<f", float(value)))[0])
    return mpf(float(value))


def remez(points, target, weight, powers):
    """Coefficients for `powers` that minimise max |weight * (target - p)| over the points."""
    unknowns = len(powers)
    count = len(points)
    nodes = sorted({int(round((1 - float(cos(pi * i / unknowns))) / 2 * (count - 1))) for i in range(unknowns + 1)})
    rows = [[x**p for p in powers] for x in points]
    for _ in range(30):
        system, right = matrix(unknowns + 1, unknowns + 1), matrix(unknowns + 1, 1)
        for i, node in enumerate(nodes):
            for j in range(unknowns):
                system[i, j] = rows[node][j]
            system[i, unknowns] = (-1) ** i / weight[node]
            right[i] = target[node]
        solution = lu_solve(system, right)
        coefficients = [solution[j] for j in range(unknowns)]
        errors = [w * (t - sum(c * r for c, r in zip(coefficients, row))) for w, t, row in zip(weight, target, rows)]
        # The extremum of each run of one sign.
        extrema = []
        for i, error in enumerate(errors):
            if extrema and (errors[extrema[-1]] > 0) == (error > 0):
                if abs(error) > abs(errors[extrema[-1]]):
                    extrema[-1] = i
            else:
                extrema.append(i)
        while len(extrema) > unknowns + 1:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        greatest = max(abs(e) for e in errors)
        if len(extrema) < unknowns + 1 or extrema == nodes:
            break
        if greatest <= abs(solution[unknowns]) * mpf("1.0001"):
            break
        nodes = extrema
    return coefficients, greatest


def fit(function, weight, low, high, degree, bits, fixed=(), count=800):
    """Minimax coefficients rounded to `bits`; `fixed` gives the first ones."""
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * (i + mpf(1) / 2) / count) for i in range(count)]
    target = [function(x) for x in points]
    weights = [weight(x) for x in points]
    coefficients = [mpf(c) for c in fixed]
    for p, c in enumerate(coefficients):
        target = [t - c * x**p for t, x in zip(target, points)]
    while len(coefficients) <= degree:
        power = len(coefficients)
        best, _ = remez(points, target, weights, list(range(power, degree + 1)))
        c = round_to(best[0], bits)
        coefficients.append(c)
        target = [t - c * x**power for t, x in zip(target, points)]
    greatest = max(abs(t * w) for t, w in zip(target, weights))
    return coefficients, greatest


def even(function):
    """function of x as one of z = x * x."""
    return lambda z: function(sqrt(z))


TINY = mpf(10) ** -12


def series(function, terms, start):
    """function(x) divided by x**start with its first Taylor terms removed, also near zero."""

    def value(x):
        with_precision = mp.dps
        mp.dps = 100
        total = function(x)
        for power, c in terms:
            total -= c * x**power
        total /= x**start
        mp.dps = with_precision
        return +total

    return value


def odd(function, limit, bits, degree):
    """q with function(x) = x + x^3 q(x^2), good relative to the function up to the limit."""
    return fit(
        lambda z: (function(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3, lambda z: z * sqrt(z) / function(sqrt(z)), TINY,
        limit**2 * mpf("1.0002"), degree, bits)


HALF_LN2 = log(mpf(2)) / 2 * mpf("1.0005")
THIRD, HALF = mpf(1) / 3, mpf(1) / 2

POLYNOMIALS = {
    # exp(r) = 1 + r + r^2 q(r), good relative to exp(r).
    "exp": lambda bits, degree: fit(
        series(exp, [(0, 1), (1, 1)], 2), lambda r: r * r / exp(r), -HALF_LN2, HALF_LN2, degree, bits),
    # The same, good relative to exp(r) - 1.
    "expm1": lambda bits, degree: fit(
        series(exp, [(0, 1), (1, 1)], 2), lambda r: r * r / expm1(r), -HALF_LN2, HALF_LN2, degree, bits,
        fixed=(HALF,)),
    # log(1 + f) = f - f^2 / 2 + f^3 q(f).
    "log": lambda bits, degree: fit(
        series(log1p, [(1, 1), (2, -HALF)], 3), lambda f: f**3 / log1p(f), sqrt(HALF) - 1, sqrt(mpf(2)) - 1, degree,
        bits),
    # log((1 + s) / (1 - s)) = 2 s + s^3 q(s^2).
    "logs": lambda bits, degree: fit(
        lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) - 2 * sqrt(z)) / sqrt(z) ** 3,
        lambda z: z, TINY, (3 - 2 * sqrt(mpf(2))) ** 2 * mpf("1.0001"), degree, bits),
    # the same with 2/3 s^3 taken out: s^5 q(s^2)
    "logpow": lambda bits, degree: fit(
        lambda z: (log((1 + sqrt(z)) / (1 - sqrt(z))) - 2 * sqrt(z) - 2 * sqrt(z) ** 3 / 3) / sqrt(z) ** 5,
        lambda z: z * z, TINY, (3 - 2 * sqrt(mpf(2))) ** 2 * mpf("1.0001"), degree, bits),
    # sin(r) = r + r^3 q(r^2), cos(r) = 1 - r^2 / 2 + r^4 q(r^2) for |r| <= pi / 4.
    "sin": lambda bits, degree: fit(
        lambda z: (sin(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3, lambda z: z, TINY, (pi / 4) ** 2 * mpf("1.001"), degree,
        bits),
    "cos": lambda bits, degree: fit(
        lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2, lambda z: z * z, TINY, (pi / 4) ** 2 * mpf("1.001"), degree,
        bits),
    # tanh(x) = x + x^3 q(x^2) for |x| <= 0.55.
    "tanh": lambda bits, degree: fit(
        lambda z: (tanh(sqrt(z)) - sqrt(z)) / sqrt(z) ** 3, lambda z: z * sqrt(z) / tanh(sqrt(z)), TINY,
        mpf("0.5501") ** 2, degree, bits),
    # sinh(x) = x + x^3 q(x^2) for |x| <= 1, atan(x) for |x| <= tan(pi / 8), asin(x) for |x| <= 1 / 2.
    "sinh": lambda bits, degree: odd(sinh, mpf(1), bits, degree),
    "atan": lambda bits, degree: odd(atan, sqrt(mpf(2)) - 1, bits, degree),
    "asin": lambda bits, degree: odd(asin, HALF, bits, degree),
    # erf(x) = x + x q(x^2) for |x| <= 1.
    "erf": lambda bits, degree: fit(
        lambda z: erf(sqrt(z)) / sqrt(z) - 1, lambda z: sqrt(z) / erf(sqrt(z)), TINY, mpf(1) * mpf("1.0001"), degree,
        bits),
    # erfc(x) = exp(-x^2 + q(x - c)), on [1, 4] (24 bits) or [1, 6].
    "erfc": lambda bits, degree: fit(
        lambda t: log(erfc(t + erfc_center(bits))) + (t + erfc_center(bits)) ** 2,
        lambda t: erfc(t + erfc_center(bits)) / erf(t + erfc_center(bits)),
        1 - erfc_center(bits), mpf(4 if bits == 24 else 6) - erfc_center(bits), degree, bits),
    # erfc(x / sqrt 2) / 2 = exp(-x^2 / 2 + q(x)) on [0, 5.6]; good relative to the function's square root,
    # since what it is multiplied with is added to larger numbers.
    "gelu": lambda bits, degree: fit(
        lambda t: log(erfc(t / sqrt(mpf(2))) / 2) + t ** 2 / 2, lambda t: sqrt(erfc(t / sqrt(mpf(2))) / 2), TINY,
        mpf("5.6"), degree, bits),
}


def erfc_center(bits):
    return mpf(2) if bits == 24 else mpf(3)


# For f32 and, where it has its own, for f64.
DEGREES = {
    "exp": (4, 10), "expm1": (5, 11), "log": (8, 20), "logs": (3, 7), "logpow": (3, 7),
    "sin": (3, 6), "cos": (2, 6), "erf": (7, 13), "erfc": (8, 17), "tanh": (5,),
    "sinh": (3, 6), "atan": (4, 10), "asin": (5, 12), "gelu": (10,),
}


def shortest(value, bits):
    value = float(value)
    if bits == 53:
        return repr(value)
    for digits in range(1, 12):
        text = f"{value:.{digits}g}"
        if struct.pack("<f", float(text)) == struct.pack("<f", value):
            return text
    return repr(value)


def main():
    names = [n for n in sys.argv[1:] if not n.isdigit()] or list(POLYNOMIALS)
    chosen = [int(n) for n in sys.argv[1:] if n.isdigit()]
    print("// Written by Tests/Kernels/derive_polynomials.py, where each polynomial's meaning and interval stand.")
    print("// The figure is the greatest error of the fit, relative to the function's result.")
    print("extension VectorMath {")
    for number, name in enumerate(names):
        for index, bits in enumerate((24, 53)):
            degrees = chosen or DEGREES[name]
            if index >= len(degrees):
                continue
            degree = degrees[index]
            coefficients, greatest = POLYNOMIALS[name](bits, degree)
            if number + index > 0:
                print()
            print(f"  /// Degree {degree}, 2^{float(log(greatest, 2)):.1f}.")
            print(f"  static let {name}{'Single' if bits == 24 else 'Double'}: [Double] = [")
            texts = [shortest(c, bits) for c in coefficients]
            line = "   "
            for text in texts:
                if len(line) + len(text) + 2 > 120:
                    print(line)
                    line = "   "
                line += f" {text},"
            print(line)
            print("  ]")
    if not chosen and len(names) == len(POLYNOMIALS):
        print()
        print_two_over_pi()
    print("}")


def print_two_over_pi():
    """2 / pi as a binary fraction, for the reduction of large angles."""
    words = 20
    mp.prec = 64 * words + 64
    bits = int(mp.floor(2 / mp.pi * mpf(2) ** (64 * words)))
    print("  /// The binary digits of 2 / pi behind the point, 64 to a word, the most significant first.")
    print("  static let twoOverPi: [UInt64] = [")
    for start in range(0, words, 4):
        line = ", ".join(f"0x{bits >> 64 * (words - 1 - i) & (1 << 64) - 1:016x}" for i in range(start, start + 4))
        print(f"    {line},")
    print("  ]")


if __name__ == "__main__":
    main()
