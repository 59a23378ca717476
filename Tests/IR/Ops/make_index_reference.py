"""Writes index_reference.json: cases of the ops that index, order and resample, from NumPy and ONNX Runtime.

Run in this folder: python3 make_index_reference.py. The cases are seeded, so that a second run writes the same file.
They have the form of reference.json; "types" are those of all results where there are several, or where an extent is
the symbol s, and "number" says which result is expected.
"""

import json

import numpy as np
import onnx
import onnxruntime
from onnx import helper

random = np.random.default_rng(20250811)
cases = []
NAMES = {np.dtype(kind): name for name, kind in {
    "bool": np.bool_, "i8": np.int8, "u8": np.uint8, "i32": np.int32, "i64": np.int64, "u64": np.uint64,
    "f16": np.float16, "f32": np.float32, "f64": np.float64}.items()}


def describe(array):
    array = np.ascontiguousarray(array)
    return f"{NAMES[array.dtype]}[{', '.join(map(str, np.shape(array)))}]", array.tobytes().hex()


def case(op, attributes, inputs, expected, tolerance=0.0, types=None, number=0):
    operands = ", ".join(f"%{index}" for index in range(len(inputs)))
    described = []
    for array in inputs:
        kind, data = describe(array)
        described.append({"type": kind if np.ndim(array) else kind.split("[")[0] + "[]", "bytes": data})
    result, data = describe(expected)
    entry = {"op": f"{op} {operands}" + (f" {{{attributes}}}" if attributes else ""), "inputs": described,
             "result": result, "expected": data, "tolerance": tolerance}
    if types:
        entry |= {"types": types, "number": number}
    cases.append(entry)


def normal(*shape, dtype=np.float32):
    return random.standard_normal(shape).astype(dtype)


def integers(low, high, *shape, dtype=np.int64):
    return random.integers(low, high, shape).astype(dtype)


def onnx_run(op, inputs, opset=20, outputs=1, **attributes):
    """All results of one ONNX node under ONNX Runtime."""
    names = [f"i{number}" if array is not None else "" for number, array in enumerate(inputs)]
    node = helper.make_node(op, names, [f"o{number}" for number in range(outputs)], **attributes)
    given = {name: array for name, array in zip(names, inputs) if name}
    values = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
              for name, array in given.items()]
    results = [helper.make_value_info(name, onnx.TypeProto()) for name in node.output]
    model = helper.make_model(helper.make_graph([node], "g", values, results),
                              opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    model = onnx.shape_inference.infer_shapes(model)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, given)


def first(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def last(array):
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


# Indexing.
x = normal(3, 4, 5)
for axis, shape in [(0, (2, 4, 5)), (1, (3, 6, 2)), (-1, (1, 4, 7))]:
    indices = integers(-x.shape[axis], x.shape[axis], *shape)
    case("gather_elements", f"axis = {axis}", [x, indices], onnx_run("GatherElements", [x, indices], axis=axis)[0])
    unique = np.argsort(random.random(x.shape), axis=axis)[tuple(slice(0, s) for s in shape)]
    unique = np.take(unique, range(min(shape[axis], x.shape[axis])), axis=axis)
    updates = normal(*unique.shape)
    case("scatter_elements", f"axis = {axis}", [x, unique, updates],
         onnx_run("ScatterElements", [x, unique, updates], axis=axis)[0])
    for reduction in ["add", "mul", "min", "max"]:
        updates = normal(*indices.shape)
        case("scatter_elements", f"axis = {axis}, reduction = {reduction}", [x, indices, updates],
             onnx_run("ScatterElements", [x, indices, updates], axis=axis, reduction=reduction)[0], 1e-5)
for batch, shape, depth in [(0, (4,), 2), (0, (2, 3), 3), (1, (3, 4), 1), (2, (3, 4), 1)]:
    indices = np.stack([integers(-n, n, *shape) for n in x.shape[batch:batch + depth]], axis=-1)
    case("gather_nd", f"batch_dims = {batch}", [x, indices], onnx_run("GatherND", [x, indices], batch_dims=batch)[0])
for depth in [1, 2, 3]:
    indices = np.stack([integers(-n, n, 6) for n in x.shape[:depth]], axis=-1)
    updates = normal(6, *x.shape[depth:])
    for reduction in ["add", "mul", "min", "max"]:
        case("scatter_nd", f"reduction = {reduction}", [x, indices, updates],
             onnx_run("ScatterND", [x, indices, updates], opset=18, reduction=reduction)[0], 1e-5)
for batch, time in [(0, 1), (1, 0)]:
    y = normal(4, 4, 3)
    lengths = np.array([4, 0, 3, 1])
    case("reverse_sequence", f"batch_axis = {batch}, time_axis = {time}", [y, lengths],
         onnx_run("ReverseSequence", [y, lengths], batch_axis=batch, time_axis=time)[0])

# Ordering.
ties = integers(0, 3, 3, 4, 5, dtype=np.int32)
for axis in [0, 1, 2]:
    for name in ["max", "min"]:
        for y in [x, ties]:
            for flag in [0, 1]:
                case("arg_" + name, f"axis = {axis}, last = {str(bool(flag)).lower()}", [y],
                     onnx_run("Arg" + name.title(), [y], axis=axis, select_last_index=flag)[0])
    for exclusive in [0, 1]:
        for reverse in [0, 1]:
            flags = f"axis = {axis}, exclusive = {str(bool(exclusive)).lower()}, reverse = {str(bool(reverse)).lower()}"
            for y in [x, ties]:
                case("cumulative_sum", flags, [y],
                     onnx_run("CumSum", [y, np.array(axis)], exclusive=exclusive, reverse=reverse)[0], 1e-5)
    case("cumulative_prod", f"axis = {axis}", [x], np.cumprod(x.astype(np.float64), axis=axis).astype(np.float32), 1e-6)
    for largest in [0, 1]:
        for y in [x, ties, x.astype(np.float64)]:
            k = y.shape[axis] - 1
            values, places = onnx_run("TopK", [y, np.array([k])], outputs=2, axis=axis, largest=largest)
            types = [describe(values)[0], describe(places)[0]]
            flags = f"axis = {axis}, k = {k}, largest = {str(bool(largest)).lower()}"
            case("top_k", flags, [y], values, types=types, number=0)
            case("top_k", flags, [y], places, types=types, number=1)
for y in [integers(0, 5, 12), integers(-2, 2, 9).astype(np.float32), integers(0, 2, 7, 2)]:
    _, starts, inverse, counts = np.unique(y, return_index=True, return_inverse=True, return_counts=True, axis=0)
    order = np.argsort(starts)
    for flag in [True, False]:
        found = [starts, inverse.reshape(-1), counts] if flag else \
            [starts[order], np.argsort(order)[inverse.reshape(-1)], counts[order]]
        for number, result in enumerate(found):
            case("unique", f"extent = s, sorted = {str(flag).lower()}", [y], result.astype(np.int64),
                 types=["i64[s]", f"i64[{len(y)}]", "i64[s]"], number=number)
for center in [0, 1]:
    for limit, overlap, threshold in [(2, 0.3, 0.2), (20, 0.5, 0.0), (20, 0.05, 0.4)]:
        boxes, scores = random.random((2, 12, 4)).astype(np.float32), random.random((2, 3, 12)).astype(np.float32)
        inputs = [boxes, scores, np.array(limit), np.float32(overlap), np.float32(threshold)]
        given = inputs[:2] + [np.reshape(value, [1]) for value in inputs[2:]]
        case("non_max_suppression", f"extent = s, center = {str(bool(center)).lower()}", inputs,
             onnx_run("NonMaxSuppression", given, center_point_box=center)[0], types=["i64[s, 3]"])

# Images.
image = normal(1, 2, 5, 4)
for mode in ["nearest", "linear", "cubic"]:
    for way in ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"]:
        for size in [(8, 6), (3, 2), (1, 9)]:
            roundings = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] if mode == "nearest" else ["floor"]
            for rounding in roundings:
                for antialias in [0, 1] if mode != "nearest" and way == "half_pixel" else [0]:
                    result = onnx_run("Resize", [image, None, None, np.array((1, 2) + size)], opset=19, mode=mode,
                                      coordinate_transformation_mode=way, nearest_mode=rounding, antialias=antialias)[0]
                    flags = f"shape = {list(result.shape)}, mode = {mode}, coordinates = {way}, rounding = {rounding}"
                    case("resize", flags + (", antialias = true" if antialias else ""), [image], result, 1e-4)
for mode, flag in [("linear", 0), ("cubic", 0), ("cubic", 1)]:
    scales = np.array([1, 1, 1.7, 0.6], dtype=np.float32)
    result = onnx_run("Resize", [image, None, scales], mode=mode, exclude_outside=flag, cubic_coeff_a=-0.5)[0]
    listed = f"f64[4] [{', '.join(repr(float(value)) for value in scales)}]"
    case("resize", f"shape = {list(result.shape)}, scales = {listed}, mode = {mode}, cubic_coefficient = -0.5"
         + (", exclude_outside = true" if flag else ""), [image], result, 1e-4)
for mode in ["nearest", "linear", "cubic"]:
    for padding in ["zeros", "border", "reflection"]:
        for corners in [0, 1]:
            grid = (normal(1, 3, 3, 2) * 1.2).astype(np.float32)
            result = onnx_run("GridSample", [image, grid], mode=mode, padding_mode=padding, align_corners=corners)[0]
            case("grid_sample", f"mode = {mode}, padding = {padding}, align_corners = {str(bool(corners)).lower()}",
                 [last(image), grid], last(result), 1e-4)
boxes = np.array([[0, 0, 3, 4], [1, 0.5, 2, 3.5], [-1, -1, 5, 6]], dtype=np.float32)
for samples in [0, 2]:
    for way in ["half_pixel", "output_half_pixel"]:
        result = onnx_run("RoiAlign", [image, boxes, np.zeros(3, dtype=np.int64)], output_height=2, output_width=3,
                          sampling_ratio=samples, spatial_scale=0.9, coordinate_transformation_mode=way)[0]
        case("region_align", f"size = [2, 3], samples = {samples}, scale = 0.8999999761581421, half_pixel = "
             f"{str(way == 'half_pixel').lower()}", [last(image), boxes, np.zeros(3, dtype=np.int64)], last(result), 1e-4)
columns = normal(1, 2 * 6, 12)
result = onnx_run("Col2Im", [columns, np.array([5, 4]), np.array([2, 3])], pads=[0, 1, 0, 1], strides=[1, 1],
                  dilations=[2, 1])[0]
case("fold", "spatial = [5, 4], window = [2, 3], padding = [0, 1, 0, 1], dilations = [2, 1]", [columns], result, 1e-5)
pooled, places = onnx_run("MaxPool", [image], outputs=2, kernel_shape=[2, 3], strides=[2, 1], pads=[0, 1, 1, 1])
places = places - np.arange(2).reshape(1, 2, 1, 1) * 20
case("max_pool_index", "window = [2, 3], strides = [2, 1], padding = [0, 1, 1, 1]", [last(image)], last(places))
case("iota", "extent = 7", [], np.arange(7))

with open("index_reference.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(entry) for entry in cases) + "\n]\n")
print(len(cases), "cases")
