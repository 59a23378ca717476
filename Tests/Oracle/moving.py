"""Movement and indexing: NumPy, which moves any element type; ONNX Runtime for scatters of f32 with reductions."""
import itertools
import math

import numpy as np

from oracle import EVERY, FLOATS, INTEGERS, TYPES, Random, cases, flags, rounded, runtime, wide, wrapped

INDICES = ["i64", "i32", "i64", "i8", "u8", "i16", "u32", "u64"]


def movement(random):
    for kind in EVERY:
        x = random.values(kind, random.shape())
        order = random.permutation(x.ndim)
        cases.op("transpose", flags(permutation=order), [x], x.transpose(order).copy(), "bits")
        x = random.values(kind, random.pick([(4, 3, 5), (2, 9), (1, 12), (0, 3), (7,)]))
        size = x.size
        shape = random.pick([(size,), (1, size, 1), x.shape[::-1], (1,) + x.shape])
        cases.op("reshape", flags(shape=list(shape)), [x], x.reshape(shape), "bits")
        for _ in range(2):
            x = random.values(kind, random.shape(low=1))
            places = []
            for extent in x.shape:
                step = random.pick([1, 1, 2, 3, -1, -2])
                size = random.number(0, (extent - 1) // abs(step) + 1)
                span = (max(size, 1) - 1) * abs(step)
                start = random.number(0, extent - 1 - span) + (span if step < 0 else 0)
                places.append((start, size, step))
            picked = x[np.ix_(*[[start + i * step for i in range(size)] for start, size, step in places])] if x.ndim else x
            text = flags(starts=[p[0] for p in places], sizes=[p[1] for p in places], steps=[p[2] for p in places])
            cases.op("slice", text, [x], picked, "bits")
            shape = random.shape(random.number(1, 4))
            axis = random.number(-len(shape), len(shape) - 1)
            parts = []
            for _ in range(random.number(1, 4)):
                extents = list(shape)
                extents[axis] = random.pick([0, 1, 2, 5])
                parts.append(random.values(kind, tuple(extents)))
            cases.op("concat", flags(axis=axis), parts, np.concatenate(parts, axis=axis), "bits")
            shape = random.shape()
            x = random.values(kind, random.partner(shape))
            cases.op("broadcast", flags(shape=list(shape)), [x], np.broadcast_to(x, shape), "bits")
            x = random.values(kind, random.shape(random.number(1, 3), low=1))
            axis = random.number(-x.ndim, x.ndim - 1)
            name = random.pick(INDICES)
            low = 0 if name.startswith("u") else -x.shape[axis]
            indices = random.integers(low, x.shape[axis] - 1, *random.shape(random.number(0, 2)), dtype=name)
            taken = np.take(x, np.asarray(indices).astype(np.int64) % x.shape[axis], axis=axis)
            cases.op("gather", flags(axis=axis), [x, indices], taken, "bits")
        x = random.values(kind, random.shape(random.number(0, 3)))
        found = np.stack(np.nonzero(np.asarray(x).astype(np.float64))) if x.ndim else \
            np.zeros((0, int(float(x) != 0)), np.int64)
        cases.op("non_zero", "extent = s", [x], found.astype(np.int64), types=[f"i64[{x.ndim}, s]"])
        if kind not in ("bool", "f8e8m0"):
            for _ in range(2):
                x = random.values(kind, random.shape(random.number(1, 3), low=1))
                before = [random.number(-min(1, extent - 1), 2) for extent in x.shape]
                after = [random.number(-min(1, extent - 1) if lead >= 0 else 0, 2) for extent, lead in zip(x.shape, before)]
                value = 1 if kind in ("i2", "u2") else random.pick([0.0, 1.0, 3.0] + [-1.5] * (kind[0] in "fb"))
                cut = x[tuple(slice(max(0, -b), extent - max(0, -a)) for b, a, extent in zip(before, after, x.shape))]
                fill = np.asarray(value).astype(TYPES[kind])
                shape = [extent + b + a for extent, b, a in zip(x.shape, before, after)]
                result = np.full(shape, fill, TYPES[kind])
                result[tuple(slice(max(0, b), max(0, b) + extent) for b, extent in zip(before, cut.shape))] = cut
                text = flags(before=before, after=after, value=float(value))
                cases.op("pad", text, [x], result, "bits")


def gather(random):
    for number, kind in enumerate(EVERY):
        x = random.values(kind, random.shape(random.number(1, 3), low=1))
        axis = random.number(-x.ndim, x.ndim - 1)
        name = INDICES[number % len(INDICES)]
        shape = [random.number(0 if random.chance(0.1) else 1, extent) for extent in x.shape]
        shape[axis] = random.pick([1, 2, 6])
        low = 0 if name.startswith("u") else -x.shape[axis]
        indices = random.integers(low, x.shape[axis] - 1, *shape, dtype=name)
        part = x[tuple(slice(None) if i == axis % x.ndim else slice(0, extent) for i, extent in enumerate(shape))]
        taken = np.take_along_axis(part, np.asarray(indices).astype(np.int64) % x.shape[axis], axis)
        cases.op("gather_elements", flags(axis=axis), [x, indices], taken, "bits")

        batch, depth = random.number(0, 1), random.number(1, 2)
        rank = batch + depth + random.number(0, 1)
        x = random.values(kind, random.shape(rank, low=1))
        rows = x.shape[:batch] + random.shape(random.number(0, 2), low=1, limit=6)
        coordinates = [random.integers(0 if name.startswith("u") else -x.shape[batch + i], x.shape[batch + i] - 1, *rows, dtype=name)
                       for i in range(depth)]
        indices = np.stack(coordinates, -1)
        result = np.zeros(rows + x.shape[batch + depth:], TYPES[kind])
        for row in itertools.product(*map(range, rows)):
            result[row] = x[row[:batch] + tuple(int(v) for v in indices[row])]
        cases.op("gather_nd", flags(batch_dims=batch), [x, indices], result, "bits")

        x = random.values(kind, random.shape(random.number(2, 3), low=1))
        batch, time = random.permutation(x.ndim)[:2]
        lengths = random.integers(0, x.shape[time], x.shape[batch], dtype=random.pick(["i64", "i32"]))
        result = x.copy()
        for b in range(x.shape[batch]):
            line = np.moveaxis(result, (batch, time), (0, 1))[b]
            line[:lengths[b]] = line[:lengths[b]][::-1].copy()
        cases.op("reverse_sequence", flags(batch_axis=batch, time_axis=time), [x, lengths], result, "bits")


def combined(old, new, way, kind):
    """In f64 or exact integers, rounded or wrapped to the type."""
    if way == "none":
        return new
    if kind == "bool":
        return {"add": old | new, "mul": old & new, "max": old | new, "min": old & new}[way]
    if kind in FLOATS:
        a, b = wide(old), wide(new)
        return rounded({"add": a + b, "mul": a * b, "max": np.maximum(a, b), "min": np.minimum(a, b)}[way], kind)
    a, b = int(old), int(new)
    return wrapped({"add": a + b, "mul": a * b, "max": max(a, b), "min": min(a, b)}[way], kind)


def scatter(random):
    for number, kind in enumerate(EVERY):
        ways = ["none", "add", "mul", "min", "max"] if kind in FLOATS + INTEGERS else ["none"]
        for way in ways:
            x = random.values(kind, random.shape(random.number(1, 3), low=1, limit=30), 1)
            axis = random.number(-x.ndim, x.ndim - 1)
            name = INDICES[number % len(INDICES)]
            shape = [random.number(1, extent) for extent in x.shape]
            shape[axis] = random.number(1, 4) if way != "none" else random.number(0, x.shape[axis])
            low = 0 if name.startswith("u") else -x.shape[axis]
            indices = random.integers(low, x.shape[axis] - 1, *shape, dtype=name)
            updates, result = random.values(kind, tuple(shape), 1), x.copy()
            for spot in itertools.product(*map(range, shape)):
                target = list(spot)
                target[axis] = int(indices[spot]) % x.shape[axis]
                result[tuple(target)] = combined(result[tuple(target)], updates[spot], way, kind)
            text = flags(axis=axis, reduction=way)
            cases.op("scatter_elements", text, [x, indices, updates], result, "sums" if kind in FLOATS else "bits")

            depth = random.number(1, 2)
            x = random.values(kind, random.shape(depth + random.number(0, 1), low=1, limit=30), 1)
            rows = random.shape(random.number(0, 2), low=1, limit=5)
            indices = np.stack([random.integers(0 if name.startswith("u") else -x.shape[i], x.shape[i] - 1, *rows, dtype=name)
                                for i in range(depth)], -1)
            updates, result = random.values(kind, rows + x.shape[depth:], 1), x.copy()
            for row in itertools.product(*map(range, rows)):
                place = tuple(int(v) for v in indices[row])
                if x.ndim == depth:
                    result[place] = combined(result[place], updates[row], way, kind)
                else:
                    for i in range(x.shape[-1]):
                        result[place + (i,)] = combined(result[place + (i,)], updates[row + (i,)], way, kind)
            text = flags(reduction=way)
            cases.op("scatter_nd", text, [x, indices, updates], result, "sums" if kind in FLOATS else "bits")
    for way in ["none", "add", "mul", "min", "max"]:
        x, updates = random.normal(4, 5), random.normal(3, 5)
        indices = np.stack([random.source.permutation(4)[:3] for _ in range(5)], -1)
        result = runtime("ScatterElements", [x, indices, updates], opset=18, axis=0, reduction=way)[0]
        cases.op("scatter_elements", flags(reduction=way), [x, indices, updates], result, "rounded", "onnxruntime")
        rows = random.source.permutation(4)[:3].reshape(3, 1)
        result = runtime("ScatterND", [x, rows, updates], opset=18, reduction=way)[0]
        cases.op("scatter_nd", flags(reduction=way), [x, rows, updates], result, "rounded", "onnxruntime")


def make():
    random = Random(107)
    for family in [movement, gather, scatter]:
        family(random)
