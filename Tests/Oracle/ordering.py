"""Ops that order: NumPy with stable sorts, ONNX Runtime for extremes, running sums and overlapping boxes."""
import numpy as np

from oracle import FLOATS, INTEGERS, NARROW, TYPES, Random, cases, flags, rounded, runtime, wide, wrapped


def order(x):
    """Numbers that sort as the elements do, NaN behind all others."""
    if x.dtype.kind in "fV" or x.dtype == TYPES["bf16"]:
        return wide(x)
    return np.asarray(x).astype(np.uint64 if x.dtype == np.uint64 else np.int64)


def tied(random, kind):
    """Few different values, so that some are equal."""
    shape = random.shape(random.number(1, 3), low=1)
    x = random.values(kind, shape, 2)
    return np.rint(wide(x)).astype(TYPES[kind]) if kind in FLOATS else \
        wrapped(np.asarray(x).astype(np.int64) & 3, kind) if random.chance() else x


def extremes(random):
    for number, kind in enumerate((FLOATS + INTEGERS + NARROW) * 2):
        x = tied(random, kind)
        axis = random.number(-x.ndim, x.ndim - 1)
        if kind in FLOATS and number % 3 == 0:
            x.reshape(-1)[random.number(0, x.size - 1)] = np.nan
        for name, function in [("arg_max", np.argmax), ("arg_min", np.argmin)]:
            cases.op(name, flags(axis=axis), [x], function(order(x), axis=axis, keepdims=True))
            behind = np.flip(order(x), axis)
            found = x.shape[axis] - 1 - function(behind, axis=axis, keepdims=True)
            cases.op(name, flags(axis=axis, last=True), [x], found)
            if kind in ("f32", "i32", "i8", "u8", "f64") and not np.isnan(wide(x)).any():
                for behind in [0, 1]:
                    found = runtime("ArgMax" if name == "arg_max" else "ArgMin", [x], axis=axis, select_last_index=behind)[0]
                    cases.op(name, flags(axis=axis, last=bool(behind)), [x], found, peer="onnxruntime")


def running(random):
    for number, kind in enumerate((FLOATS + INTEGERS + NARROW) * 2):
        x = random.values(kind, random.shape(random.number(1, 3)), 1)
        axis, exclusive, reverse = random.number(-x.ndim, x.ndim - 1), random.chance(), random.chance()
        text = flags(axis=axis, exclusive=exclusive, reverse=reverse)
        lines = np.moveaxis(x, axis, -1)
        lines = lines[..., ::-1] if reverse else lines
        for name, start in [("cumulative_sum", 0), ("cumulative_prod", 1)]:
            numbers = wide(lines) if kind in FLOATS else \
                np.array([int(v) for v in np.ravel(lines)], dtype=object).reshape(lines.shape)
            result = np.cumsum(numbers, axis=-1) if start == 0 else np.cumprod(numbers, axis=-1)
            if exclusive and result.shape[-1]:
                result = np.concatenate([np.full_like(result[..., :1], start), result[..., :-1]], -1)
            result = np.moveaxis(result[..., ::-1] if reverse else result, -1, axis)
            result = rounded(result, kind) if kind in FLOATS else wrapped(result, kind)
            cases.op(name, text, [x], result, "sums" if kind in FLOATS else "exact")
        if kind in ("f32", "f64", "i32", "i64") and x.size:
            result = runtime("CumSum", [x, np.array(axis)], exclusive=int(exclusive), reverse=int(reverse))[0]
            cases.op("cumulative_sum", text, [x], result, "single" if kind == "f32" else "sums", "onnxruntime")


def best(random):
    for number, kind in enumerate((FLOATS + INTEGERS + NARROW) * 2):
        x = tied(random, kind)
        axis, largest = random.number(-x.ndim, x.ndim - 1), random.chance()
        if kind in FLOATS and number % 3 == 1:
            x.reshape(-1)[random.number(0, x.size - 1)] = np.nan
        k = random.number(0, x.shape[axis])
        keys = order(np.moveaxis(x, axis, -1))
        if largest:
            # Stable from the far end: the lower index first among equals.
            places = keys.shape[-1] - 1 - np.argsort(keys[..., ::-1], axis=-1, kind="stable")[..., ::-1]
        else:
            places = np.argsort(keys, axis=-1, kind="stable")
        places = np.moveaxis(places[..., :k], -1, axis).astype(np.int64)
        values = np.take_along_axis(x, places, axis)
        cases.op("top_k", flags(axis=axis, k=k, largest=largest), [x], [values, places])


def different(random):
    for number, kind in enumerate((FLOATS + INTEGERS + NARROW) * 2):
        x = tied(random, kind)
        if number % 2:
            x = np.concatenate([x, x[:1]])
        rows = order(x).reshape(x.shape[0], -1)
        _, starts, inverse, counts = np.unique(rows, return_index=True, return_inverse=True, return_counts=True, axis=0)
        inverse = inverse.reshape(-1)
        arranged = bool(number % 3)
        if not arranged:
            by = np.argsort(starts)
            starts, counts, inverse = starts[by], counts[by], np.argsort(by)[inverse]
        results = [np.asarray(result, dtype=np.int64) for result in (starts, inverse, counts)]
        cases.op("unique", flags(extent="s", sorted=arranged), [x], results,
                 types=["i64[s]", f"i64[{x.shape[0]}]", "i64[s]"])
    x = np.array([np.nan, 1, np.nan, -1, 1, np.inf], np.float32)
    _, starts, inverse, counts = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    cases.op("unique", "extent = s", [x], [starts, inverse, counts], types=["i64[s]", "i64[6]", "i64[s]"])


def boxes(random):
    for number in range(12):
        images, classes, count = random.pick([1, 2]), random.pick([1, 3]), random.pick([1, 5, 9])
        corners = random.source.random((images, count, 4)).astype(np.float32)
        scores = random.source.random((images, classes, count)).astype(np.float32)
        most, overlap, least = random.pick([0, 1, 3, 20]), random.pick([0.0, 0.3, 0.5, 1.0]), random.pick([0.0, 0.2, 0.6])
        center = bool(number % 2)
        inputs = [corners, scores, np.int64(most), np.float32(overlap), np.float32(least)]
        given = inputs[:2] + [np.reshape(value, [1]) for value in inputs[2:]]
        if number % 4 == 3:
            inputs, given = inputs[:4], given[:4]
        found = runtime("NonMaxSuppression", given, center_point_box=int(center))[0]
        cases.op("non_max_suppression", flags(extent="s", center=center), inputs, found.reshape(-1, 3),
                 peer="onnxruntime", types=["i64[s, 3]"])


def make():
    random = Random(108)
    for family in [extremes, running, best, different, boxes]:
        family(random)
