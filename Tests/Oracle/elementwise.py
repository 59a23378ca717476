"""Elementwise ops: NumPy and SciPy, in the element type where NumPy has it and in f64 otherwise."""
import ml_dtypes
import numpy as np
from onnx import numpy_helper
from scipy import special

from oracle import (BITS, EIGHTH, EVERY, FLOATS, INTEGERS, NAMES, NARROW, TYPES, Random, cases, flags, limits, rounded,
                    wide, wrapped)

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.5, np.inf, -np.inf, np.nan, 1e-3, -1e-3, 6e4]
UNARY = {
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "sqrt": np.sqrt, "rsqrt": lambda v: 1 / np.sqrt(v),
    "reciprocal": np.reciprocal, "relu": lambda v: np.maximum(v, 0), "sigmoid": special.expit, "erf": special.erf,
    "silu": lambda v: v * special.expit(v), "gelu": lambda v: v * special.ndtr(v),
    "gelu_tanh": lambda v: v * special.expit(2 * np.sqrt(2 / np.pi) * (v + 0.044715 * v**3)),
    "hard_swish": lambda v: v * np.clip(v + 3, 0, 6) / 6,
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log1p": np.log1p,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "floor": np.floor, "ceil": np.ceil, "round": np.rint, "trunc": np.trunc,
    "round_away": lambda v: np.where(np.abs(v) < 2**52, np.copysign(np.floor(np.abs(v) + 0.5), v), v),
}
EXACT = {"neg", "abs", "sign", "relu", "sqrt", "reciprocal", "floor", "ceil", "round", "trunc", "round_away"}
# Factors that come from sums of ones: compiled code's errors count against the argument (Docs/Math.md has the others).
SUMS = {"silu", "gelu", "gelu_tanh"}
# Where the function is defined, besides the special values.
NEAR = {"asin": 0.4, "acos": 0.4, "atanh": 0.4}
FLOAT_PAIRS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "mod": np.mod, "rem": np.fmod,
    "minimum": np.minimum, "maximum": np.maximum, "pow": np.power, "atan2": np.arctan2,
}
COMPARE = {
    "equal": np.equal, "not_equal": np.not_equal, "less": np.less, "less_equal": np.less_equal,
    "greater": np.greater, "greater_equal": np.greater_equal,
}
BITWISE = {"and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b}


def unary(random):
    for name, function in UNARY.items():
        for kind in FLOATS:
            for shape in [(37,), random.shape(), random.shape(2)]:
                x = random.normal(*shape, dtype=kind, scale=NEAR.get(name, 3.0))
                if shape == (37,):
                    x[:16] = np.array(SPECIAL).astype(TYPES[kind])
                    x[1] = 0 if name == "relu" else x[1]  # Which zero is the greater is nobody's rule.
                cases.op(name, "", [x], rounded(function(wide(x)), kind), "exact" if name in EXACT else "sums" if name in SUMS else "rounded")
    for kind in FLOATS:
        x = random.values(kind, (3, 7))
        x[0, :4] = [np.nan, np.inf, -np.inf, -np.nan]
        cases.op("is_nan", "", [x], np.isnan(x))
    for shape in [(), (0,), (3, 5)]:
        x = random.values("bool", shape)
        cases.op("not", "", [x], ~x)
    for kind in INTEGERS + NARROW:
        for shape in [(5, 7), random.shape()]:
            x = random.values(kind, shape)
            x.reshape(-1)[:2] = limits(kind)[:min(2, x.size)]
            exact = np.asarray(x).astype(object)
            numbers = np.vectorize(int, otypes=[object])(exact)
            for name, function in [("neg", lambda v: -v), ("abs", abs), ("sign", lambda v: (v > 0) - (v < 0)),
                                   ("relu", lambda v: max(v, 0)), ("bit_not", lambda v: ~v)]:
                result = np.vectorize(function, otypes=[object])(numbers)
                cases.op(name, "", [x], wrapped(result, kind))


def quotient(a, b):
    """Towards zero."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def power(a, b):
    return a ** b


def shifted_left(a, b, width):
    return a << b if 0 <= b < width else 0


def shifted_right(a, b, width):
    return a >> b if 0 <= b < width else -1 if a < 0 else 0


def pairs(random):
    for name, function in FLOAT_PAIRS.items():
        for kind in FLOATS:
            for number in range(4):
                shape = random.shape() if number else (24,)
                a, b = random.values(kind, shape), random.values(kind, random.partner(shape) if number else shape)
                if not number:
                    a[:16], b[:16] = SPECIAL, random.source.permutation(SPECIAL)
                    a, b = a.astype(TYPES[kind]), b.astype(TYPES[kind])
                if number == 3:
                    a, b = b, a
                if name in ("minimum", "maximum"):
                    # Which zero is less is nobody's rule.
                    a, b = a + TYPES[kind].type(0), b + TYPES[kind].type(0)
                result = function(wide(a), wide(b))
                rough = name in ("pow", "atan2") or name in ("mod", "rem") and kind == "f64"
                cases.op(name, "", [a, b], rounded(result, kind), "rounded" if rough else "exact")
    for kind in FLOATS:
        for number in range(3):
            shape = random.shape(low=1)
            a, b = random.values(kind, shape, 9), random.values(kind, random.partner(shape))
            cases.op("floor_div", "", [a, b], rounded(np.floor(wide(rounded(wide(a) / wide(b), kind))), kind))
    whole = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": quotient,
             "mod": lambda a, b: a % b, "rem": lambda a, b: a - quotient(a, b) * b, "floor_div": lambda a, b: a // b,
             "minimum": min, "maximum": max} | BITWISE
    for kind in INTEGERS + NARROW:
        for number in range(2):
            shape = random.shape(low=number) if number else (20,)
            a, b = random.values(kind, shape), random.values(kind, random.partner(shape))
            numbers = np.broadcast_arrays(*(np.asarray(v).astype(np.uint64 if kind == "u64" else np.int64) for v in (a, b)))
            nonzero = np.where(np.asarray(b).astype(np.int64) == 0, 1, np.asarray(b).astype(numbers[0].dtype))
            nonzero = wrapped(nonzero, kind)
            for name, function in whole.items():
                right = nonzero if name in ("div", "mod", "rem", "floor_div") else b
                x, y = np.broadcast_arrays(*(np.asarray(v).astype(numbers[0].dtype) for v in (a, right)))
                result = np.vectorize(lambda p, q: function(int(p), int(q)), otypes=[object])(x, y) if x.size \
                    else np.zeros(x.shape, object)
                cases.op(name, "", [a, right], wrapped(result, kind))
            width = BITS[kind]
            distance = wrapped(random.integers(0, min(width + 2, limits(kind)[1]), *shape), kind)
            for name, function in [("shift_left", shifted_left), ("shift_right", shifted_right)]:
                x, y = np.broadcast_arrays(*(np.asarray(v).astype(numbers[0].dtype) for v in (a, distance)))
                result = np.vectorize(lambda p, q: function(int(p), int(q), width), otypes=[object])(x, y) if x.size \
                    else np.zeros(x.shape, object)
                cases.op(name, "", [a, distance], wrapped(result, kind))
            small = wrapped(random.integers(0, 7 if width > 4 else 1, *np.shape(b)), kind)
            x, y = np.broadcast_arrays(*(np.asarray(v).astype(numbers[0].dtype) for v in (a, small)))
            result = np.vectorize(lambda p, q: power(int(p), int(q)), otypes=[object])(x, y) if x.size \
                else np.zeros(x.shape, object)
            cases.op("pow", "", [a, small], wrapped(result, kind))
    for shape in [(), (2, 0), (3, 7)]:
        a, b = random.values("bool", shape), random.values("bool", random.partner(shape))
        for name, function in BITWISE.items():
            cases.op(name, "", [a, b], function(a, b))
        for name in ["equal", "not_equal"]:
            cases.op(name, "", [a, b], COMPARE[name](a, b))


def compare(random):
    for name, function in COMPARE.items():
        for kind in FLOATS + INTEGERS + NARROW:
            shape = random.shape(2)
            a, b = random.values(kind, shape), random.values(kind, random.partner(shape))
            if kind in FLOATS and a.size:
                a.reshape(-1)[:1] = np.nan
            if a.shape == b.shape and a.size > 1:
                b.reshape(-1)[-1] = a.reshape(-1)[-1]
            cases.op(name, "", [a, b], function(a, b))
        x = np.array(SPECIAL, dtype=np.float32)
        cases.op(name, "", [x[:, None], x], function(x[:, None], x))


def select(random):
    for kind in EVERY:
        for _ in range(2):
            shape = random.shape()
            condition = random.values("bool", random.partner(shape))
            a, b = random.values(kind, shape), random.values(kind, random.partner(shape))
            cases.op("select", "", [condition, a, b], np.where(condition, a, b).astype(a.dtype))


def casts(random):
    """Of any type to any, where f64 or exact integers say what comes out; f8e8m0; bits under another type."""
    numbers = np.concatenate([SPECIAL, random.normal(8, dtype="f64", scale=300), [448, 464, 57344, 61440, 1e-6, 3e9, -1e12]])
    for source in FLOATS + EIGHTH:
        x = numbers.astype(TYPES["f32"]).astype(TYPES[source]) if source in EIGHTH else rounded(numbers, source)
        for target in FLOATS + EIGHTH + INTEGERS:
            exact = wide(x)
            if target in INTEGERS:
                low, high = limits(target)
                result = [0 if np.isnan(v) else low if v <= low else high if v >= high else int(v) for v in exact]
                cases.op("cast", flags(to=target), [x], wrapped(np.array(result, dtype=object), target))
            elif target not in EIGHTH:
                cases.op("cast", flags(to=target), [x], rounded(exact, target))
            elif target != source:
                cases.op("cast", flags(to=target, saturate=False), [x], rounded(exact, target))
                top = float(ml_dtypes.finfo(TYPES[target]).max)
                cases.op("cast", flags(to=target), [x], rounded(np.clip(exact, -top, top), target))
    for source in INTEGERS:
        x = random.values(source, (9,))
        whole = np.array([int(v) for v in x], dtype=object)
        for target in FLOATS + INTEGERS:
            if target in INTEGERS:
                cases.op("cast", flags(to=target), [x], wrapped(whole, target))
            elif target == "f64" or BITS[source] < 64:
                cases.op("cast", flags(to=target), [x], rounded(x.astype(np.float64), target))
    for source in NARROW + ["bool", "i8", "f32"]:
        for target in NARROW + ["bool", "i32", "f16", "f32"]:
            x = random.values(source, random.shape(2))
            numbers = np.asarray(x).astype(np.float64)
            if target == "bool":
                result = numbers != 0
            elif target.startswith("f"):
                result = rounded(numbers, target)
            elif source == "f32":
                result = wrapped(np.clip(np.trunc(numbers), *limits(target)).astype(np.int64), target)
            else:
                result = wrapped(numbers.astype(np.int64), target)
            cases.op("cast", flags(to=target), [x], result)
    x = np.concatenate([np.exp2(random.normal(20) * 20), [1.0, 1.5, 2.9999, 3.0, 2.0**-126, 2.0**127, 3e38]]).astype(np.float32)
    for way in ["up", "down", "nearest"]:
        for saturate in [True, False]:
            result = numpy_helper.to_float8e8m0(x, saturate=saturate, round_mode=way)
            cases.op("cast", flags(to="f8e8m0", saturate=saturate, rounding=way), [x], result, peer="onnx")
    scales = np.arange(255, dtype=np.uint8).view(ml_dtypes.float8_e8m0fnu)
    cases.op("cast", flags(to="f32"), [scales], scales.astype(np.float32))
    same = [["i8", "u8"] + EIGHTH, ["i16", "u16", "f16", "bf16"], ["i32", "u32", "f32"], ["i64", "u64", "f64"],
            ["i4", "u4"], ["i2", "u2"]]
    for group in same:
        for source in group:
            x = random.values(source, random.shape(2))
            for target in group:
                if BITS[source] < 8:
                    cases.op("bit_cast", flags(to=target), [x], wrapped(np.asarray(x).astype(np.int64), target))
                else:
                    cases.op("bit_cast", flags(to=target), [x], x.view(TYPES[target]), "bits")


def make():
    random = Random(101)
    with np.errstate(all="ignore"):
        for family in [unary, pairs, compare, select, casts]:
            family(random)
