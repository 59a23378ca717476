"""Models of one op each, with random weights from a fixed seed."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save


def write(folder, name, node, inputs, output, weights):
    graph = helper.make_graph(
        [node],
        name,
        [helper.make_tensor_value_info("x", *inputs)],
        [helper.make_tensor_value_info("y", *output)],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = str(folder / f"{name}.onnx")
    save(model, path)
    return path


def matmul(folder, size):
    random = np.random.default_rng(1)
    weights = random.normal(0, 1, (size, size)).astype(np.float32)
    shape = [size, size]
    node = helper.make_node("MatMul", ["x", "w"], ["y"], "/matmul")
    name = f"matmul_f32_{size}"
    return write(folder, name, node, (TensorProto.FLOAT, shape), (TensorProto.FLOAT, shape), {"w": weights})


def matmul_integer(folder, size):
    """u8 times s8 into s32."""
    random = np.random.default_rng(2)
    weights = random.integers(-128, 128, (size, size)).astype(np.int8)
    shape = [size, size]
    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"], "/matmul")
    name = f"matmul_u8i8_{size}"
    return write(folder, name, node, (TensorProto.UINT8, shape), (TensorProto.INT32, shape), {"w": weights})


def convolution(folder, channels, size):
    """3x3, as many channels out as in."""
    random = np.random.default_rng(3)
    scale = np.sqrt(2 / (9 * channels))
    weights = random.normal(0, scale, (channels, channels, 3, 3)).astype(np.float32)
    bias = random.normal(0, 1, channels).astype(np.float32)
    shape = [1, channels, size, size]
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], "/conv", pads=[1, 1, 1, 1])
    name = f"conv3x3_f32_{channels}_{size}x{size}"
    weights = {"w": weights, "b": bias}
    return write(folder, name, node, (TensorProto.FLOAT, shape), (TensorProto.FLOAT, shape), weights)


def all_models(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return [matmul(folder, 768), convolution(folder, 128, 28), convolution(folder, 512, 7), matmul_integer(folder, 768)]
