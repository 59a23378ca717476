"""Make the cases of the ONNX frontend's tests: tiny models, inputs, and what onnxruntime computes.

    python3 make_cases.py

Writes Cases/<name>.onnx and Cases/<name>.npz (`in:<input>`, `out:<output>`). Needs numpy, onnx and onnxruntime.
"""
import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

FOLDER = pathlib.Path(__file__).parent / "Cases"
random = np.random.default_rng(7)


def floats(*shape):
    return random.standard_normal(shape, dtype=np.float32)


def info(name, array, dims=None):
    return h.make_tensor_value_info(name, h.np_dtype_to_tensor_dtype(array.dtype), dims or list(array.shape))


def case(name, nodes, inputs, outputs, constants=None, opset=17, dims=None, ir=8, domains=(), peer="onnxruntime"):
    """`dims` gives declared shapes, with names, of inputs whose extents stay open; a domain may come with its version.
    The peer "onnx" is the format's own evaluator, for what onnxruntime lacks."""
    dims = dims or {}
    inputs = {key: np.asarray(value) for key, value in inputs.items()}
    constants = {key: np.asarray(value) for key, value in (constants or {}).items()}
    graph = h.make_graph(
        nodes, name, [info(key, value, dims.get(key)) for key, value in inputs.items()],
        [h.make_empty_tensor_value_info(key) for key in outputs],
        [numpy_helper.from_array(value, key) for key, value in constants.items()])
    versions = [domain if isinstance(domain, tuple) else (domain, 1) for domain in domains]
    imports = [h.make_opsetid("", opset)] + [h.make_opsetid(*version) for version in versions]
    model = h.make_model(graph, opset_imports=imports, ir_version=ir)
    if peer == "onnx":
        results = ReferenceEvaluator(model).run(list(outputs), inputs)
        # It computes some attributes with Python's floats.
        results = [value.astype(np.float32) if value.dtype == np.float64 else value for value in results]
        return record(name, model, inputs, outputs, results)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    record(name, model, inputs, outputs, session.run(list(outputs), inputs))


def record(name, model, inputs, outputs, results):
    (FOLDER / f"{name}.onnx").write_bytes(model.SerializeToString())
    arrays = {f"in:{key}": value for key, value in inputs.items()}
    arrays |= {f"out:{key}": np.asarray(value) for key, value in zip(outputs, results)}
    np.savez(FOLDER / f"{name}.npz", **arrays)


def node(kind, inputs, outputs, **attributes):
    return h.make_node(kind, inputs.split(), outputs.split(), **attributes)


def i64(*values):
    return np.array(values, dtype=np.int64)


def images():
    x = floats(2, 4, 9, 8)
    for mode in ["SAME_UPPER", "SAME_LOWER", "VALID"]:
        case(f"conv_{mode.lower()}", [node("Conv", "x w b", "y", auto_pad=mode, strides=[2, 2])], {"x": x}, ["y"],
             {"w": floats(6, 4, 3, 3), "b": floats(6)})
    case("conv_groups_dilations", [
        node("Conv", "x w", "c", group=2, dilations=[2, 1], pads=[2, 1, 0, 1]), node("Relu", "c", "y")], {"x": x},
        ["y"], {"w": floats(6, 2, 3, 3)})
    case("conv_depthwise_open", [node("Conv", "x w b", "y", group=4, pads=[1, 1, 1, 1])], {"x": x}, ["y"],
         {"w": floats(4, 1, 3, 3), "b": floats(4)}, dims={"x": ["batch", 4, "height", "width"]})
    case("conv_1d", [node("Conv", "x w", "y", strides=[2], pads=[1, 2])], {"x": floats(1, 3, 11)}, ["y"],
         {"w": floats(5, 3, 4)})
    case("conv_3d", [node("Conv", "x w", "y", pads=[1, 0, 1, 0, 1, 1])], {"x": floats(1, 2, 4, 5, 6)}, ["y"],
         {"w": floats(3, 2, 2, 3, 2)})
    case("pools", [
        node("MaxPool", "x", "a", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
        node("AveragePool", "x", "b", kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1]),
        node("AveragePool", "x", "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
        node("MaxPool", "x", "d", kernel_shape=[2, 2], dilations=[2, 2], pads=[1, 0, 1, 1]),
        node("MaxPool", "x", "g", kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER"),
        node("GlobalAveragePool", "x", "e"), node("GlobalMaxPool", "x", "f")], {"x": x}, list("abcdefg"))
    case("batch_normalization", [node("BatchNormalization", "x s b m v", "y", epsilon=1e-3)], {"x": x}, ["y"],
         {"s": floats(4), "b": floats(4), "m": floats(4), "v": np.abs(floats(4)) + 0.1})
    case("lrn", [node("LRN", "x", "y", size=3, alpha=0.1, beta=0.6, bias=1.5)], {"x": x}, ["y"])


def matrices():
    case("gemm", [
        node("Gemm", "a b c", "x", transA=1, transB=1, alpha=0.5, beta=2.0), node("Gemm", "a d e", "y", transA=1)],
        {"a": floats(4, 3)}, ["x", "y"],
        {"b": floats(5, 4), "c": floats(3, 1), "d": floats(4, 5), "e": floats(5)})
    case("matmul_ranks", [
        node("MatMul", "a b", "x"), node("MatMul", "a v", "y"), node("MatMul", "v c", "z"), node("MatMul", "v v", "w")],
        {"a": floats(2, 1, 3, 4), "b": floats(5, 4, 2), "v": floats(4), "c": floats(4, 6)}, list("xyzw"))
    x, y = random.integers(0, 256, (3, 6), np.uint8), random.integers(-128, 128, (6, 4), np.int8)
    case("matmul_integer", [node("MatMulInteger", "a b za zb", "x"), node("MatMulInteger", "a u za zu", "y")],
         {"a": x}, ["x", "y"], {
             "b": y, "za": np.uint8(117), "zb": np.array([0, 3, -5, 7], np.int8),
             "u": random.integers(0, 256, (6, 4), np.uint8), "zu": np.uint8(128)})


def quantized():
    x = random.integers(0, 256, (1, 3, 6, 5), np.uint8)
    w = random.integers(-127, 128, (4, 3, 3, 3), np.int8)
    case("conv_integer", [node("ConvInteger", "x w zx", "y", pads=[1, 1, 1, 1]),
                          node("ConvInteger", "x u zx zu", "z", pads=[1, 0, 1, 2], strides=[2, 1])],
         {"x": x}, ["y", "z"], {"w": w, "zx": np.uint8(113), "zu": np.uint8(120),
                                "u": random.integers(0, 256, (4, 3, 3, 3), np.uint8)})
    case("qlinear_conv", [node("QLinearConv", "x xs xz w ws wz ys yz b", "y", pads=[1, 1, 1, 1])], {"x": x}, ["y"], {
        "xs": np.float32(0.02), "xz": np.uint8(120), "w": w, "ws": np.array([0.01, 0.02, 0.015, 0.03], np.float32),
        "wz": np.zeros(4, np.int8), "ys": np.float32(0.1), "yz": np.uint8(128),
        "b": np.array([100, -2000, 0, 900], np.int32)})
    a, b = random.integers(0, 256, (2, 3, 6), np.uint8), random.integers(-128, 128, (6, 4), np.int8)
    case("qlinear_matmul", [node("QLinearMatMul", "a as az b bs bz ys yz", "y")], {"a": a}, ["y"], {
        "as": np.float32(0.01), "az": np.uint8(99), "b": b, "bs": np.float32(0.02), "bz": np.int8(2),
        "ys": np.float32(0.05), "yz": np.uint8(130)})
    case("quantize_dequantize", [
        node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y"),
        node("QuantizeLinear", "x t", "p"), node("DequantizeLinear", "w ws wz", "v", axis=0),
        node("MatMul", "y v", "m"), node("QuantizeLinear", "x cs cz", "r", axis=1)], {"x": floats(5, 4)},
        ["y", "p", "m", "r"], {
            "s": np.float32(0.03), "z": np.int8(-4), "t": np.float32(0.01), "w": random.integers(-127, 128, (4, 3), np.int8),
            "ws": np.array([0.1, 0.2, 0.3, 0.4], np.float32), "wz": np.zeros(4, np.int8),
            "cs": np.array([0.02, 0.03, 0.04, 0.05], np.float32), "cz": np.array([1, 2, 3, 4], np.uint8)})
    case("dynamic_quantize", [node("DynamicQuantizeLinear", "x", "q s z")], {"x": floats(4, 5)}, list("qsz"))


def shapes():
    x = floats(2, 3, 4)
    case("reshapes", [
        node("Reshape", "x a", "y"), node("Flatten", "x", "f", axis=2), node("Transpose", "x", "t"),
        node("Shape", "x", "s", start=1), node("Size", "x", "n"), node("Unsqueeze", "x b", "u"),
        node("Squeeze", "u", "v")], {"x": x}, list("yftsnv"), {"a": i64(0, -1), "b": i64(0, -1)},
        dims={"x": ["n", 3, "m"]})
    case("computed_reshape", [
        node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Mul", "n two", "m"), node("Unsqueeze", "m ax", "r"),
        node("Concat", "r minus", "shape", axis=0), node("Reshape", "x shape", "y")], {"x": x}, ["y"],
        {"zero": i64(0)[0], "two": i64(2)[0], "ax": i64(0), "minus": i64(-1)}, dims={"x": ["n", 3, 4]})
    case("runtime_shapes", [
        node("Reshape", "x shape", "a"), node("Expand", "c to", "b"), node("Slice", "x first last axes", "d"),
        node("ConstantOfShape", "to", "e"), node("Tile", "x times", "f")],
        {"x": x, "shape": i64(4, -1), "to": i64(3, 5), "first": i64(-3, 1), "last": i64(9, 3), "times": i64(1, 2, 3)},
        list("abdef"), {"c": floats(3, 1), "axes": i64(1, 2)})
    case("slices", [
        node("Slice", "x a b c d", "y"), node("Slice", "x e f", "z"), node("Split", "x parts", "p q", axis=2),
        node("Concat", "q p", "r", axis=-1)], {"x": x}, list("yzr"), {
            "a": i64(-1, 3), "b": i64(-(2**63), 0), "c": i64(0, 2), "d": i64(-1, -2), "e": i64(0, 1),
            "f": i64(2**63 - 1, -1), "parts": i64(1, 3)})
    case("gathers", [
        node("Gather", "x i", "y", axis=1), node("GatherElements", "x j", "z", axis=2), node("GatherND", "x k", "w")],
        {"x": x, "j": random.integers(-4, 4, (2, 3, 2))}, list("yzw"),
        {"i": i64(2, -1, 0, 1).reshape(2, 2), "k": i64(0, 2, 1, -1).reshape(2, 2)})
    case("pads", [
        node("Pad", "x p v", "a"), node("Pad", "x p", "b", mode="edge"), node("Pad", "x r", "c", mode="reflect")],
        {"x": x}, list("abc"), {"p": i64(0, 1, 2, 1, 0, -1), "v": np.float32(1.5), "r": i64(0, 2, 1, 1, 0, 3)})
    case("ranges", [
        node("Range", "a n two", "x"), node("NonZero", "m", "y"), node("ConstantOfShape", "s", "z"),
        node("Range", "f g h", "w")],
        {"n": np.int64(9), "m": np.array([[1, 0, 2], [0, 0, 3]], np.float32), "g": np.float32(2.1)}, list("xyzw"),
        {"a": np.int64(1), "two": np.int64(2), "s": i64(2, 3), "f": np.float32(0.5), "h": np.float32(0.25)})


def elements():
    x = np.array([-3.5, -2.5, -1, -0.1, 0, 0.1, 0.5, 1, 1.5, 8], np.float32)
    kinds = ["Relu", "LeakyRelu", "Sigmoid", "Tanh", "Erf", "Exp", "Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Sin",
             "Cos", "HardSigmoid", "HardSwish", "Softplus", "Softsign", "Elu", "Selu", "Celu", "ThresholdedRelu", "Mish"]
    case("unary", [node(kind, "x", f"y{kind}") for kind in kinds], {"x": x}, [f"y{kind}" for kind in kinds], opset=18)
    case("gelu", [node("Gelu", "x", "a"), node("Gelu", "x", "b", approximate="tanh")], {"x": x}, ["a", "b"], opset=20)
    i, j = np.array([-7, 7, 5, -8, 3], np.int64), np.array([3, -3, 2, -5, 4], np.int64)
    case("integers", [
        node("Div", "i j", "a"), node("Mod", "i j", "b"), node("Mod", "i j", "c", fmod=1), node("Pow", "i two", "d"),
        node("Min", "i j two", "e"), node("Max", "i j", "f"), node("Less", "i j", "g"), node("Where", "g i j", "h"),
        node("GreaterOrEqual", "i j", "k"), node("Xor", "g k", "l"), node("Not", "l", "m"), node("Cast", "i", "n", to=T.UINT8),
        node("Mod", "x y", "o", fmod=1)],
        {"i": i, "j": j, "x": np.array([-7.5, 7.5, 5, -8, 3], np.float32)}, list("abcdefghklmno"),
        {"two": np.int64(2), "y": np.array([3, -3, 2.25, -5, 4], np.float32)})
    case("clips", [h.make_node("Clip", ["x", "lo", "hi"], ["a"]), h.make_node("Clip", ["x", "", "hi"], ["b"])],
         {"x": x}, ["a", "b"], {"lo": np.float32(-1), "hi": np.float32(0.75)})
    case("clip_attributes", [node("Clip", "x", "y", min=-1.0, max=1.0)], {"x": x}, ["y"], opset=10, ir=5)


def reductions():
    x = floats(2, 3, 4)
    kinds = ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL1", "ReduceL2",
             "ReduceLogSumExp"]
    case("reductions", [node(kind, "x", f"y{kind}", axes=[0, -1], keepdims=number % 2) for number, kind in enumerate(kinds)],
         {"x": x}, [f"y{kind}" for kind in kinds], opset=13)
    case("reductions_by_input", [node("ReduceSum", "x a", "y", keepdims=0), node("ReduceMean", "x a", "z"),
                                 node("ReduceSum", "x", "w"), node("ReduceMax", "x b", "v", keepdims=0)],
         {"x": x, "b": i64(-1)}, list("yzwv"), {"a": i64(1)}, opset=18)
    case("softmax", [node("Softmax", "x", "a"), node("LogSoftmax", "x", "b", axis=1)], {"x": x * 4}, ["a", "b"])
    case("softmax_flat", [node("Softmax", "x", "a"), node("LogSoftmax", "x", "b", axis=2)], {"x": x}, ["a", "b"], opset=11)
    case("layer_normalization", [node("LayerNormalization", "x s b", "y", axis=-2)], {"x": x}, ["y"],
         {"s": floats(3, 4), "b": floats(3, 4)})
    case("indices", [node("ArgMax", "x", "a", axis=1), node("ArgMin", "x", "b", axis=2, keepdims=0),
                     node("Trilu", "m", "c", upper=0)], {"x": x, "m": floats(3, 3)}, list("abc"))


def control():
    then = h.make_graph([node("Add", "x one", "t")], "then", [], [h.make_empty_tensor_value_info("t")])
    other = h.make_graph([node("Concat", "x x", "e", axis=0)], "else", [], [h.make_empty_tensor_value_info("e")])
    for flag in [True, False]:
        case(f"if_{str(flag).lower()}", [h.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
                                         node("Mul", "y one", "z")],
             {"c": np.array(flag), "x": floats(3)}, ["z"], {"one": np.ones(1, np.float32)})
    body = h.make_graph([
        node("Add", "s x", "n"), node("ReduceSum", "n", "total", keepdims=0), node("Less", "total limit", "go"),
        node("Identity", "n", "copy")], "body",
        [h.make_tensor_value_info("i", T.INT64, []), h.make_tensor_value_info("c", T.BOOL, []),
         h.make_tensor_value_info("s", T.FLOAT, [3])],
        [h.make_tensor_value_info("go", T.BOOL, []), h.make_tensor_value_info("n", T.FLOAT, [3]),
         h.make_tensor_value_info("copy", T.FLOAT, [3])])
    case("loop", [h.make_node("Loop", ["trip", "", "start"], ["last", "all"], body=body)],
         {"x": np.array([1, 2, 3], np.float32), "trip": np.int64(9)}, ["last", "all"],
         {"start": np.zeros(3, np.float32), "limit": np.float32(30)})
    case("sequence", [node("SequenceConstruct", "a b", "s"), node("SequenceAt", "s i", "y"), node("SequenceLength", "s", "n")],
         {"a": floats(3), "b": floats(3), "i": np.int64(-1)}, ["y", "n"])


def placed():
    own = np.random.default_rng(11)
    x = own.standard_normal((3, 4, 5), dtype=np.float32)
    case("scatters", [
        node("ScatterElements", "x i u", "a", axis=1), node("ScatterND", "x j v", "b"),
        node("ScatterElements", "x k u", "c", axis=-1, reduction="add"), node("OneHot", "h depth values", "d", axis=0),
        node("Compress", "x mask", "e", axis=1), node("ReverseSequence", "x lengths", "f", batch_axis=0, time_axis=1)],
        {"x": x, "u": own.standard_normal((2, 1, 3), dtype=np.float32), "k": own.integers(-5, 5, (2, 1, 3)),
         "mask": np.array([True, False, True])}, list("abcdef"),
        {"i": i64(0, 3, -1, 2, 1, 1).reshape(2, 1, 3), "j": i64(0, 2, 2, -1).reshape(2, 2),
         "v": own.standard_normal((2, 5), dtype=np.float32), "h": i64(2, 0, -1, 7), "depth": np.int64(4),
         "values": np.array([-1, 1], np.float32), "lengths": i64(4, 0, 3)}, opset=18)
    case("orders", [
        node("TopK", "x k", "a b", axis=2), node("TopK", "x two", "c d", axis=0, largest=0),
        node("CumSum", "x axis", "e", exclusive=1, reverse=1), node("Unique", "n", "f g h i", sorted=0),
        node("Unique", "n", "j", axis=1)],
        {"x": x, "k": i64(3), "n": own.integers(0, 2, (3, 6)).astype(np.float32)}, list("abcdefghij"),
        {"two": i64(2), "axis": np.int64(1)})
    boxes, scores = own.random((2, 9, 4), dtype=np.float32), own.random((2, 3, 9), dtype=np.float32)
    case("boxes", [node("NonMaxSuppression", "b s most overlap least", "y"),
                   node("NonMaxSuppression", "b s most", "z", center_point_box=1)], {"b": boxes, "s": scores}, list("yz"),
         {"most": i64(3), "overlap": np.array([0.2], np.float32), "least": np.array([0.3], np.float32)})
    image = own.standard_normal((1, 2, 5, 4), dtype=np.float32)
    case("resizes", [
        node("Resize", "x none scales", "a", mode="linear"),
        node("Resize", "x none none sizes", "b", mode="cubic", antialias=1),
        node("Resize", "x none none given", "c", mode="nearest", coordinate_transformation_mode="align_corners"),
        node("Resize", "x none none both", "d", mode="linear", axes=[3, 2], keep_aspect_ratio_policy="not_larger")],
        {"x": image, "given": i64(1, 2, 4, 9)}, list("abcd"),
        {"none": np.zeros(0, np.float32), "scales": np.array([1, 1, 1.5, 0.6], np.float32), "sizes": i64(1, 2, 3, 2),
         "both": i64(8, 7)}, opset=18, dims={"x": [1, 2, "height", "width"]})
    case("samples", [
        node("GridSample", "x g", "a", mode="bilinear", padding_mode="border"),
        node("RoiAlign", "x rois batch", "b", output_height=2, output_width=2, sampling_ratio=2),
        node("MaxPool", "even", "p q", kernel_shape=[2, 2], strides=[2, 2]),
        node("MaxUnpool", "p q", "c", kernel_shape=[2, 2], strides=[2, 2]),
        node("Col2Im", "columns extents block", "d", pads=[1, 0, 1, 0]), node("CenterCropPad", "x shape", "e", axes=[2, 3])],
        {"x": image, "even": own.standard_normal((1, 2, 4, 6), dtype=np.float32), "g": own.standard_normal((1, 3, 3, 2), dtype=np.float32),
         "columns": own.standard_normal((1, 8, 12), dtype=np.float32)}, list("apqbcde"),
        {"rois": np.array([[0, 0, 3, 4], [1, 1, 2.5, 3]], np.float32), "batch": i64(0, 0), "extents": i64(3, 4),
         "block": i64(2, 2), "shape": i64(3, 7)}, opset=18)


def blocks():
    """Operators that stay whole: normalisations, attention, transposed convolutions, recurrent layers."""
    x = floats(2, 3, 8)
    case("norm_statistics", [
        node("LayerNormalization", "x s b", "y mean deviation", axis=1), node("SimplifiedLayerNormalization", "x t", "z")],
         {"x": x}, ["y", "mean", "deviation", "z"], {"s": floats(3, 8), "b": floats(8), "t": floats(8)})
    case("skip_norm", [
        node("SkipLayerNormalization", "x r s b c", "y m d sum", domain="com.microsoft"),
        node("SkipSimplifiedLayerNormalization", "x r s", "z", domain="com.microsoft")],
         {"x": x, "r": floats(2, 3, 8)}, ["y", "sum", "z"], {"s": floats(8), "b": floats(8), "c": floats(8)},
         domains=["com.microsoft"])
    q, k, v = floats(2, 4, 12), floats(2, 5, 12), floats(2, 5, 12)
    past = {"p": floats(2, 3, 3, 4), "r": floats(2, 3, 3, 4)}
    case("attention_flat", [node("Attention", "q k v", "y", q_num_heads=3, kv_num_heads=3)],
         {"q": q, "k": k, "v": v}, ["y"], opset=23, ir=10, dims={"q": ["b", "n", 12], "k": ["b", "s", 12], "v": ["b", "s", 12]})
    case("attention_past", [
        node("Attention", "q k v m p r", "y pk pv", q_num_heads=3, kv_num_heads=3, is_causal=1, scale=0.3)],
         {"q": q, "k": k, "v": v, "m": floats(4, 8)} | past, ["y", "pk", "pv"], opset=23, ir=10)
    case("multi_head_attention", [
        node("MultiHeadAttention", "q k v b pad bias", "y", num_heads=3, domain="com.microsoft")],
         {"q": q, "k": k, "v": v, "pad": np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32), "bias": floats(1, 3, 4, 5)},
         ["y"], {"b": floats(36)}, domains=["com.microsoft"])
    cos, sin = np.cos(floats(10, 2)), np.sin(floats(10, 2))
    case("rotary_embedding", [
        node("RotaryEmbedding", "p pos cos sin", "y", domain="com.microsoft"),
        node("RotaryEmbedding", "p one cos sin", "z", interleaved=1, domain="com.microsoft")],
         {"p": past["p"], "pos": random.integers(0, 10, (2, 3)), "one": i64(4)}, ["y", "z"], {"cos": cos, "sin": sin},
         domains=["com.microsoft"])
    image = floats(1, 3, 5, 4)
    case("conv_transpose", [
        node("ConvTranspose", "x w b", "a", strides=[2, 2], auto_pad="SAME_UPPER"),
        node("ConvTranspose", "x w b", "c", strides=[2, 2], output_shape=[10, 9]),
        node("ConvTranspose", "x w", "d", strides=[3, 2], dilations=[1, 2], pads=[1, 0, 1, 2], output_padding=[1, 0]),
        node("ConvTranspose", "x g", "e", group=3, strides=[2, 2], pads=[1, 1, 1, 1])], {"x": image}, list("acde"),
         {"w": floats(3, 2, 3, 3), "b": floats(2), "g": floats(3, 1, 4, 4)})

    def recurrent(kind, gates, outputs, name, directions, inputs="", extra=None, **attributes):
        weights = {"w": floats(directions, gates * 4, 3) * 0.5, "r": floats(directions, gates * 4, 4) * 0.5,
                   "b": floats(directions, gates * 8) * 0.5}
        given = (extra or {}) | weights
        names = ["x", "w", "r", "b"] + inputs.split(",") if inputs else ["x", "w", "r", "b"]
        direction = "bidirectional" if directions == 2 else attributes.pop("direction", "forward")
        case(name, [h.make_node(kind, names, outputs, hidden_size=4, direction=direction, **attributes)],
             {"x": floats(5, 2, 3)}, outputs, given, dims={"x": ["steps", 2, 3]} if not extra else None)

    lengths = np.array([5, 3], np.int32)
    recurrent("LSTM", 4, ["y", "h", "c"], "lstm", 2, ",h0,c0,p",
              {"h0": floats(2, 2, 4), "c0": floats(2, 2, 4), "p": floats(2, 12)}, clip=1.5)
    recurrent("LSTM", 4, ["y", "h", "c"], "lstm_open", 1, direction="reverse",
              activations=["HardSigmoid", "ScaledTanh", "Softsign"], activation_alpha=[0.3, 0.8], activation_beta=[0.4, 0.9])
    recurrent("GRU", 3, ["y", "h"], "gru", 2, "len,h0", {"len": lengths, "h0": floats(2, 2, 4)}, linear_before_reset=1)
    recurrent("GRU", 3, ["y", "h"], "gru_open", 1)
    recurrent("RNN", 1, ["y", "h"], "rnn", 2, "len", {"len": lengths}, activations=["LeakyRelu", "Tanh"], activation_alpha=[0.2])

    case("group_query_attention", [
        node("GroupQueryAttention", "q k v pk pv valid total cos sin", "y keys values", num_heads=4, kv_num_heads=2,
             local_window_size=4, do_rotary=1, domain="com.microsoft")],
         {"q": floats(1, 3, 64), "k": floats(1, 3, 32), "v": floats(1, 3, 32), "pk": floats(1, 2, 5, 16),
          "pv": floats(1, 2, 5, 16), "valid": np.array([7], np.int32), "total": np.array(8, np.int32)},
         ["y", "keys", "values"], {"cos": np.cos(floats(10, 8)), "sin": np.sin(floats(10, 8))}, domains=["com.microsoft"])
    case("packed_attention", [
        node("Attention", "x w b mask", "y", num_heads=3, domain="com.microsoft"),
        node("Attention", "x w b lengths", "z", num_heads=3, unidirectional=1, domain="com.microsoft")],
         {"x": floats(2, 4, 12), "mask": np.array([[1, 1, 0, 0], [1, 1, 1, 1]], np.int32),
          "lengths": np.array([3, 4], np.int32)}, ["y", "z"], {"w": floats(12, 36), "b": floats(36)}, domains=["com.microsoft"])


def functions():
    x = np.linspace(-0.95, 0.95, 11, dtype=np.float32)
    kinds = ["Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Atanh", "IsInf", "Shrink"]
    case("trigonometry", [node(kind, "x", f"y{kind}") for kind in kinds] + [node("Acosh", "one", "z")], {"x": x},
         [f"y{kind}" for kind in kinds] + ["z"], {"one": x + 2}, opset=18)
    i = np.array([[1, 200, 7], [0, 255, 64]], np.uint8)
    case("bits", [
        node("BitShift", "i j", "a", direction="LEFT"), node("BitShift", "i j", "b", direction="RIGHT"),
        node("BitwiseAnd", "i j", "c"), node("BitwiseOr", "i j", "d"), node("BitwiseXor", "i j", "e"),
        node("BitwiseNot", "i", "f"), node("Pow", "k l", "g")], {"i": i, "k": i.astype(np.int32)}, list("abcdefg"),
        {"j": np.array([1, 3, 7], np.uint8), "l": np.array([0, 2, 3], np.int32)}, opset=18)
    a, b, square = floats(2, 3, 4), floats(2, 4, 5), floats(2, 3, 3)
    equations = {
        "bij,bjk->bik": "a b", "bij, bjk -> kb": "a b", "bij,bij->": "a a", "bii->bi": "s", "bii->b": "s",
        "...ij->...ji": "a", "bij": "a", "i...,i...->...i": "a a", "bij,bkj,bj->ikb": "a c t", "ij,kl->ikjl": "m m"}
    labels, weights = np.array([1, 0, 2, 1]), np.array([0.5, 1, 2], np.float32)
    case("losses", [
        node("SoftmaxCrossEntropyLoss", "x n w", "a p"), node("NegativeLogLikelihoodLoss", "p n", "b", reduction="none"),
        node("SoftmaxCrossEntropyLoss", "x n", "c", ignore_index=1),
        node("NegativeLogLikelihoodLoss", "p n w", "d", reduction="sum", ignore_index=2)],
        {"x": floats(4, 3), "n": labels}, list("apbcd"), {"w": weights})
    case("made_up", [
        node("EyeLike", "x", "e", k=1), node("HannWindow", "n", "h"), node("HammingWindow", "n", "i", periodic=0),
        node("BlackmanWindow", "n", "j")], {"x": floats(3, 4), "n": np.int64(9)}, list("ehij"))
    case("einsum", [node("Einsum", inputs, f"y{number}", equation=equation)
                    for number, (equation, inputs) in enumerate(equations.items())],
         {"a": a, "b": b}, [f"y{number}" for number in range(len(equations))],
         {"s": square, "c": floats(2, 5, 4), "t": floats(2, 4), "m": floats(2, 3)})


def walks():
    values = np.random.default_rng(8)  # leaves the numbers of the other cases alone

    def tensor(name, shape):
        return h.make_tensor_value_info(name, T.FLOAT, shape)

    def draw(*shape):
        return values.standard_normal(shape, dtype=np.float32)

    body = h.make_graph(
        [node("Add", "s a", "sum"), node("Mul", "sum b", "n"), node("Neg", "n", "m"), node("Mul", "s k", "o")], "body",
        [tensor("s", [3]), tensor("a", [3]), tensor("b", [])], [tensor("n", [3]), tensor("m", [3]), tensor("o", [3])])
    case("scan", [h.make_node(
        "Scan", ["s0", "x", "y"], ["last", "p", "q"], body=body, num_scan_inputs=2, scan_input_axes=[1, -1],
        scan_input_directions=[0, 1], scan_output_axes=[1, 0], scan_output_directions=[1, 0])],
        {"s0": draw(3), "x": draw(3, 5), "y": draw(5)}, ["last", "p", "q"], {"k": np.float32(2)},
        dims={"x": [3, "steps"], "y": ["steps"]})
    inner = h.make_graph([node("Add", "s a", "n"), node("Abs", "n", "m")], "body",
                         [tensor("s", [3]), tensor("a", [3])], [tensor("n", [3]), tensor("m", [3])])
    case("scan_batch", [h.make_node("Scan", ["", "s0", "x"], ["last", "p"], body=inner, num_scan_inputs=1, directions=[1])],
         {"s0": draw(2, 3), "x": draw(2, 4, 3)}, ["last", "p"], opset=8, ir=3)
    case("sequence_parts", [
        node("SplitToSequence", "x sizes", "s", axis=1), node("SequenceAt", "s one", "a"), node("SequenceLength", "s", "n"),
        node("SequenceErase", "s zero", "t"), node("SequenceInsert", "t x zero", "u"),
        node("ConcatFromSequence", "u", "b", axis=1),
        node("SplitToSequence", "x", "v", axis=0, keepdims=0), node("ConcatFromSequence", "v", "c", axis=-1, new_axis=1),
        node("SplitToSequence", "x two", "w", axis=1), node("SequenceAt", "w last", "d"),
        node("SequenceEmpty", "", "e"), node("SequenceInsert", "e a", "f"), node("SequenceInsert", "f a", "g"),
        node("SequenceAt", "g i", "h")],
        {"x": draw(3, 5), "i": np.int64(1)}, list("anbcdh"),
        {"sizes": i64(1, 4), "zero": np.int64(0), "one": np.int64(1), "two": np.int64(2), "last": np.int64(-1)})
    case("lp_pool_ceil", [
        node("LpPool", "x", "a", kernel_shape=[3, 2], strides=[2, 3], ceil_mode=1, p=3),
        node("LpPool", "x", "b", kernel_shape=[2, 2], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1)],
        {"x": draw(1, 2, 6, 7)}, ["a", "b"], opset=18)
    absent = h.make_node("Optional", [], ["none"], type=h.make_tensor_type_proto(T.FLOAT, [3]))
    branch = [h.make_graph([node("OptionalGetElement", name, "r")], "branch", [], [tensor("r", [3])])
              for name in ["some", "none"]]
    other = h.make_graph([node("Neg", "x", "r")], "other", [], [tensor("r", [3])])
    case("optional", [
        node("Optional", "x", "some"), absent, node("OptionalHasElement", "some", "a"),
        node("OptionalHasElement", "none", "b"),
        h.make_node("If", ["a"], ["c"], then_branch=branch[0], else_branch=other),
        h.make_node("If", ["b"], ["d"], then_branch=branch[1], else_branch=other)],
        {"x": draw(3)}, list("abcd"), opset=18)


def words(*values):
    return np.array(values, dtype=object)


def text_case(name, nodes, outputs, constants, opset=20, domains=()):
    """Archives hold no texts: they are constants, and the model compares those that it makes with onnxruntime's."""
    versions = [domain if isinstance(domain, tuple) else (domain, 1) for domain in domains]
    imports = [h.make_opsetid("", opset)] + [h.make_opsetid(*version) for version in versions]
    graph = h.make_graph(nodes, name, [], [h.make_empty_tensor_value_info(key) for key in outputs],
                         [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()])
    model = h.make_model(graph, opset_imports=imports, ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    checks, shown, expected = list(nodes), [], dict(constants)
    for key, value in zip(outputs, session.run(list(outputs), {})):
        if np.asarray(value).dtype.kind != "O":
            shown.append(key)
            continue
        expected[key + "_expected"] = value
        checks += [node("Equal", f"{key} {key}_expected", key + "_same"), node("Shape", key, key + "_shape")]
        shown += [key + "_same", key + "_shape"]
    case(name, checks, {"x": np.float32(1)}, shown, expected, opset=opset, domains=domains)


def texts():
    text_case("texts", [
        node("StringConcat", "a b", "c"), node("StringSplit", "a", "d dn", delimiter="."),
        node("StringSplit", "a", "e en", maxsplit=1), node("StringSplit", "f", "g gn", delimiter="--", maxsplit=2),
        h.make_node("StringNormalizer", ["a"], ["i"], locale="C.UTF-8", case_change_action="UPPER", stopwords=["THE", "dog"]),
        h.make_node("StringNormalizer", ["a"], ["j"], locale="C.UTF-8", is_case_sensitive=1, stopwords=["The"]),
        h.make_node("StringNormalizer", ["a"], ["k"], locale="C.UTF-8", case_change_action="LOWER"),
        h.make_node("StringNormalizer", ["one"], ["l"], locale="C.UTF-8", stopwords=["x"]),
        node("Equal", "a one", "m"), node("Cast", "n", "o", to=T.FLOAT), node("Cast", "p", "q", to=T.STRING),
        node("Cast", "r", "s", to=T.INT64), node("Cast", "t", "u", to=T.STRING)],
        ["c", "d", "dn", "e", "en", "g", "gn", "i", "j", "k", "l", "m", "o", "q", "s", "u"], {
            "a": words("The", "quick brown fox", "", "dog", "a.b.c", "x"), "b": words(" end"), "one": words("x"),
            "f": words("1--2--3--4", "--", "-", ""), "n": words("3.25", "-1e-3", "nan", "inf", "-INF", "7"),
            "p": np.array([0.1, 1, -1 / 3, 16777216, 1e10, 1e-7, np.inf, -np.inf, np.nan, 123456.789, 1e-5, -0.0],
                          np.float32),
            "r": words("12", "-3", "+5", "9007199254740993"), "t": np.array([-5, 0, 2**40])})
    patterns = [
        "a.c", "(?i)ABC", "[[:alpha:]]+", "(ab|cd)*e?", "a{2,3}", "\\d+(\\.\\d*)?", "[^a-c]*", "\\w+\\b \\w+", "^x$|",
        "(?s)a.c", "a\\Q.*\\E", "\\x41[\\x{42}-D]", "(?P<n>a+?)b*", "", "(\\W|^)[\\w.\\-]{0,25}@(yahoo|gmail)\\.com(\\W|$)"]
    given = words("abc", "a\nc", "ABC", "aéc", "ababcde", "aa", "aaaa", "3.14", "xyz", "ab cd", "", "x", "a.*", "AB",
                  "aab", "me@gmail.com", "me@hotmail.com")
    case("patterns", [h.make_node("RegexFullMatch", ["t"], [f"y{number}"], pattern=pattern)
                      for number, pattern in enumerate(patterns)],
         {"x": np.float32(1)}, [f"y{number}" for number in range(len(patterns))], {"t": given}, opset=20)
    grams = dict(min_gram_length=1, max_gram_length=2, max_skip_count=1, ngram_counts=[0, 2], ngram_indexes=[3, 0, 1])
    case("ngrams", [
        *[node("TfIdfVectorizer", "x", mode, mode=mode, pool_int64s=[5, 6, 5, 6], weights=[10.0, 20.0, 30.0, 1.0][:3], **grams)
          for mode in ["TF", "IDF", "TFIDF"]],
        node("TfIdfVectorizer", "t", "words", mode="TF", pool_strings=["a", "b", "a", "b"], **grams)],
        {"x": np.array([[5, 5, 7, 6, 5, 6], [1, 5, 6, 1, 6, 5]])}, ["TF", "IDF", "TFIDF", "words"],
        {"t": words("a", "b", "c", "b", "a")})


ML = "ai.onnx.ml"


def learned(kind, inputs, outputs, **attributes):
    return h.make_node(kind, inputs.split(), outputs.split(), domain=ML, **attributes)


def random_trees(values, count, features, outputs, mode, prefix, spread):
    """Attributes of trees whose leaves have a weight for each output, or for one of them where `spread` says so."""
    nodes = {key: [] for key in ["treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids",
                                 "missing_value_tracks_true"]}
    leaves = {key: [] for key in ["treeids", "nodeids", "ids", "weights"]}
    for tree in range(count):
        pending, number = [(0, 0)], 1
        while pending:
            place, depth = pending.pop()
            isLeaf = depth == 4 or (depth > 0 and values.random() < 0.3)
            kind = "LEAF" if isLeaf else mode[int(values.integers(len(mode)))]
            children = (0, 0) if isLeaf else (number, number + 1)
            for key, value in zip(nodes, [tree, place, int(values.integers(features)),
                                          float(np.float32(values.integers(-4, 5) * 0.5)), kind, *children,
                                          int(values.random() < 0.3)]):
                nodes[key].append(value)
            if isLeaf:
                for output in [tree % outputs] if spread else range(outputs):
                    for key, value in zip(leaves, [tree, place, output, float(np.float32(values.normal()))]):
                        leaves[key].append(value)
            else:
                pending += [(number, depth + 1), (number + 1, depth + 1)]
                number += 2
    return {f"nodes_{key}": value for key, value in nodes.items()} | {f"{prefix}_{key}": v for key, v in leaves.items()}


def classical():
    values = np.random.default_rng(9)

    def draw(*shape):
        return values.standard_normal(shape, dtype=np.float32)

    x = draw(6, 3)
    case("features", [
        learned("Scaler", "x", "a", scale=[0.5, 2.0, 1.0], offset=[1.0, 0.0, -1.0]), learned("Scaler", "i", "b", scale=[2.0], offset=[1.0]),
        *[learned("Normalizer", "x", f"n{norm}", norm=norm) for norm in ["MAX", "L1", "L2"]],
        learned("Binarizer", "x", "c", threshold=0.25), learned("Imputer", "m", "d", imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=float("nan")),
        learned("Imputer", "i", "e", imputed_value_int64s=[9], replaced_value_int64=2),
        learned("FeatureVectorizer", "i i", "f", inputdimensions=[2, 2]), learned("ArrayFeatureExtractor", "x two", "g"),
        learned("OneHotEncoder", "i", "h", cats_int64s=[1, 2, 5]), learned("OneHotEncoder", "known", "k", cats_int64s=[1, 2], zeros=0),
        learned("LabelEncoder", "i", "l", keys_int64s=[1, 2, 7], values_floats=[0.5, 0.25, 4.0], default_float=-3.0),
        learned("LabelEncoder", "m", "o", keys_floats=[1.5, float("nan")], values_int64s=[4, 5])],
        {"x": x, "i": np.array([[1, 2], [3, 5], [2, 2], [0, 1], [7, 5], [4, 4]]), "m": np.where(x > 0.4, np.float32("nan"), x),
         "known": np.array([1, 2, 2])},
        ["a", "b", "nMAX", "nL1", "nL2", "c", "d", "e", "f", "g", "h", "k", "l", "o"], {"two": np.array([[2, 0]])}, domains=[(ML, 2)])
    text_case("labels", [
        learned("LabelEncoder", "t", "a", keys_strings=["a", "b", "c"], values_int64s=[3, 5, 7], default_int64=-2),
        learned("LabelEncoder", "t", "b", keys_strings=["a", "b"], values_strings=["x", "y"], default_string="z"),
        learned("LabelEncoder", "i", "c", keys_int64s=[1, 2], values_strings=["one", "two"]),
        learned("CategoryMapper", "t", "d", cats_strings=["b", "a"], cats_int64s=[10, 20], default_int64=-7),
        learned("CategoryMapper", "i", "e", cats_strings=["b", "a"], cats_int64s=[1, 20], default_string="none"),
        learned("OneHotEncoder", "t", "f", cats_strings=["c", "a"])],
        list("abcdef"), {"t": words("a", "b", "q", "c"), "i": np.array([1, 2, 3])}, domains=[(ML, 2)])
    linear = [learned("LinearRegressor", "x", f"r{number}", targets=2, coefficients=[0.5, -1, 2, 0.25, 1, 0], intercepts=[0.5, -0.5],
                      post_transform=name) for number, name in enumerate(["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"])]
    linear += [learned("LinearClassifier", "x", f"l{number} s{number}", coefficients=[float(v) for v in draw(3 * count).round(3)],
                       intercepts=[0.5, -0.25, 0.0][:count], classlabels_ints=labels, post_transform=name)
               for number, (count, labels, name) in enumerate(
                   [(3, [5, 7, 9], "SOFTMAX"), (2, [5, 7], "LOGISTIC"), (1, [5, 7], "LOGISTIC"), (1, [0, 1], "NONE"), (3, [5, 7, 9], "NONE")])]
    names = [f"r{n}" for n in range(4)] + [f"{k}{n}" for n in range(5) for k in "ls"]
    case("linear_models", linear, {"x": x}, names, domains=[ML], dims={"x": ["rows", 3]})
    vectors = [float(v) for v in draw(5 * 3).ravel().round(3)]
    machines, names = [], []
    for number, (kernel, parameters) in enumerate([("LINEAR", [0.0, 0.0, 0.0]), ("RBF", [0.4, 0.0, 3.0]), ("POLY", [0.5, 1.0, 2.0]), ("SIGMOID", [0.3, 0.1, 0.0])]):
        shared = dict(kernel_type=kernel, kernel_params=parameters, support_vectors=vectors)
        machines += [
            learned("SVMRegressor", "x", f"r{number}", n_supports=5, coefficients=[0.5, -1.0, 0.25, 1.0, -0.5], rho=[0.125], one_class=int(kernel == "POLY"), **shared),
            learned("SVMClassifier", "x", f"l{number} s{number}", classlabels_ints=[3, 4, 8], vectors_per_class=[2, 1, 2],
                    coefficients=[float(v) for v in draw(10).round(3)], rho=[0.1, -0.2, 0.3], **shared),
            learned("SVMClassifier", "x", f"n{number} u{number}", classlabels_ints=[3, 4, 8], vectors_per_class=[2, 1, 2], prob_a=[-1.5, -1.0, -2.0],
                    prob_b=[0.25, 0.0, -0.5], coefficients=[float(v) for v in draw(10).round(3)], rho=[0.1, -0.2, 0.3], **shared),
            learned("SVMClassifier", "x", f"m{number} t{number}", classlabels_ints=[3, 4], vectors_per_class=[2, 3], prob_a=[-1.5], prob_b=[0.25],
                    coefficients=[float(v) for v in draw(5).round(3)], rho=[0.1], **shared)]
        names += [f"{k}{number}" for k in "rlsmtnu"]
    case("support_vectors", machines, {"x": x}, names, domains=[ML])
    given = np.concatenate([draw(9, 4).round(1), np.array([[np.nan, 0.5, 0, 1], [0, np.nan, np.nan, -1]], np.float32)])
    all_modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
    trees, names = [], []
    for number, (outputs, function, transform, spread) in enumerate(
            [(1, "SUM", "NONE", False), (3, "AVERAGE", "SOFTMAX", False), (2, "MIN", "NONE", False), (2, "MAX", "LOGISTIC", False), (3, "SUM", "NONE", True)]):
        trees.append(learned("TreeEnsembleRegressor", "x", f"r{number}", n_targets=outputs, aggregate_function=function, post_transform=transform,
                             base_values=[0.5] * outputs, **random_trees(values, 6, 4, outputs, all_modes, "target", spread)))
        names.append(f"r{number}")
    for number, (outputs, transform, spread) in enumerate([(3, "SOFTMAX", False), (3, "NONE", True), (1, "LOGISTIC", False)]):
        labels = [5, 7] if outputs == 1 else [5, 7, 9]
        trees.append(learned("TreeEnsembleClassifier", "x", f"l{number} s{number}", classlabels_int64s=labels, post_transform=transform,
                             **random_trees(values, 6, 4, outputs, all_modes[:1], "class", spread)))
        names += [f"l{number}", f"s{number}"]
    wide = random_trees(values, 4, 4, 1, all_modes[:1], "target", False)
    for key, kind in [("nodes_values", T.DOUBLE), ("target_weights", T.DOUBLE)]:
        wide[key + "_as_tensor"] = h.make_tensor(key, kind, [len(wide[key])], wide.pop(key))
    trees.append(learned("TreeEnsembleRegressor", "d", "w", n_targets=1, **wide))
    case("trees", trees, {"x": given, "d": given.astype(np.float64)}, names + ["w"], domains=[(ML, 3)], dims={"x": ["rows", 4]})
    modes, splits = np.array([0, 4, 6, 5], np.uint8), np.array([0.5, 1.0, 0.0, 2.0], np.float32)
    case("tree_sets", [learned(
        "TreeEnsemble", "x", "y", n_targets=2, aggregate_function=1, tree_roots=[0], nodes_featureids=[0, 1, 2, 3],
        nodes_modes=h.make_tensor("m", T.UINT8, [4], modes), nodes_splits=h.make_tensor("s", T.FLOAT, [4], splits),
        nodes_truenodeids=[1, 0, 2, 4], nodes_trueleafs=[0, 1, 1, 1], nodes_falsenodeids=[2, 1, 3, 3], nodes_falseleafs=[0, 1, 0, 1],
        leaf_targetids=[0, 1, 0, 1, 0], leaf_weights=h.make_tensor("w", T.FLOAT, [5], [1.0, 2.0, 3.0, 4.0, 5.0]),
        membership_values=h.make_tensor("v", T.FLOAT, [3], [1.5, 3.0, float("nan")]))],
        {"x": np.array([[0, 1, 0, 0], [0, 2, 0, 0], [1, 0, 3, 0], [1, 0, 1.5, 0], [1, 0, 0, 2], [1, 0, 0, 3]], np.float32)}, ["y"], domains=[(ML, 5)])


def computed():
    values = np.random.default_rng(10)

    def draw(*shape):
        return values.standard_normal(shape, dtype=np.float32)

    case("computed_axes", [
        node("Slice", "x starts ends axes steps", "a"), node("Slice", "x starts ends axes", "b"),
        node("Pad", "x pads zero axes", "c"), node("Pad", "x pads zero axes", "d", mode="edge"),
        node("Pad", "x wide zero axes", "e", mode="reflect"), node("Pad", "x pads zero axes", "f", mode="wrap"),
        node("DFT", "s n axis", "g", onesided=1), node("DFT", "s n axis", "i", inverse=1), node("STFT", "w step window length", "j"),
        node("Col2Im", "p image block", "k", strides=[1, 2], pads=[1, 0, 0, 1], dilations=[2, 1])],
        {"x": draw(3, 5, 4), "starts": i64(-1, 1), "ends": i64(-(2**40), 9), "axes": i64(1, -1), "steps": i64(-2, 2), "pads": i64(2, 0, 1, 3),
         "wide": i64(2, 1, -1, 2), "s": draw(2, 6, 3, 1), "n": np.int64(5), "axis": np.int64(-3), "w": draw(2, 12, 1), "step": np.int64(3), "length": np.int64(4),
         "p": draw(1, 8, 12), "image": i64(5, 6), "block": i64(2, 2)}, list("abcdefgijk"), {"zero": np.float32(7), "window": draw(4)}, opset=20)
    case("regions", [node("MaxRoiPool", "x r", "y", pooled_shape=[3, 2], spatial_scale=0.5)],
         {"x": draw(2, 3, 8, 9), "r": np.array([[0, 0, 0, 15, 15], [1, 3, 5, 9, 17], [1, -4, 2, 3, 3]], np.float32)}, ["y"])
    case("mel", [node("MelWeightMatrix", "n length rate low high", "y")],
         {"n": np.int64(9), "length": np.int64(64), "rate": np.int64(8000)}, ["y"], {"low": np.float32(20), "high": np.float32(3500)})
    case("causal_convolution", [node("CausalConvWithState", "x w b s", "y t", activation="silu")],
         {"x": draw(2, 3, 5), "s": draw(2, 3, 3)}, ["y", "t"], {"w": draw(3, 1, 4), "b": draw(3)}, opset=27, ir=10, peer="onnx")
    training = "ai.onnx.preview.training"
    case("optimizers", [
        h.make_node("Momentum", ["r", "t", "a", "b", "ga", "gb", "va", "vb"], ["ma", "mb", "mva", "mvb"], domain=training, alpha=0.9, beta=0.5, mode="nesterov", norm_coefficient=0.01),
        h.make_node("Adagrad", ["r", "t", "a", "ga", "ha"], ["da", "dha"], domain=training, decay_factor=0.1, norm_coefficient=0.02),
        h.make_node("Adam", ["r", "t", "a", "ga", "va", "ha"], ["xa", "xva", "xha"], domain=training, norm_coefficient_post=0.1)],
        {"r": np.float32(0.1), "t": np.int64(3), "a": draw(3), "b": draw(2, 2), "ga": draw(3), "gb": draw(2, 2), "va": draw(3), "vb": draw(2, 2), "ha": np.abs(draw(3))},
        ["ma", "mb", "mva", "mvb", "da", "dha", "xa", "xva", "xha"], domains=[training], peer="onnx")
    case("batch_statistics", [node("BatchNormalization", "x s b m v", "y rm rv", training_mode=1, momentum=0.8)], {"x": draw(3, 4, 2, 5)},
         ["y", "rm", "rv"], {"s": draw(4), "b": draw(4), "m": draw(4), "v": np.abs(draw(4))})


def fused():
    """ONNX Runtime's own operators."""
    values = np.random.default_rng(11)
    MS = "com.microsoft"

    def draw(*shape):
        return values.standard_normal(shape, dtype=np.float32)

    def own(kind, inputs, outputs, **attributes):
        return h.make_node(kind, ["" if name == "-" else name for name in inputs.split()], outputs.split(), domain=MS, **attributes)

    def whole(low, high, shape, kind):
        return values.integers(low, high, shape).astype(kind)

    case("fused_products", [
        own("FusedMatMul", "a b", "r0", alpha=0.5, transA=1), own("FusedMatMul", "a c", "r1", transB=1, transBatchA=1, transBatchB=1),
        own("FusedGemm", "m n o", "r2", activation="LeakyRelu", activation_alpha=0.25, transB=1, alpha=0.5),
        own("FusedConv", "x w p z", "r3", activation="Clip", activation_params=[-0.5, 1.5], pads=[1, 1, 1, 1]),
        own("FusedConv", "x w", "r4", activation="HardSigmoid", activation_params=[0.3, 0.4]),
        own("QuickGelu", "m", "r5"), own("CDist", "m n", "r6", metric="euclidean"),
        own("Trilu", "m", "r7", upper=0), own("ExpandDims", "m axis", "r8")],
         {"a": draw(2, 3, 4), "m": draw(4, 3), "x": draw(1, 2, 5, 4), "z": draw(1, 3, 5, 4)}, [f"r{n}" for n in range(9)],
         {"b": draw(2, 3, 5), "c": draw(5, 3, 4), "n": draw(5, 3), "o": draw(5), "w": draw(3, 2, 3, 3), "p": draw(3), "axis": np.int32(1)}, domains=[MS])
    q, r = whole(0, 256, (2, 3, 4, 5), np.uint8), whole(0, 256, (3, 1, 5), np.uint8)
    image = whole(0, 256, (1, 6, 5, 3), np.uint8)
    scales = {"qs": np.float32(0.02), "qz": np.uint8(120), "rs": np.float32(0.03), "rz": np.uint8(10), "ys": np.float32(0.05), "yz": np.uint8(100),
              "ss": np.float32(1 / 256), "sz": np.uint8(0)}
    case("qlinear_operators", [
        own("QLinearAdd", "q qs qz r rs rz ys yz", "r0"), own("QLinearMul", "q qs qz r rs rz ys yz", "r1"),
        own("QLinearSigmoid", "q qs qz ss sz", "r2"), own("QLinearLeakyRelu", "q qs qz ys yz", "r3", alpha=0.2),
        own("QLinearAveragePool", "q qs qz ys yz", "r4", kernel_shape=[2, 3], pads=[0, 1, 0, 1]),
        own("QLinearGlobalAveragePool", "q qs qz ys yz", "r5"), own("QLinearConcat", "ys yz q qs qz q rs rz", "r6", axis=1),
        own("QLinearWhere", "c q qs qz r rs rz ys yz", "r8"),
        own("NhwcMaxPool", "i", "r9", kernel_shape=[2, 2], strides=[2, 1]),
        own("QLinearConv", "i qs qz w ws wz ys yz", "r10", channels_last=1, pads=[1, 1, 1, 1]),
        own("DequantizeLinear", "q qs qz", "f"), own("QuantizeLinear", "f rs rz", "r11")],
         {"q": q, "i": image, "c": values.random((2, 3, 4, 5)) < 0.5}, [f"r{n}" for n in range(12) if n != 7],
         {"r": r, "w": whole(-127, 128, (4, 3, 3, 3), np.int8), "ws": np.float32(0.01), "wz": np.int8(0)} | scales, domains=[MS])
    b = whole(0, 256, (6, 4), np.uint8)
    case("quantized_products", [
        own("MatMulIntegerToFloat", "a b as bs az bz bias", "r0"), own("DynamicQuantizeMatMul", "x b bs bz bias", "r1"),
        own("QGemm", "a as az t bs bz ints ys yz", "r2", transB=1, alpha=0.5), own("QGemm", "a as az t bs bz", "r3", transB=1)],
         {"a": whole(0, 256, (5, 6), np.uint8), "x": draw(5, 6)}, ["r0", "r1", "r2", "r3"],
         {"b": b, "t": np.ascontiguousarray(b.T), "as": np.float32(0.02), "az": np.uint8(101), "bs": np.float32(0.01), "bz": np.uint8(130), "bias": draw(4),
          "ints": whole(-999, 999, (4,), np.int32), "ys": np.float32(0.1), "yz": np.uint8(77)}, domains=[MS])
    case("packed_weights", [
        own("MatMulNBits", "x w4 s4", "r0", K=40, N=6, bits=4, block_size=16), own("MatMulNBits", "x w4 s4 z4 - bias", "r1", K=40, N=6, bits=4, block_size=16),
        own("MatMulNBits", "x w8 s8 z8", "r2", K=40, N=6, bits=8, block_size=32), own("MatMulNBits", "x w4 s4 zf", "r3", K=40, N=6, bits=4, block_size=16),
        own("GatherBlockQuantized", "table i ts", "r4", block_size=16), own("GatherBlockQuantized", "bytes i ts tz", "r5", block_size=16, bits=4, quantize_axis=1)],
         {"x": draw(2, 3, 40), "i": np.array([[4, 0], [2, 2]])}, [f"r{n}" for n in range(6)],
         {"w4": whole(0, 256, (6, 3, 8), np.uint8), "s4": draw(6, 3), "z4": whole(0, 256, (6, 2), np.uint8), "bias": draw(6), "zf": draw(6, 3) + np.float32(8),
          "w8": whole(0, 256, (6, 2, 32), np.uint8), "s8": draw(6, 2), "z8": whole(0, 256, (6, 2), np.uint8),
          "table": whole(-8, 8, (5, 32), np.int8).astype(np.dtype(__import__("ml_dtypes").int4)), "ts": draw(5, 2), "bytes": whole(0, 256, (5, 16), np.uint8),
          "tz": whole(0, 256, (5, 1), np.uint8)}, opset=21, ir=10, domains=[MS])
    words, kinds = np.array([[3, 1, 4, 1], [5, 0, 2, 6]], np.int32), np.array([[0, 0, 1, 1], [0, 1, 1, 1]], np.int32)
    case("transformer_parts", [
        own("EmbedLayerNormalization", "w s we pe se g b m", "r0 r1 r2", epsilon=1e-6), own("Attention", "x aw ab - past", "r3 r4", num_heads=2, unidirectional=1),
        own("Attention", "x aw ab pairs", "r5", num_heads=2), own("QAttention", "q qw ab qs ws - qz wz", "r6", num_heads=2),
        own("MoE", "x2 scores e1 - e2", "r7", k=2, activation_type="silu", normalize_routing_weights=1), own("MoE", "x2 scores e1 - e2", "r8", k=1, activation_type="relu")],
         {"w": words, "s": kinds, "m": np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32), "x": draw(2, 3, 6), "past": draw(2, 2, 2, 4, 3), "pairs": (values.random((2, 3, 3)) < 0.7).astype(np.int32) | np.eye(3, dtype=np.int32),
          "q": whole(0, 256, (2, 3, 6), np.uint8), "x2": draw(5, 6), "scores": draw(5, 4)}, [f"r{n}" for n in range(9)],
         {"we": draw(8, 6), "pe": draw(5, 6), "se": draw(2, 6), "g": draw(6), "b": draw(6), "aw": draw(6, 18), "ab": draw(18), "qw": whole(-127, 128, (6, 18), np.int8),
          "qs": np.float32(0.02), "ws": np.float32(0.01), "qz": np.uint8(128), "wz": np.int8(0), "e1": draw(4, 7, 6), "e2": draw(4, 6, 7)}, domains=[MS])
    case("smooth_softmax", [
        own("GroupQueryAttention", "q k v - - valid total", "y keys values", num_heads=4, kv_num_heads=2, smooth_softmax=1)],
         {"q": draw(1, 3, 64), "k": draw(1, 3, 32), "v": draw(1, 3, 32), "valid": np.array([2], np.int32), "total": np.array(3, np.int32)},
         ["y"], domains=[MS])
    # Packed inputs are not for onnxruntime's processors: its results are those of the same numbers apart.
    q, k, v = draw(2, 3, 16), draw(2, 3, 16), draw(2, 3, 16)
    apart = [array.reshape(2, 3, 2, 1, 8) for array in (q, k, v)]
    case("packed_heads", [own("MultiHeadAttention", "q k v", "y", num_heads=2)], {"q": q, "k": k, "v": v}, ["y"], domains=[MS])
    expected = np.load(FOLDER / "packed_heads.npz")["out:y"]
    given = {"all": np.concatenate(apart, axis=3), "q": q, "both": np.concatenate(apart[1:], axis=3)}
    graph = h.make_graph([own("MultiHeadAttention", "all", "y", num_heads=2), own("MultiHeadAttention", "q both", "z", num_heads=2)], "packed_heads",
                         [info(key, value) for key, value in given.items()], [h.make_empty_tensor_value_info(key) for key in "yz"])
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17), h.make_opsetid(MS, 1)], ir_version=8)
    record("packed_heads", model, given, ["y", "z"], [expected, expected])


def dependent():
    """Extents that data decide, and what goes on with them."""
    values = np.random.default_rng(12)

    def draw(*shape):
        return values.standard_normal(shape, dtype=np.float32)

    body = h.make_graph(
        [node("Add", "i one", "j"), node("Less", "j limit", "go"), node("Mul", "s half", "t"), node("ReduceMax", "t", "m", keepdims=0)],
        "body", [h.make_tensor_value_info("i", T.INT64, []), h.make_tensor_value_info("c", T.BOOL, []), h.make_tensor_value_info("s", T.FLOAT, [3])],
        [h.make_tensor_value_info("go", T.BOOL, []), h.make_tensor_value_info("t", T.FLOAT, [3]), h.make_tensor_value_info("m", T.FLOAT, [])])
    case("dependent_extents", [
        node("NonZero", "x", "places"), node("Transpose", "places", "pairs"), node("GatherND", "x pairs", "found"),
        node("Unsqueeze", "found axis", "column"), node("MatMul", "column w", "a"),
        node("Greater", "v zero", "mask"), node("Compress", "v mask", "kept", axis=0), node("ReduceSum", "kept", "b", keepdims=0),
        node("Unique", "n", "u first inverse counts"), node("Cast", "counts", "real", to=T.FLOAT), node("Softmax", "real", "d"),
        node("Shape", "kept", "size"), node("ReduceProd", "size", "count", keepdims=0), node("Range", "origin count unit", "e"),
        node("NonMaxSuppression", "boxes scores most overlap", "chosen"), node("Slice", "chosen two three axis", "third"), node("Squeeze", "third axis", "numbers"),
        node("Squeeze", "boxes front", "flat"), node("Gather", "flat numbers", "f"), node("TopK", "v k", "g gi"), node("Concat", "kept v", "both", axis=0), node("Expand", "half size", "wide"),
        h.make_node("Loop", ["trips", "", "s0"], ["last", "maxima"], body=body), node("ReduceMean", "maxima", "i1", keepdims=0), node("Neg", "maxima", "i2")],
        {"x": np.where(values.random((4, 5)) < 0.4, draw(4, 5), np.float32(0)), "v": draw(9), "n": np.array([3, 1, 3, 2, 1, 3]), "boxes": np.abs(draw(1, 6, 4)).cumsum(axis=2),
         "scores": np.abs(draw(1, 2, 6)), "k": i64(3), "trips": np.int64(5), "s0": np.abs(draw(3)), "limit": np.int64(4)},
        ["a", "b", "u", "d", "e", "f", "g", "gi", "both", "wide", "last", "maxima", "i1", "i2"],
        {"w": draw(1, 3), "zero": np.float32(0), "origin": np.int64(0), "unit": np.int64(1), "most": i64(2), "overlap": np.array([0.4], np.float32),
         "two": i64(2), "three": i64(3), "axis": i64(1), "front": i64(0), "half": np.float32(0.5), "one": np.int64(1)}, dims={"v": ["length"]})


FOLDER.mkdir(exist_ok=True)
for old in FOLDER.iterdir():
    old.unlink()
for make in [images, matrices, quantized, shapes, elements, reductions, control, placed, blocks, functions, walks, texts, classical,
             computed, fused,
             dependent]:
    make()
