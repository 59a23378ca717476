"""Reductions, softmax and row normalisations: NumPy and SciPy in f64, ONNX Runtime for f32."""
import numpy as np
from scipy import special

from oracle import FLOATS, INTEGERS, NARROW, TYPES, Random, cases, flags, limits, rounded, runtime, wide, wrapped


def subsets(random, rank):
    axes = [axis - rank if random.chance(0.3) else axis for axis in range(rank) if random.chance()]
    random.source.shuffle(axes)
    return [int(axis) for axis in axes]


def reduce(random):
    functions = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod}
    for name, function in functions.items():
        for kind in FLOATS:
            for number in range(5):
                x = random.values(kind, random.shape(low=1 if name in ("max", "min") else 0), 1)
                if number == 2 and x.size:
                    x.reshape(-1)[x.size // 2] = [np.nan, np.inf, -np.inf][random.number(0, 2)]
                axes, keep = subsets(random, x.ndim), random.chance()
                with np.errstate(all="ignore"):
                    result = function(wide(x), axis=tuple(axes) or None, keepdims=keep)
                cases.op("reduce_" + name, flags(axes=axes, keep_dims=keep), [x], rounded(result, kind), "sums")
        for kind in INTEGERS + NARROW:
            for _ in range(2):
                x = random.values(kind, random.shape(low=1))
                axes, keep = subsets(random, x.ndim), random.chance()
                numbers = np.array([int(v) for v in np.ravel(x)], dtype=object).reshape(x.shape)
                over = tuple(axes) or None
                if name in ("max", "min"):
                    result = function(np.asarray(x).astype(np.uint64 if kind == "u64" else np.int64), axis=over, keepdims=keep)
                elif name == "mean":
                    # The sum wraps in 64 bits alone, so it is kept small.
                    small = 10 if kind not in NARROW else limits(kind)[1]
                    x = wrapped(random.integers(-small if limits(kind)[0] else 0, small, *x.shape), kind)
                    total = np.sum(np.asarray(x).astype(np.int64), axis=over, keepdims=keep)
                    count = x.size // max(1, np.size(total))
                    result = np.sign(total) * (np.abs(total) // count)
                else:
                    result = function(numbers, axis=over, keepdims=keep)
                cases.op("reduce_" + name, flags(axes=axes, keep_dims=keep), [x], wrapped(result, kind))
    for name, function in [("max", np.any), ("min", np.all)]:
        for shape in [(3, 5), (4,), (2, 0, 3)]:
            x = random.values("bool", shape)
            axes = subsets(random, x.ndim)
            cases.op("reduce_" + name, flags(axes=axes), [x], function(x, axis=tuple(axes) or None))
    empty = {"sum": 0, "prod": 1, "max": None, "min": None}
    for name, value in empty.items():
        for kind in INTEGERS + ["f32", "f16"]:
            low, high = (-np.inf, np.inf) if kind[0] == "f" else limits(kind)
            value = {"max": low, "min": high}.get(name, empty[name])
            x = np.zeros((2, 0, 3), TYPES[kind])
            cases.op("reduce_" + name, "axes = [1]", [x], np.full((2, 3), value).astype(TYPES[kind]))


def softmax(random):
    for kind in FLOATS:
        for number in range(6):
            x = random.values(kind, random.shape(random.number(1, 4), low=number % 2), [1, 30][number % 2])
            axis = random.number(-x.ndim, x.ndim - 1)
            if number == 3 and x.size:
                x.reshape(-1)[0] = -np.inf if x.shape[axis] > 1 else 3
            result = special.softmax(wide(x), axis=axis) if x.size else wide(x)
            cases.op("softmax", flags(axis=axis), [x], rounded(result, kind), "shares")
            if kind == "f32" and x.size:
                cases.op("softmax", flags(axis=axis), [x], runtime("Softmax", [x], axis=axis)[0], "single", "onnxruntime")


def normalize(random):
    for kind in FLOATS:
        for number in range(8):
            x = random.values(kind, random.shape(random.number(1, 4), low=1), 2)
            axis = random.number(-x.ndim, x.ndim - 1)
            row = x.shape[axis:]
            axes = tuple(range(axis % x.ndim, x.ndim))
            scale = random.values(kind, random.partner(row), 1) if number % 4 else None
            bias = random.values(kind, random.partner(row), 1) if number % 3 else None
            epsilon = [0.001, 1e-5, 0.25][number % 3]
            exact = wide(x)
            factor, addend = 1 if scale is None else wide(scale), 0 if bias is None else wide(bias)
            centered = exact - exact.mean(axes, keepdims=True)
            with np.errstate(all="ignore"):
                layer = centered / np.sqrt((centered ** 2).mean(axes, keepdims=True) + epsilon) * factor + addend
                rms = exact / np.sqrt((exact ** 2).mean(axes, keepdims=True) + epsilon) * factor
            text = flags(axis=axis, epsilon=epsilon)
            cases.op("layer_norm", text, [x, scale, bias], rounded(layer, kind), "sums")
            cases.op("rms_norm", text, [x, scale], rounded(rms, kind), "sums")
    for shape, axis in [((3, 5), -1), ((2, 3, 4), 1), ((2, 1, 7), -2), ((4, 1), 1)]:
        x, scale, bias = random.normal(*shape), random.normal(*shape[axis:]), random.normal(*shape[axis:])
        text = flags(axis=axis, epsilon=0.001)
        result = runtime("LayerNormalization", [x, scale, bias], axis=axis, epsilon=0.001)[0]
        cases.op("layer_norm", text, [x, scale, bias], result, "single", "onnxruntime")
        result = runtime("RMSNormalization", [x, scale], opset=23, axis=axis, epsilon=0.001)[0]
        cases.op("rms_norm", text, [x, scale], result, "single", "onnxruntime")
    x = np.zeros((3, 0), np.float32)
    cases.op("layer_norm", "axis = 1", [x], x)
    cases.op("rms_norm", "axis = 1", [x], x)


def make():
    random = Random(103)
    for family in [reduce, softmax, normalize]:
        family(random)
