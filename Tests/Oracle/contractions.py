"""Contractions: NumPy in f64 and exact integers, ONNX Runtime and ONNX's evaluator where f32 is enough.

The convolution written here is checked against ONNX Runtime on every f32 case before it speaks for other types.
"""
import itertools

import numpy as np

from oracle import FLOATS, TYPES, Random, cases, evaluator, first, flags, last, rounded, runtime, wide, wrapped


def matmul(random):
    for kind in FLOATS + ["u8", "i8"]:
        for number in range(12 if kind == "f32" else 6):
            m, k, n = random.pick([0, 1, 3, 5, 17]), random.pick([0, 1, 4, 9, 33]), random.pick([1, 2, 7, 19, 1, 0])
            batch = random.shape(random.number(0, 2), limit=4)
            left, right = (batch, random.partner(batch)) if random.chance() else (random.partner(batch), batch)
            flips = random.chance(0.3), random.chance(0.4)
            a = random.values(kind, left + (m, k), 1)
            b = random.values("i8" if kind == "u8" else kind, right + (k, n), 1)
            x, y = (np.ascontiguousarray(np.swapaxes(v, -1, -2)) if flip else v for v, flip in zip((a, b), flips))
            text = flags(transpose_lhs=flips[0] or None, transpose_rhs=flips[1] or None)
            exact = np.matmul(wide(a), wide(b))
            whole = kind in ("u8", "i8")
            bias = None
            if number % 2:
                shape = random.pick([(n,), (m, 1), (), exact.shape, (1, n)])
                bias = random.integers(-1000, 1000, *shape, dtype="i32") if whole else random.values(kind, shape, 1)
                exact = exact + wide(bias)
            result = exact.astype(np.int32) if whole else rounded(exact, kind)
            cases.op("matmul", text, [x, y] + ([bias] if bias is not None else []), result,
                     "exact" if whole else "sums", types=None)


def convolve(x, w, strides, padding, dilations, groups):
    """`x` [N, spatial..., C] with `w` [O, kernel..., C / groups], in f64."""
    axes = len(strides)
    x = np.pad(wide(x), [(0, 0)] + list(zip(padding[:axes], padding[axes:])) + [(0, 0)])
    w, kernel = wide(w), w.shape[1:-1]
    sizes = [(x.shape[1 + i] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1 for i in range(axes)]
    result = np.zeros((x.shape[0], *sizes, w.shape[0]))
    inputs, outputs = x.shape[-1] // groups, w.shape[0] // groups
    for tap in itertools.product(*map(range, kernel)):
        places = [slice(tap[i] * dilations[i], tap[i] * dilations[i] + (sizes[i] - 1) * strides[i] + 1, strides[i])
                  for i in range(axes)]
        part = x[(slice(None), *places)]
        for g in range(groups):
            result[..., g * outputs:(g + 1) * outputs] += \
                part[..., g * inputs:(g + 1) * inputs] @ w[(slice(g * outputs, (g + 1) * outputs), *tap)].T
    return result


def geometry(random, axes):
    kernel = [random.pick([1, 2, 3]) for _ in range(axes)]
    dilations = [random.pick([1, 1, 2]) for _ in range(axes)]
    strides = [random.pick([1, 2, 3]) for _ in range(axes)]
    padding = [random.number(0, 2) for _ in range(2 * axes)]
    spatial = [max(1, dilations[i] * (kernel[i] - 1) + random.number(0, 4) - (axes == 3)) for i in range(axes)]
    spatial = [max(extent, dilations[i] * (kernel[i] - 1) + 1 - padding[i] - padding[i + axes], 1)
               for i, extent in enumerate(spatial)]
    return spatial, kernel, strides, padding, dilations


def conv(random):
    for number in range(40):
        axes = random.pick([1, 2, 2, 3])
        spatial, kernel, strides, padding, dilations = geometry(random, axes)
        groups, per, out = random.pick([(1, 3, 5), (1, 1, 4), (2, 2, 3), (4, 1, 1), (1, 8, 2), (3, 1, 2)])
        channels, filters, batch = groups * per, groups * out, random.pick([1, 1, 2])
        text = flags(strides=strides, padding=padding, dilations=dilations, groups=groups)
        run = dict(strides=strides, pads=padding, dilations=dilations, group=groups)
        kind = ["f32", "f16", "f32", "bf16", "f64", "u8", "i8"][number % 7]
        x = random.values(kind, (batch, *spatial, channels), 1)
        whole = kind in ("u8", "i8")
        w = random.values("i8" if whole else kind, (filters, *kernel, per), 1)
        exact = convolve(x, w, strides, padding, dilations, groups)
        bias = None
        if number % 3:
            bias = random.integers(-1000, 1000, filters, dtype="i32") if whole else random.values(kind, (filters,), 1)
            exact = exact + wide(bias)
        extra = [bias] if bias is not None else []
        if kind == "f32":
            result = last(runtime("Conv", [first(x), first(w)] + extra, **run)[0])
            assert np.allclose(result, exact, atol=1e-4), (spatial, kernel, text)
            cases.op("conv", text, [x, w] + extra, result, "single", "onnxruntime")
        else:
            cases.op("conv", text, [x, w] + extra, exact.astype(np.int32) if whole else rounded(exact, kind),
                     "exact" if whole else "sums")
        if groups == 1 and number % 2:
            matrix = np.ascontiguousarray(w.reshape(filters, -1).T)
            result = exact.astype(np.int32) if whole else rounded(exact, kind)
            cases.op("conv", text + f", kernel = {kernel}", [x, matrix] + extra, result, "exact" if whole else "sums")
    nothing, w = np.zeros((0, 4, 4, 3), np.float32), random.normal(2, 3, 3, 3)
    cases.op("conv", "", [nothing, w], np.zeros((0, 2, 2, 2), np.float32))


def conv_transpose(random):
    for number in range(24):
        axes = random.pick([1, 2, 2, 3])
        spatial, kernel, strides, padding, dilations = geometry(random, axes)
        spatial = [min(extent, 3) for extent in spatial]
        groups, per, out = random.pick([(1, 3, 2), (2, 2, 1), (3, 1, 2), (1, 1, 3)])
        extra = [random.number(0, strides[i] - 1) for i in range(axes)]
        full = [(spatial[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 + extra[i] for i in range(axes)]
        for i in range(axes):
            if full[i] <= padding[i] + padding[i + axes]:
                padding[i] = padding[i + axes] = 0
        kind = ["f32", "f32", "f16", "f64", "bf16"][number % 5]
        x = random.values(kind, (random.pick([1, 2]), *spatial, groups * per), 1)
        w = random.values(kind, (groups * per, *kernel, out), 1)
        bias = random.values(kind, (groups * out,), 1) if number % 2 else None
        text = flags(strides=strides, padding=padding, dilations=dilations, extra=extra, groups=groups)
        run = dict(strides=strides, pads=padding, dilations=dilations, output_padding=extra, group=groups)
        given = [first(np.asarray(v).astype(np.float32)) for v in (x, w)] + ([wide(bias).astype(np.float32)] if number % 2 else [])
        result = last(runtime("ConvTranspose", given, **run)[0])
        cases.op("conv_transpose", text, [x, w] + ([bias] if number % 2 else []),
                 result.astype(TYPES[kind]), "single", "onnxruntime")


def deform_conv(random):
    for number in range(20):
        spatial, kernel, strides, padding, dilations = geometry(random, 2)
        groups, per, out = random.pick([(1, 2, 3), (2, 2, 1), (1, 4, 2)])
        channels = groups * per
        parts = random.pick([1, 2 if channels % 2 == 0 else 1])
        sizes = [(spatial[i] + padding[i] + padding[i + 2] - dilations[i] * (kernel[i] - 1) - 1) // strides[i] + 1
                 for i in range(2)]
        taps = kernel[0] * kernel[1]
        kind = (["f32"] + FLOATS)[number % 5]
        x, w = random.normal(1, *spatial, channels, dtype=kind), random.normal(groups * out, *kernel, per, dtype=kind)
        offset = random.normal(1, *sizes, parts * taps * 2, scale=1.5, dtype=kind)
        mask = random.normal(1, *sizes, parts * taps, dtype=kind) if number % 2 else None
        bias = random.normal(groups * out, dtype=kind) if number % 3 else None
        text = flags(strides=strides, padding=padding, dilations=dilations, groups=groups, offset_groups=parts)
        given = [first(x), first(w), first(offset), bias, None if mask is None else first(mask)]
        given = [None if value is None else value.astype(np.float32) for value in given]
        while given[-1] is None:
            given.pop()
        settings = dict(opset=22, kernel_shape=kernel, strides=strides, pads=padding, dilations=dilations, group=groups,
                        offset_group=parts)
        try:
            result, peer = runtime("DeformConv", given, **settings)[0], "onnxruntime"
        except Exception:
            result, peer = evaluator("DeformConv", given, **settings)[0], "onnx"
        cases.op("deform_conv", text, [x, w, offset, mask, bias], rounded(last(result), kind), "single", peer)


def determinant(random):
    for kind in FLOATS:
        for shape in [(1, 1), (3, 5, 5), (2, 2), (0, 3, 3), (2, 0, 0), (2, 1, 4, 4)]:
            x = random.values(kind, shape, 1)
            cases.op("determinant", "", [x], rounded(np.linalg.det(wide(x)), kind), "sums")
    x = np.array([[1, 2], [2, 4]], np.float32)
    cases.op("determinant", "", [x], np.float32(0), "sums")


def make():
    random = Random(102)
    for family in [matmul, conv, conv_transpose, deform_conv, determinant]:
        family(random)
