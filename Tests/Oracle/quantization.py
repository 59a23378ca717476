"""Quantization: ONNX Runtime, ONNX's evaluator, gguf's unpacking of blocks, NumPy."""
import gguf
import ml_dtypes
import numpy as np

from oracle import EIGHTH, TYPES, Random, cases, flags, limits, rounded, runtime, wide, wrapped

WHOLE = ["i2", "u2", "i4", "u4", "i8", "u8", "i16", "u16", "i32", "u32"]


def quantize(random):
    for number, kind in enumerate(WHOLE * 3):
        low, high = limits(kind)
        rows = number % 2 == 1
        x = random.normal(*random.shape(random.number(1, 3), low=1), scale=min(high, 40))
        axis = random.number(-x.ndim, x.ndim - 1)
        scale = np.abs(random.normal(*([x.shape[axis]] if rows else []))) + np.float32(0.1)
        zero = random.integers(max(low, -9), min(high, 9), *np.shape(scale), dtype="i64")
        zero = wrapped(zero, kind) if number % 3 else None
        x.reshape(-1)[:2] = np.array([2.5, -1.5], np.float32)[:x.size] * scale.reshape(-1)[0]
        spread = scale if not rows else scale.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
        addend = 0 if zero is None else np.asarray(zero).astype(np.int64)
        if rows and zero is not None:
            addend = addend.reshape(spread.shape)
        quotient = x / spread
        for rounding, function in [("nearest_even", np.rint), ("tflite", lambda v: np.trunc(v + np.copysign(0.5, v)))]:
            result = wrapped(np.clip(function(wide(quotient)) + addend, low, high).astype(np.int64), kind)
            cases.op("quantize", flags(to=kind, axis=axis, rounding=rounding), [x, scale, zero], result)
        if kind in ("i8", "u8", "i16", "u16") and zero is not None:
            result = runtime("QuantizeLinear", [x, scale, zero], axis=axis)[0]
            cases.op("quantize", flags(to=kind, axis=axis), [x, scale, zero], result, peer="onnxruntime")
    for kind in EIGHTH:
        for scale in [np.float32(0.5), np.float32(0.01)]:
            x = random.normal(3, 5, scale=4)
            top = float(ml_dtypes.finfo(TYPES[kind]).max)
            result = rounded(np.clip(wide(x / scale), -top, top), kind)
            cases.op("quantize", flags(to=kind), [x, scale, np.zeros((), TYPES[kind])], result)
    for kind in ["f16", "bf16", "f64"]:
        x, scale = random.normal(3, 7, dtype=kind, scale=20), np.float32(0.375)
        units = np.rint((wide(x) / scale).astype(np.float32))
        cases.op("quantize", flags(to="i8"), [x, scale], np.clip(units, -128, 127).astype(np.int8))
    declarations = "quantization !q = {scales = [0.5, 0.25, 2.0], zero_points = [0, 10, 3], axis = 1}"
    x, scales, zeros = random.normal(4, 3, scale=5), np.array([0.5, 0.25, 2], np.float32), np.array([0, 10, 3])
    stored = np.clip(np.rint(x / scales) + zeros, 0, 255).astype(np.uint8)
    cases.body("%q = quantize %0 {to = u8<!q>} : u8<!q>[4, 3]\n%r0 = dequantize %q : f32[4, 3]", [x],
               [("r0", (stored.astype(np.float32) - zeros.astype(np.float32)) * scales)], declarations=declarations)


def dequantize(random):
    for number, kind in enumerate((WHOLE + EIGHTH) * 2):
        rows = number % 2 == 0
        shape = random.shape(random.number(1, 3), low=number % 3)
        q = random.values(kind, shape)
        if kind in ("i32", "u32"):
            q = wrapped(np.asarray(q).astype(np.int64) >> 8 if kind == "i32" else np.asarray(q).astype(np.int64) >> 9, kind)
        axis = random.number(-q.ndim, q.ndim - 1)
        scale = np.abs(random.normal(*([q.shape[axis]] if rows else []))) + np.float32(0.05)
        low, high = (-9, 9) if kind in EIGHTH else limits(kind)
        zero = None
        if number % 3 and kind not in EIGHTH:
            zero = wrapped(random.integers(max(low, -9), min(high, 9), *np.shape(scale)), kind)
        reach = [-1 if i == axis % q.ndim else 1 for i in range(q.ndim)] if rows else []
        addend = 0 if zero is None else wide(zero).reshape(reach) if rows else wide(zero)
        exact = (wide(q) - addend) * (wide(scale).reshape(reach) if rows else wide(scale))
        cases.op("dequantize", flags(to="f32", axis=axis), [q, scale, zero], exact.astype(np.float32), "rounded")
        half = scale.astype(np.float16)
        exact = (wide(q) - addend) * (wide(half).reshape(reach) if rows else wide(half))
        if np.abs(exact).max(initial=0) < 6e4:
            cases.op("dequantize", flags(to="f16", axis=axis), [q, half, zero], exact.astype(np.float16), "rounded")
        if kind in ("i8", "u8", "i16", "u16", "i32") and kind != "i32" and zero is not None:
            result = runtime("DequantizeLinear", [q, scale, zero], axis=axis)[0]
            cases.op("dequantize", flags(axis=axis), [q, scale, zero], result, "rounded", "onnxruntime")


def blocks(random):
    for name, kind, size in [("q8_0", gguf.GGMLQuantizationType.Q8_0, 34), ("q4_0", gguf.GGMLQuantizationType.Q4_0, 18)]:
        for rows, each in [(3, 1), (2, 3), (1, 2)]:
            data = random.integers(0, 255, rows, each, size, dtype="u8")
            data[..., :2] = np.abs(random.normal(rows, each, dtype="f16"))[..., None].view(np.uint8)
            data = data.reshape(rows, -1)
            result = gguf.quants.dequantize(data, kind).astype(np.float32)
            cases.op("dequantize", "", [data], result, peer="gguf", argument_types=[f"{name}[{rows}, {each * 32}]"])
            which = np.array([rows - 1, 0, -1])
            cases.body(f"%g = gather %0, %1 : {name}[3, {each * 32}]\n%r0 = dequantize %g : f32[3, {each * 32}]",
                       [data, which], [("r0", result[which])], peer="gguf",
                       types=[f"{name}[{rows}, {each * 32}]", "i64[3]"])


def fake(random):
    for number in range(24):
        bits, signed, narrow = random.pick([2, 4, 8, 8, 16]), bool(number % 2), bool(number % 3 == 0)
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        low += narrow
        kind = ["f32", "bf16", "f16", "f64"][number % 4]
        x = random.normal(*random.shape(random.number(1, 3), low=1), scale=10, dtype=kind)
        axis, rows = random.number(-x.ndim, x.ndim - 1), number % 4 < 2
        scale = np.abs(random.normal(*([x.shape[axis]] if rows else []), dtype=kind)) + TYPES[kind].type(0.25)
        zero = wrapped(random.integers(max(low, -5), min(high, 5), *np.shape(scale)), "i32") if number % 5 else None
        reach = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)] if rows else []
        addend = 0 if zero is None else wide(zero).reshape(reach)
        spread = wide(scale).reshape(reach)
        quotient = wide((wide(x) / spread).astype(np.float32))
        rounding = random.pick(["nearest_even", "tflite"])
        near = np.rint(quotient) if rounding == "nearest_even" else np.trunc(quotient + np.copysign(0.5, quotient))
        result = (np.clip(near + addend, low, high) - addend) * spread
        text = flags(bits=bits, signed=signed, narrow=narrow, axis=axis, rounding=rounding)
        cases.op("fake_quant", text, [x, scale, zero], rounded(result, kind), "rounded")


def make():
    random = Random(110)
    for family in [quantize, dequantize, blocks, fake]:
        family(random)
