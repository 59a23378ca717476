"""Writes reference.json: small cases of ops with results from NumPy, ml_dtypes and ONNX Runtime.

Run in this folder: python3 make_reference.py. The cases are seeded, so that a second run writes the same file.
Each case is an op in .mir syntax, its inputs and its expected result as bytes in hexadecimal.
"""

import json
import math

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

random = np.random.default_rng(20240607)
cases = []

TYPES = {
    "bool": np.dtype(np.bool_), "i8": np.dtype(np.int8), "u8": np.dtype(np.uint8), "i16": np.dtype(np.int16),
    "u16": np.dtype(np.uint16), "i32": np.dtype(np.int32), "u32": np.dtype(np.uint32), "i64": np.dtype(np.int64),
    "u64": np.dtype(np.uint64), "f16": np.dtype(np.float16), "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64), "bf16": np.dtype(ml_dtypes.bfloat16),
    "f8e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn), "f8e4m3fnuz": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "f8e5m2": np.dtype(ml_dtypes.float8_e5m2), "f8e5m2fnuz": np.dtype(ml_dtypes.float8_e5m2fnuz),
    "i4": np.dtype(ml_dtypes.int4), "u4": np.dtype(ml_dtypes.uint4), "f4e2m1": np.dtype(ml_dtypes.float4_e2m1fn),
}
NAMES = {dtype: name for name, dtype in TYPES.items()}
SMALL = {"i4", "u4", "f4e2m1"}


def describe(array):
    name = NAMES[array.dtype]
    data = np.ascontiguousarray(array).tobytes()
    if name in SMALL:
        padded = [byte & 15 for byte in data] + [0] * (len(data) % 2)
        data = bytes(low | high << 4 for low, high in zip(padded[::2], padded[1::2]))
    return f"{name}[{', '.join(map(str, array.shape))}]", data.hex()


def case(op, attributes, inputs, expected, tolerance=0.0):
    expected = np.asarray(expected)
    operands = ", ".join(f"%{number}" for number in range(len(inputs)))
    described = [describe(np.asarray(array)) for array in inputs]
    result, data = describe(expected)
    cases.append({
        "op": f"{op} {operands}" + (f" {{{attributes}}}" if attributes else ""),
        "inputs": [{"type": kind, "bytes": hexadecimal} for kind, hexadecimal in described],
        "result": result, "expected": data, "tolerance": tolerance,
    })


def normal(*shape, dtype=np.float32):
    return random.standard_normal(shape).astype(dtype)


def integers(low, high, *shape, dtype=np.int64):
    return random.integers(low, high, shape).astype(dtype)


def onnx_run(op, inputs, opset=21, **attributes):
    """One ONNX node under ONNX Runtime."""
    names = [f"i{number}" for number in range(len(inputs))]
    node = helper.make_node(op, names, ["out"], **attributes)
    values = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, inputs)
    ]
    output = helper.make_value_info("out", onnx.TypeProto())
    graph = helper.make_graph([node], "g", values, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    model = onnx.shape_inference.infer_shapes(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip(names, inputs)))[0]


def first(array):
    """Channels from last to second."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def last(array):
    """Channels from second to last."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


# Contractions.
for a, b, flags in [
    ((2, 3), (3, 4), ""), ((5, 7), (7, 1), ""), ((2, 1, 3, 5), (4, 5, 2), ""), ((3, 2), (3, 4), "l"),
    ((2, 9), (6, 9), "r"), ((2, 4, 3), (2, 5, 4), "lr"), ((1, 16), (16, 33), ""),
]:
    x, y = normal(*a), normal(*b)
    left = np.swapaxes(x, -1, -2) if "l" in flags else x
    right = np.swapaxes(y, -1, -2) if "r" in flags else y
    attributes = ["transpose_lhs = true"] * ("l" in flags) + ["transpose_rhs = true"] * ("r" in flags)
    product = left.astype(np.float64) @ right.astype(np.float64)
    case("matmul", ", ".join(attributes), [x, y], product.astype(np.float32), 1e-6)
    bias = normal(product.shape[-1])
    case("matmul", ", ".join(attributes), [x, y, bias], (product + bias).astype(np.float32), 1e-5)
for dtype in [np.float16, ml_dtypes.bfloat16, np.float64]:
    x, y = normal(3, 5, dtype=dtype), normal(5, 2, dtype=dtype)
    case("matmul", "", [x, y], (x.astype(np.float64) @ y.astype(np.float64)).astype(dtype), 1e-12)
for dtype in [np.uint8, np.int8]:
    info = np.iinfo(dtype)
    x, y = integers(info.min, info.max + 1, 4, 70, dtype=dtype), integers(-128, 128, 70, 3, dtype=np.int8)
    case("matmul", "", [x, y], x.astype(np.int32) @ y.astype(np.int32))

for spatial, kernel, c, o, groups, strides, padding, dilations in [
    ((8,), (3,), 4, 6, 1, [1], [1, 1], [1]), ((9,), (2,), 4, 6, 2, [2], [0, 1], [3]),
    ((7, 6), (3, 3), 3, 5, 1, [1, 1], [1, 1, 1, 1], [1, 1]), ((9, 9), (3, 2), 6, 6, 6, [2, 1], [0, 1, 2, 0], [1, 2]),
    ((5, 5), (1, 1), 8, 4, 1, [2, 2], [0, 0, 0, 0], [1, 1]), ((4, 5, 6), (2, 3, 2), 2, 4, 2, [1, 2, 1],
                                                             [1, 0, 0, 0, 1, 1], [1, 1, 2]),
    ((3, 3), (5, 5), 2, 2, 1, [1, 1], [3, 2, 3, 2], [1, 1]),
]:
    lists = f"strides = {strides}, padding = {padding}, dilations = {dilations}, groups = {groups}"
    x, w, bias = normal(2, *spatial, c), normal(o, *kernel, c // groups), normal(o)
    run = dict(strides=strides, pads=padding, dilations=dilations, group=groups)
    case("conv", lists, [x, w, bias], last(onnx_run("Conv", [first(x), first(w), bias], **run)), 1e-4)
    # Sums of small integers are exact in f32.
    x, w = integers(0, 256, 1, *spatial, c, dtype=np.uint8), integers(-128, 128, o, *kernel, c // groups, dtype=np.int8)
    sums = onnx_run("Conv", [first(x.astype(np.float32)), first(w.astype(np.float32))], **run)
    case("conv", lists, [x, w], last(sums).astype(np.int32))

# Windows.
for spatial, window, strides, padding, dilations, ceil in [
    ((8,), [3], [2], [1, 1], [1], 0), ((7, 6), [2, 2], [2, 2], [0, 0, 0, 0], [1, 1], 0),
    ((7, 6), [2, 3], [2, 2], [0, 1, 1, 1], [1, 1], 1), ((9, 9), [3, 3], [3, 2], [1, 1, 1, 1], [1, 1], 1),
    ((9, 8), [2, 2], [1, 2], [0, 0, 0, 0], [2, 3], 0), ((4, 5, 6), [2, 2, 3], [1, 2, 2], [0, 0, 1, 1, 0, 1], [1, 1, 1], 0),
]:
    lists = f"window = {window}, strides = {strides}, padding = {padding}, dilations = {dilations}"
    lists += ", ceil_mode = true" if ceil else ""
    x = normal(2, *spatial, 3)
    run = dict(kernel_shape=window, strides=strides, pads=padding, dilations=dilations, ceil_mode=ceil)
    case("max_pool", lists, [x], last(onnx_run("MaxPool", [first(x)], **run)))
    q = integers(-128, 128, 1, *spatial, 3, dtype=np.int8)
    case("max_pool", lists, [q], last(onnx_run("MaxPool", [first(q)], **run)))
    for count in [0, 1]:
        text = lists + (", count_padding = true" if count else "")
        case("avg_pool", text, [x], last(onnx_run("AveragePool", [first(x)], count_include_pad=count, **run)), 1e-5)

# Reductions.
for axes, keep in [([0], False), ([1, 2], True), ([-1], True), ([0, 2], False), ([], False)]:
    attributes = f"axes = {axes}, keep_dims = {str(keep).lower()}"
    x, q = normal(3, 4, 5), integers(-9, 9, 3, 4, 5, dtype=np.int32)
    over = tuple(axes) if axes else None
    for name, function in [("sum", np.sum), ("mean", np.mean), ("max", np.max), ("min", np.min), ("prod", np.prod)]:
        case("reduce_" + name, attributes, [x], function(x.astype(np.float64), axis=over, keepdims=keep).astype(np.float32), 1e-6)
        if name != "mean":
            case("reduce_" + name, attributes, [q], function(q, axis=over, keepdims=keep, **({"dtype": np.int32} if name in ("sum", "prod") else {})))
for axis in [0, 1, -1]:
    x = normal(3, 4, 5) * 20
    case("softmax", f"axis = {axis}", [x], onnx_run("Softmax", [x], axis=axis), 1e-5)

# Movement.
x = normal(4, 5, 6)
for dtype in ["f32", "f16", "i4", "u8", "bool", "f64"]:
    y = x.astype(TYPES[dtype])
    case("transpose", "permutation = [2, 0, 1]", [y], np.ascontiguousarray(y.transpose(2, 0, 1)))
    case("slice", "starts = [3, 0, 5], sizes = [2, 5, 3], steps = [-2, 1, -2]", [y], y[3::-2, :, 5::-2])
    case("reshape", "shape = [8, 15]", [y], y.reshape(8, 15))
    case("concat", "axis = 1", [y, y[:, :2], y], np.concatenate([y, y[:, :2], y], axis=1))
    case("broadcast", "shape = [2, 4, 5, 6]", [y[:, :1]], np.broadcast_to(y[:, :1], (2, 4, 5, 6)))
    case("gather", "axis = 1", [y, np.array([[0, -1], [2, -5]])], np.take(y, [[0, 4], [2, 0]], axis=1))
case("gather", "axis = -1", [x, np.array(3, dtype=np.int32)], np.take(x, 3, axis=-1))
case("pad", "before = [1, 0, 2], after = [0, 3, 1], value = -1.5", [x],
     np.pad(x, ((1, 0), (0, 3), (2, 1)), constant_values=-1.5))
case("pad", "before = [-1, 2, 0], after = [1, -2, 0], value = 7.0", [x.astype(np.int32)],
     np.pad(x.astype(np.int32)[1:, :3], ((0, 1), (2, 0), (0, 0)), constant_values=7))
case("select", "", [x > 0, x, np.float32(0.25)], np.where(x > 0, x, np.float32(0.25)))
case("select", "", [x[:, :1, :1] > 0, x[0], x], np.where(x[:, :1, :1] > 0, x[0], x))
case("shape", "", [x], np.array(x.shape))
case("non_zero", "extent = s", [np.maximum(x, 0)], np.stack(np.nonzero(np.maximum(x, 0))))

# Elementwise.
special = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, np.inf, -np.inf, np.nan, 1e-40, 3e38], dtype=np.float32)
values = np.concatenate([special, normal(15) * 3])
erf = np.vectorize(math.erf)
with np.errstate(all="ignore"):
    for name, function in [
        ("neg", np.negative), ("abs", np.abs), ("sign", np.sign), ("exp", np.exp), ("log", np.log), ("sqrt", np.sqrt),
        ("rsqrt", lambda v: 1 / np.sqrt(v)), ("reciprocal", np.reciprocal), ("tanh", np.tanh),
        ("sigmoid", lambda v: 1 / (1 + np.exp(-v))), ("erf", erf), ("relu", lambda v: np.maximum(v, 0)),
        ("floor", np.floor), ("ceil", np.ceil), ("round", np.rint), ("sin", np.sin), ("cos", np.cos),
    ]:
        for dtype in [np.float32, np.float16, ml_dtypes.bfloat16]:
            v = values.astype(dtype)
            case(name, "", [v], function(v.astype(np.float64)).astype(np.float64).astype(np.float32).astype(dtype)
                 if dtype != np.float32 else function(v.astype(np.float64)).astype(np.float32), 1e-2 if dtype != np.float32 else 1e-6)
    case("is_nan", "", [values], np.isnan(values))
    a, b = np.repeat(values, 4)[:100], np.tile(values, 4)[:100]
    for name, function in [
        ("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide), ("mod", np.mod),
        ("minimum", np.minimum), ("maximum", np.maximum), ("pow", np.power),
    ]:
        result = function(a.astype(np.float64), b.astype(np.float64))
        case(name, "", [a, b], result.astype(np.float32), 1e-6)
    for name, function in [
        ("equal", np.equal), ("not_equal", np.not_equal), ("less", np.less), ("less_equal", np.less_equal),
        ("greater", np.greater), ("greater_equal", np.greater_equal),
    ]:
        case(name, "", [a, b], function(a, b))
        for dtype in [np.int8, np.uint64]:
            m = integers(0, 2**63, 30, dtype=np.uint64) * np.uint64(2)
            p, q = m.astype(dtype), m[::-1].astype(dtype)
            case(name, "", [p, q], function(p, q))
    for dtype in [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64]:
        bits = np.dtype(dtype).itemsize * 8
        raw = integers(-2**63, 2**63 - 1, 20)
        p, q = raw.astype(dtype), raw[::-1].astype(dtype)
        nonzero = np.where(q == 0, dtype(3), q)
        for name, function in [
            ("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("minimum", np.minimum),
            ("maximum", np.maximum), ("and", np.bitwise_and), ("or", np.bitwise_or), ("xor", np.bitwise_xor),
        ]:
            case(name, "", [p, q], function(p, q))
        case("mod", "", [p, nonzero], np.mod(p, nonzero))
        quotient = [int(abs(int(m)) // abs(int(n))) * (1 if (m < 0) == (n < 0) else -1) for m, n in zip(p, nonzero)]
        case("div", "", [p, nonzero], np.array(quotient).astype(dtype))
        distance = integers(0, bits, 20, dtype=dtype)
        case("shift_left", "", [p, distance], np.left_shift(p, distance))
        case("shift_right", "", [p, distance], np.right_shift(p, distance))
        small = integers(0, 6, 20, dtype=dtype)
        case("pow", "", [p, small], np.power(p, small))
        case("bit_not", "", [p], np.invert(p))
        case("relu", "", [p], np.maximum(p, 0).astype(dtype))
        case("abs", "", [p], np.abs(p))
        case("neg", "", [p], np.negative(p))
        case("sign", "", [p], np.sign(p))
    p, q = normal(4, 1, 3), normal(2, 1)
    case("add", "", [p, q], p + q)

# Casts.
floats = ["f16", "bf16", "f32", "f64", "f8e4m3fn", "f8e4m3fnuz", "f8e5m2", "f8e5m2fnuz", "f4e2m1"]
whole = ["i4", "u4", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]
LIMITS = {name: (int(ml_dtypes.iinfo(TYPES[name]).min), int(ml_dtypes.iinfo(TYPES[name]).max)) for name in whole}
wide = np.concatenate([values.astype(np.float64), normal(15, dtype=np.float64) * 500, normal(15, dtype=np.float64) * 1e-3])
with np.errstate(all="ignore"):
    for source in floats:
        v = wide.astype(TYPES[source])
        for target in floats:
            if target == source or (target == "f4e2m1" and source != "f32"):
                continue
            if target == "f4e2m1":
                # It has no NaN.
                v = np.where(np.isnan(v.astype(np.float64)), 0, v.astype(np.float64)).astype(TYPES[source])
            # By f64, so that nothing rounds twice.
            case("cast", f"to = {target}, saturate = false" if target.startswith("f8") else f"to = {target}",
                 [v], v.astype(np.float64).astype(TYPES[target]))
            if target.startswith("f8") and source == "f32":
                top = float(ml_dtypes.finfo(TYPES[target]).max)
                case("cast", f"to = {target}", [v], np.clip(v.astype(np.float64), -top, top).astype(TYPES[target]))
        for target in whole:
            low, high = LIMITS[target]
            exact = [0 if math.isnan(f) else high if f == math.inf else low if f == -math.inf else min(max(int(f), low), high)
                     for f in v.astype(np.float64).tolist()]
            case("cast", f"to = {target}", [v], np.array(exact, dtype=np.uint64 if target == "u64" else np.int64).astype(TYPES[target]))
        case("cast", "to = bool", [v], v.astype(np.float64) != 0)
    for source in whole:
        raw = np.concatenate([integers(-2**63, 2**63 - 1, 12), integers(-2**55, 2**55, 10), integers(-9, 9, 6)])
        v = raw.astype(TYPES[source]) if source not in SMALL else (raw & 15).astype(np.int8).astype(TYPES[source]) \
            if source == "u4" else ((raw & 15) - 8).astype(np.int8).astype(TYPES[source])
        numbers = [int(n) for n in v.tolist()]
        for target in whole:
            wrapped = np.array([n & (2**64 - 1) for n in numbers], dtype=np.uint64)
            width = 4 if target in SMALL else TYPES[target].itemsize * 8
            kept = [n & (2**width - 1) for n in numbers]
            signed = target.startswith("i")
            kept = [n - 2**width if signed and n >= 2**(width - 1) else n for n in kept]
            case("cast", f"to = {target}", [v], np.array(kept, dtype=np.uint64 if target == "u64" else np.int64).astype(TYPES[target]))
        case("cast", "to = f32", [v], np.array([np.float32(n) if abs(n) < 2**53 else v.dtype.type(n).astype(np.float32) for n in numbers], dtype=np.float32))
        case("cast", "to = f64", [v], np.array([float(n) for n in numbers]))
        case("cast", "to = bool", [v], np.array([n != 0 for n in numbers]))

# Quantization.
for name, low, high in [("u8", 0, 255), ("i8", -128, 127), ("i16", -32768, 32767), ("u16", 0, 65535)]:
    x, dtype = normal(4, 6) * 40, TYPES[name]
    x[0, :4] = [0.25, 0.75, -0.25, 1.25]
    scale, zero = np.float32(0.5), dtype.type(3)
    case("quantize", f"to = {name}", [x, scale, zero], onnx_run("QuantizeLinear", [x, np.asarray(scale), np.asarray(zero)]))
    scales, zeros = np.abs(normal(6)) + np.float32(0.01), integers(low, high, 6, dtype=dtype)
    case("quantize", f"to = {name}, axis = 1", [x, scales, zeros], onnx_run("QuantizeLinear", [x, scales, zeros], axis=1))
    q = integers(low, high + 1, 4, 6, dtype=dtype)
    case("dequantize", "axis = 1", [q, scales, zeros], onnx_run("DequantizeLinear", [q, scales, zeros], axis=1))
    away = np.trunc(x / scale + np.copysign(np.float32(0.5), x))
    case("quantize", f"to = {name}, rounding = tflite", [x, scale, zero], np.clip(away + int(zero), low, high).astype(dtype))

# Functions that models seldom have.
near = np.concatenate([special, np.linspace(-3, 3, 13, dtype=np.float32)])
with np.errstate(all="ignore"):
    for name, function in [
        ("exp2", np.exp2), ("expm1", np.expm1), ("log2", np.log2), ("log1p", np.log1p), ("tan", np.tan),
        ("asin", np.arcsin), ("acos", np.arccos), ("atan", np.arctan), ("sinh", np.sinh), ("cosh", np.cosh),
        ("asinh", np.arcsinh), ("acosh", np.arccosh), ("atanh", np.arctanh), ("trunc", np.trunc),
        ("round_away", lambda v: np.trunc(v + np.copysign(0.5, v))),
    ]:
        case(name, "", [near], function(near.astype(np.float64)).astype(np.float32), 1e-6)
    a, b = np.repeat(near, 5)[:120], np.tile(near, 5)[:120]
    for name, function in [("rem", np.fmod), ("atan2", np.arctan2)]:
        case(name, "", [a, b], function(a.astype(np.float64), b.astype(np.float64)).astype(np.float32), 1e-6)
    case("floor_div", "", [a, b], np.floor(a / b))
for dtype in [np.int8, np.uint8, np.int32, np.int64]:
    p, q = integers(-100, 100, 20).astype(dtype), integers(1, 9, 20).astype(dtype) * dtype(3)
    q = np.where(np.arange(20) % 3 == 0, 0 - q, q).astype(dtype)
    case("floor_div", "", [p, q], p // q)
    case("rem", "", [p, q], np.fmod(p, q))
case("bit_cast", "to = i32", [special], special.view(np.int32))
case("bit_cast", "to = bf16", [special.astype(np.float16)], special.astype(np.float16).view(ml_dtypes.bfloat16))
x, scale, zero = normal(4, 6) * 20, np.abs(normal(6)) + np.float32(0.05), integers(-5, 5, 6, dtype=np.int32)
for bits, low, high, narrow in [(8, -128, 127, False), (8, -127, 127, True), (4, -8, 7, False)]:
    q = np.clip(np.rint(x / scale) + zero, low, high) - zero
    attributes = f"bits = {bits}, axis = 1" + (", narrow" if narrow else "")
    case("fake_quant", attributes, [x, scale, zero], q.astype(np.float32) * scale)
matrices = normal(3, 4, 4).astype(np.float64)
case("determinant", "", [matrices], np.linalg.det(matrices), 1e-12)
# Normalizations.
for shape, axis in [((3, 10), -1), ((2, 3, 5), 1), ((4, 1), 1)]:
    x = normal(*shape) * 3 + 1
    row = x.shape[axis:] if axis >= 0 else x.shape[-1:]
    scale, bias = normal(*row), normal(*row)
    expected = onnx_run("LayerNormalization", [x, scale, bias], axis=axis, epsilon=1e-3)
    case("layer_norm", f"axis = {axis}, epsilon = 0.001", [x, scale, bias], expected, 1e-4)
    axes = tuple(range(axis % x.ndim, x.ndim))
    root = np.sqrt((x.astype(np.float64) ** 2).mean(axes, keepdims=True) + 1e-3)
    case("rms_norm", f"axis = {axis}, epsilon = 0.001", [x, scale], (x / root * scale).astype(np.float32), 1e-5)
    case("rms_norm", f"axis = {axis}, epsilon = 0.001", [x], (x / root).astype(np.float32), 1e-5)


# Attention, with NumPy in f64.
def attend(q, k, v, mask=None, sinks=None, scale=1.0, before=-1, after=-1, offset=0, cap=0.0):
    q, k, v = (t.astype(np.float64) for t in (q, k, v))
    group = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    scores = q @ np.swapaxes(k, -1, -2) * scale
    if cap:
        scores = cap * np.tanh(scores / cap)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == np.bool_ else scores + mask
    distance = np.arange(k.shape[2])[None, :] - np.arange(q.shape[2])[:, None] - offset
    hidden = (distance > after) & (after >= 0) | (-distance > before) & (before >= 0)
    scores = np.where(hidden, -np.inf, scores)
    greatest = scores.max(-1, keepdims=True)
    if sinks is not None:
        greatest = np.maximum(greatest, sinks.astype(np.float64)[:, None, None])
    greatest = np.where(np.isinf(greatest), 0, greatest)
    weights = np.exp(scores - greatest)
    total = weights.sum(-1, keepdims=True)
    if sinks is not None:
        total = total + np.exp(sinks.astype(np.float64)[:, None, None] - greatest)
    return np.where(total == 0, 0, weights @ v / np.where(total == 0, 1, total)).astype(np.float32)


for heads, shared, queries, keys, options in [
    (2, 2, 3, 4, {}), (4, 2, 3, 5, dict(after=0, offset=2)), (2, 1, 4, 6, dict(before=2, after=1)),
    (2, 2, 2, 3, dict(cap=1.5)), (2, 2, 3, 3, dict(after=0, offset=-1)),
]:
    q, k, v = normal(2, heads, queries, 4), normal(2, shared, keys, 4), normal(2, shared, keys, 3)
    names = {"cap": "soft_cap"}
    text = ", ".join(["scale = 0.5"] + [f"{names.get(key, key)} = {value}" for key, value in options.items()])
    case("attention", text, [q, k, v], attend(q, k, v, scale=0.5, **options), 1e-5)
    if shared == heads:
        for mask in [normal(queries, keys), normal(2, 1, 1, keys) > -0.5]:
            case("attention", text, [q, k, v, mask], attend(q, k, v, mask, scale=0.5, **options), 1e-5)
        mask, sinks = normal(queries, keys), normal(heads)
        case("attention", text, [q, k, v, mask, sinks], attend(q, k, v, mask, sinks, scale=0.5, **options), 1e-5)
    turned = [np.ascontiguousarray(np.swapaxes(t, 1, 2)) for t in (q, k, v)]
    expected = np.swapaxes(attend(q, k, v, scale=0.5, **options), 1, 2)
    case("attention", text + ", sequence_first = true", turned, np.ascontiguousarray(expected), 1e-5)

for interleaved in [False, True]:
    x, angle = normal(2, 3, 4, 6), normal(4, 2)
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = (x[..., 0:4:2], x[..., 1:4:2]) if interleaved else (x[..., :2], x[..., 2:4])
    real, imaginary = a * cos - b * sin, b * cos + a * sin
    parts = np.stack([real, imaginary], -1).reshape(2, 3, 4, 4), np.concatenate([real, imaginary], -1)
    pairs = parts[0 if interleaved else 1]
    case("rope", f"interleaved = {str(interleaved).lower()}", [x, cos, sin], np.concatenate([pairs, x[..., 4:]], -1), 1e-6)

# Transposed convolutions.
for spatial, kernel, c, o, groups, strides, padding, dilations, extra in [
    ((4,), (3,), 4, 3, 1, [2], [1, 0], [1], [1]), ((3, 4), (3, 2), 3, 2, 1, [2, 3], [0, 1, 1, 0], [2, 1], [0, 1]),
    ((3, 3), (2, 2), 4, 2, 2, [1, 2], [0, 0, 0, 0], [1, 1], [0, 0]), ((3, 3), (3, 3), 3, 1, 3, [2, 2], [1, 1, 1, 1], [1, 1], [1, 0]),
    ((2, 3, 2), (2, 1, 3), 2, 2, 1, [2, 1, 1], [0, 0, 0, 0, 0, 1], [1, 1, 1], [0, 0, 0]),
]:
    lists = f"strides = {strides}, padding = {padding}, dilations = {dilations}, extra = {extra}, groups = {groups}"
    x, w, bias = normal(2, *spatial, c), normal(c, *kernel, o), normal(o * groups)
    run = dict(strides=strides, pads=padding, dilations=dilations, output_padding=extra, group=groups)
    case("conv_transpose", lists, [x, w, bias], last(onnx_run("ConvTranspose", [first(x), first(w), bias], **run)), 1e-4)

with open("reference.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(entry) for entry in cases) + "\n]\n")
print(len(cases), "cases")
