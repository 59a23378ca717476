"""Pooling: ONNX Runtime for the types it takes, NumPy for the others."""
import itertools

import numpy as np

from contractions import geometry
from oracle import FLOATS, TYPES, Random, cases, first, flags, last, rounded, runtime, wide


def spots(extent, kernel, stride, before, after, dilation, ceil):
    span = extent + before + after - dilation * (kernel - 1) - 1
    count = -(-span // stride) + 1 if ceil else span // stride + 1
    # A window that starts in the padding at the end is none.
    while ceil and (count - 1) * stride >= extent + before:
        count -= 1
    return [[start * stride - before + tap * dilation for tap in range(kernel)] for start in range(count)]


def windows(x, kernel, strides, padding, dilations, ceil):
    """For each place of the result, the elements of each channel that the window meets, and how many it would."""
    axes = len(kernel)
    places = [spots(x.shape[1 + i], kernel[i], strides[i], padding[i], padding[i + axes], dilations[i], ceil)
              for i in range(axes)]
    for spot in itertools.product(*(range(len(place)) for place in places)):
        taps = [places[i][spot[i]] for i in range(axes)]
        met = [[tap for tap in taps[i] if 0 <= tap < x.shape[1 + i]] for i in range(axes)]
        padded = np.prod([len([tap for tap in taps[i] if tap < x.shape[1 + i] + padding[i + axes]]) for i in range(axes)])
        yield spot, [len(place) for place in places], met, padded


def pool(x, kernel, strides, padding, dilations, ceil, way, counts):
    result = None
    for spot, sizes, met, padded in windows(x, kernel, strides, padding, dilations, ceil):
        if result is None:
            result = np.zeros((x.shape[0], *sizes, x.shape[-1]), np.float64)
        part = wide(x)[np.ix_(range(x.shape[0]), *met)].reshape(x.shape[0], -1, x.shape[-1])
        value = part.max(1) if way == "max" else part.sum(1) / (padded if counts else part.shape[1])
        result[(slice(None), *spot)] = value
    return result


def where(x, kernel, strides, padding, dilations, ceil):
    """The first of the greatest elements under each window, by its number in the image."""
    result = None
    for spot, sizes, met, _ in windows(x, kernel, strides, padding, dilations, ceil):
        if result is None:
            result = np.zeros((x.shape[0], *sizes, x.shape[-1]), np.int64)
        part = wide(x)[np.ix_(range(x.shape[0]), *met)].reshape(x.shape[0], -1, x.shape[-1])
        numbers = np.arange(int(np.prod(x.shape[1:-1]))).reshape(x.shape[1:-1])[np.ix_(*met)].reshape(-1)
        result[(slice(None), *spot)] = numbers[part.argmax(1)]
    return result


def make():
    random = Random(106)
    for number in range(60):
        axes = random.pick([1, 2, 2, 3])
        spatial, kernel, strides, padding, dilations = geometry(random, axes)
        ceil = bool(number % 3 == 2)
        # Each window meets an element, else a mean has nothing to divide by.
        padding = [min(extra, kernel[i % axes] - 1) for i, extra in enumerate(padding)]
        dilations = [1] * axes if any(padding) else dilations
        spatial = [max(extent, dilations[i] * (kernel[i] - 1) + 1) for i, extent in enumerate(spatial)]
        run = dict(kernel_shape=kernel, strides=strides, pads=padding, dilations=dilations, ceil_mode=int(ceil))
        text = flags(window=kernel, strides=strides, padding=padding, dilations=dilations, ceil_mode=ceil or None)
        settings = kernel, strides, padding, dilations, ceil
        kind = (FLOATS + ["i8", "u8", "i16", "u16", "i32", "u32"])[number % 10]
        x = random.values(kind, (random.pick([1, 2]), *spatial, random.pick([1, 3])))
        if kind in ("f32", "f64", "i8", "u8"):
            values, places = runtime("MaxPool", [first(x)], outputs=2, **run)
            cases.op("max_pool", text, [x], last(values), peer="onnxruntime")
            area = int(np.prod(spatial))
            if area and np.all(places >= 0):
                planes = np.arange(x.shape[0] * x.shape[-1]).reshape((x.shape[0], x.shape[-1]) + (1,) * axes)
                cases.op("max_pool_index", text, [x], last(places - planes * area), peer="onnxruntime")
        else:
            cases.op("max_pool", text, [x], pool(x, *settings, "max", False).astype(TYPES[kind]))
            cases.op("max_pool_index", text, [x], where(x, *settings))
        if kind in FLOATS:
            for counts in [False, True]:
                written = text + (", count_padding = true" if counts else "")
                if kind == "f32":
                    result = last(runtime("AveragePool", [first(x)], count_include_pad=int(counts), **run)[0])
                    cases.op("avg_pool", written, [x], result, "single", "onnxruntime")
                else:
                    cases.op("avg_pool", written, [x], rounded(pool(x, *settings, "mean", counts), kind), "sums")
    for kind in ["f32", "i8"]:
        x = np.zeros((0, 4, 3), TYPES[kind])
        cases.op("max_pool", "window = [2]", [x], np.zeros((0, 3, 3), TYPES[kind]))
