"""What the families of cases share: element types, random values, ONNX Runtime, and the file of cases.

A case is an op's line (or several lines) of .mir, its inputs, what its results must be, who says so, and a tolerance
by name; CaseFile.swift says what the names mean. The bytes of all tensors lie in one file, each once.
"""
import json
import math

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import helper

TYPES = {
    "bool": np.bool_, "i8": np.int8, "u8": np.uint8, "i16": np.int16, "u16": np.uint16, "i32": np.int32,
    "u32": np.uint32, "i64": np.int64, "u64": np.uint64, "f16": np.float16, "f32": np.float32, "f64": np.float64,
    "bf16": ml_dtypes.bfloat16, "f8e4m3fn": ml_dtypes.float8_e4m3fn, "f8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "f8e5m2": ml_dtypes.float8_e5m2, "f8e5m2fnuz": ml_dtypes.float8_e5m2fnuz, "f8e8m0": ml_dtypes.float8_e8m0fnu,
    "f4e2m1": ml_dtypes.float4_e2m1fn, "i4": ml_dtypes.int4, "u4": ml_dtypes.uint4, "i2": ml_dtypes.int2,
    "u2": ml_dtypes.uint2,
}
TYPES = {name: np.dtype(kind) for name, kind in TYPES.items()}
NAMES = {kind: name for name, kind in TYPES.items()}
BITS = {name: kind.itemsize * 8 for name, kind in TYPES.items()} | {"f4e2m1": 4, "i4": 4, "u4": 4, "i2": 2, "u2": 2}
FLOATS = ["f16", "bf16", "f32", "f64"]
INTEGERS = ["i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"]
NARROW = ["i2", "u2", "i4", "u4"]
EIGHTH = ["f8e4m3fn", "f8e4m3fnuz", "f8e5m2", "f8e5m2fnuz"]
EVERY = ["bool"] + NARROW + INTEGERS + EIGHTH + ["f4e2m1"] + FLOATS


class Random:
    """Seeded anew for each family, so that a change to one leaves the others alone."""

    def __init__(self, seed):
        self.source = np.random.default_rng(seed)

    def normal(self, *shape, dtype="f32", scale=1.0):
        return np.asarray(self.source.standard_normal(shape) * scale).astype(TYPES[dtype])

    def number(self, low, high):
        """From low to high, both possible."""
        return int(self.source.integers(low, high + 1))

    def integers(self, low, high, *shape, dtype="i64"):
        return np.asarray(self.source.integers(low, high + 1, shape)).astype(TYPES[dtype])

    def chance(self, probability=0.5):
        return bool(self.source.random() < probability)

    def pick(self, options):
        return options[self.number(0, len(options) - 1)]

    def permutation(self, count):
        return [int(place) for place in self.source.permutation(count)]

    def values(self, kind, shape, scale=3.0):
        """Of any type: floats around zero, integers over all of their range."""
        kind = NAMES[np.dtype(kind)] if not isinstance(kind, str) else kind
        if kind == "bool":
            return self.source.random(shape) < 0.5
        if kind[0] in "fb":
            return np.asarray(self.source.standard_normal(shape) * scale).astype(TYPES[kind])
        return wrapped(self.source.integers(-2**63, 2**63 - 1, shape), kind)

    def shape(self, rank=None, low=0, limit=60):
        """Extents of 0, 1 and odd ones, at most `limit` elements."""
        rank = self.number(0, 4) if rank is None else rank
        result = []
        for _ in range(rank):
            extent = self.pick([1, 2, 3, 3, 4, 5, 7] + [0] * (low == 0 and self.chance(0.3)))
            result.append(extent if math.prod(result) * extent <= limit else 1)
        return tuple(result)

    def partner(self, shape):
        """A shape that broadcasts with `shape`."""
        kept = [extent if self.chance(0.7) else 1 for extent in shape]
        return tuple(kept[self.number(0, len(kept)) if kept and self.chance(0.4) else 0:])


def wrapped(numbers, kind):
    """Integers modulo two to the width of the type."""
    width, signed = BITS[kind], kind.startswith("i")
    kept = [int(number) & ((1 << width) - 1) for number in np.ravel(numbers)]
    kept = [number - (1 << width) if signed and number >> (width - 1) else number for number in kept]
    first = np.array(kept, dtype=np.uint64 if kind == "u64" else np.int64)
    return first.astype(np.int8).astype(TYPES[kind]).reshape(np.shape(numbers)) if width < 8 \
        else first.astype(TYPES[kind]).reshape(np.shape(numbers))


def limits(kind):
    width = BITS[kind]
    return (-(1 << (width - 1)), (1 << (width - 1)) - 1) if kind.startswith("i") else (0, (1 << width) - 1)


def packed(array):
    """The bytes of a tensor: two or four small elements a byte, the first in the lowest bits."""
    bits = BITS[NAMES[array.dtype]]
    data = np.ascontiguousarray(array).tobytes()
    if bits == 8 or bits > 8:
        return data
    each = 8 // bits
    data = [byte & ((1 << bits) - 1) for byte in data] + [0] * (-len(data) % each)
    return bytes(sum(data[i + j] << (bits * j) for j in range(each)) for i in range(0, len(data), each))


def type_of(array):
    return f"{NAMES[array.dtype]}[{', '.join(map(str, array.shape))}]"


def flags(**attributes):
    """Attributes as .mir spells them; what is None is left out."""
    def text(value):
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(f'"{item}"' if isinstance(item, str) else str(item) for item in value) + "]"
        return str(value)
    return ", ".join(f"{key} = {text(value)}" for key, value in attributes.items() if value is not None)


class Cases:
    def __init__(self):
        self.items, self.data, self.places = [], bytearray(), {}

    def _tensor(self, array):
        data = packed(array)
        if data not in self.places:
            self.places[data] = len(self.data)
            self.data += data
        return f"{type_of(array)}@{self.places[data]}"

    def body(self, lines, inputs, results, tolerance="exact", peer="numpy", declarations="", types=None):
        """`results` are pairs of a value's name and what it must hold; `types` override those of inputs."""
        entry = {"body": lines, "peer": peer, "tolerance": tolerance}
        entry["inputs"] = [self._tensor(np.asarray(array)) for array in inputs]
        entry["results"] = [f"{name} {self._tensor(np.asarray(array))}" for name, array in results]
        if types:
            entry["types"] = types
        if declarations:
            entry["declarations"] = declarations
        self.items.append(entry)

    def op(self, op, attributes, inputs, results, tolerance="exact", peer="numpy", types=None, argument_types=None):
        """One op; None among the inputs is an operand left out, None among the results one that is not looked at."""
        results = results if isinstance(results, list) else [results]
        operands, given = [], []
        for array in inputs:
            operands.append("_" if array is None else f"%{len(given)}")
            if array is not None:
                given.append(array)
        while operands and operands[-1] == "_":
            operands.pop()
        results = [None if result is None else np.asarray(result) for result in results]
        types = types or [type_of(result) for result in results]
        names = ", ".join(f"%r{number}" for number in range(len(types)))
        line = f"{names} = {op} {', '.join(operands)}".rstrip() + (f" {{{attributes}}}" if attributes else "")
        wanted = [(f"r{number}", result) for number, result in enumerate(results) if result is not None]
        self.body(f"{line} : {', '.join(types)}", given, wanted, tolerance, peer, types=argument_types)

    def write(self, folder):
        seen, kept = set(), []
        for entry in self.items:
            text = json.dumps(entry, separators=(",", ":"))
            if text not in seen:
                seen.add(text)
                kept.append(text)
        (folder / "cases.json").write_text("[\n" + ",\n".join(kept) + "\n]\n")
        (folder / "cases.bin").write_bytes(bytes(self.data))
        return len(kept)


cases = Cases()


def onnx_model(op, inputs, outputs=1, opset=21, domain="", **attributes):
    names = [f"i{number}" if array is not None else "" for number, array in enumerate(inputs)]
    node = helper.make_node(op, names, [f"o{number}" for number in range(outputs)], domain=domain, **attributes)
    given = {name: np.asarray(array) for name, array in zip(names, inputs) if name}
    values = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
              for name, array in given.items()]
    results = [helper.make_value_info(name, onnx.TypeProto()) for name in node.output]
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    model = helper.make_model(helper.make_graph([node], "g", values, results), opset_imports=imports, ir_version=10)
    return onnx.shape_inference.infer_shapes(model), given


options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
options.intra_op_num_threads = 1
options.log_severity_level = 4


def runtime(op, inputs, **settings):
    """All results of one ONNX node under ONNX Runtime."""
    model, given = onnx_model(op, inputs, **settings)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, given)


def evaluator(op, inputs, **settings):
    """All results of one ONNX node under ONNX's own reference evaluator."""
    from onnx.reference import ReferenceEvaluator
    model, given = onnx_model(op, inputs, **settings)
    return ReferenceEvaluator(model).run(None, given)


def wide(array):
    return np.asarray(array).astype(np.float64)


def rounded(array, kind):
    """From f64 to the type, rounding once: ml_dtypes goes through f32 on its own way, so odd bits are kept."""
    array = wide(array)
    target = TYPES[kind] if isinstance(kind, str) else np.dtype(kind)
    if target.itemsize >= 4 or target == np.float16:
        return array.astype(target)
    with np.errstate(all="ignore"):
        near = array.astype(np.float32)
        # Round to odd in f32, then to the type: as good as rounding once.
        low = np.where(np.abs(near.astype(np.float64)) > np.abs(array), np.nextafter(near, np.float32(0)), near)
        odd = (low.astype(np.float64) != array) & np.isfinite(array)
        bits = np.asarray(low, dtype=np.float32).view(np.uint32) | odd.astype(np.uint32)
    return bits.view(np.float32).astype(target)


def first(array):
    """Channels from last to second."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def last(array):
    """Channels from second to last."""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))
