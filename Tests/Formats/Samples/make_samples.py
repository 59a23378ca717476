"""Writes the ONNX and NumPy files beside this script. Origin: made by this script, by us.

The tests read the files as they are; run this again only to add one (needs onnx and numpy).
"""

import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))


def save(name, model):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def typed_data():
    """One initializer of each element type, once in typed fields and once raw."""
    kinds = [
        ("float", TensorProto.FLOAT, [0.0, -1.5, 2.25, 3e38]),
        ("uint8", TensorProto.UINT8, [0, 1, 128, 255]),
        ("int8", TensorProto.INT8, [0, -1, -128, 127]),
        ("uint16", TensorProto.UINT16, [0, 1, 32768, 65535]),
        ("int16", TensorProto.INT16, [0, -1, -32768, 32767]),
        ("int32", TensorProto.INT32, [0, -1, -(2**31), 2**31 - 1]),
        ("int64", TensorProto.INT64, [0, -1, -(2**63), 2**63 - 1]),
        ("bool", TensorProto.BOOL, [False, True, True, False]),
        ("float16", TensorProto.FLOAT16, [0.0, -1.5, 65504.0, 1e-7]),
        ("double", TensorProto.DOUBLE, [0.0, -1.5, 1e300, 5e-324]),
        ("uint32", TensorProto.UINT32, [0, 1, 2**31, 2**32 - 1]),
        ("uint64", TensorProto.UINT64, [0, 1, 2**63, 2**64 - 1]),
        ("bfloat16", TensorProto.BFLOAT16, [0.0, -1.5, 3e38, 1e-40]),
        ("float8e4m3fn", TensorProto.FLOAT8E4M3FN, [0.0, -1.5, 448.0, 0.001953125]),
        ("float8e5m2", TensorProto.FLOAT8E5M2, [0.0, -1.5, 57344.0, 1.0]),
        ("uint4", TensorProto.UINT4, [0, 1, 8, 15]),
        ("int4", TensorProto.INT4, [0, -1, -8, 7]),
        ("float4e2m1", TensorProto.FLOAT4E2M1, [0.0, -1.5, 6.0, 0.5]),
        ("uint2", TensorProto.UINT2, [0, 1, 2, 3]),
        ("int2", TensorProto.INT2, [0, 1, -2, -1]),
    ]
    tensors = []
    for name, kind, values in kinds:
        typed = helper.make_tensor(name, kind, [2, 2], values)
        raw = numpy_helper.from_array(numpy_helper.to_array(typed), name + "_raw")
        tensors += [typed, raw]
    tensors.append(helper.make_tensor("text", TensorProto.STRING, [2], [b"first", b"\xff\x01"]))
    graph = helper.make_graph([], "typed", [], [], initializer=tensors)
    save("typed.onnx", helper.make_model(graph, opset_imports=[helper.make_opsetid("", 25)]))


def everything():
    """Attributes of all kinds, a subgraph, a function, types of all kinds, metadata, fields we have no name for."""
    inner = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["c"])], "inner", [], [value("c", TensorProto.FLOAT, None)]
    )
    tensor = helper.make_tensor("t", TensorProto.FLOAT, [1], [1.0])
    sparse = helper.make_sparse_tensor(
        helper.make_tensor("v", TensorProto.FLOAT, [1], [5.0]), helper.make_tensor("i", TensorProto.INT64, [1], [3]), [8]
    )
    node = helper.make_node("Everything", ["x", "", "y"], ["z"], name="all", domain="test", doc_string="says what")
    for name, thing in [
        ("float", 1.5), ("int", 0), ("string", "text"), ("tensor", tensor), ("graph", inner), ("floats", [1.0, -0.0]),
        ("ints", [1, -2, 3]), ("strings", ["a", "b"]), ("tensors", [tensor]), ("graphs", [inner]), ("sparse", sparse),
    ]:
        node.attribute.append(helper.make_attribute(name, thing))
    node.attribute.append(
        helper.make_attribute("type", helper.make_tensor_type_proto(TensorProto.FLOAT, [1, "n"]))
    )
    node.metadata_props.append(onnx.StringStringEntryProto(key="k", value="v"))
    node.device_configurations.append(onnx.NodeDeviceConfigurationProto(configuration_id="d", pipeline_stage=-1))
    graph = helper.make_graph(
        [node],
        "main",
        [value("x", TensorProto.FLOAT, ["batch", 3, None]), value("unranked", TensorProto.FLOAT, None)],
        [
            helper.make_value_info("s", helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [2]))),
            helper.make_value_info("o", helper.make_optional_type_proto(helper.make_tensor_type_proto(1, []))),
            helper.make_value_info("m", helper.make_map_type_proto(7, helper.make_tensor_type_proto(1, []))),
        ],
        sparse_initializer=[sparse],
        doc_string="graph",
    )
    graph.quantization_annotation.append(
        onnx.TensorAnnotation(
            tensor_name="x", quant_parameter_tensor_names=[onnx.StringStringEntryProto(key="SCALE_TENSOR", value="s")]
        )
    )
    function = helper.make_function(
        "test", "Twice", ["x"], ["y"], [helper.make_node("Add", ["x", "x"], ["y"])], [helper.make_opsetid("", 20)],
        ["alpha"], [helper.make_attribute("beta", 2.0)], overload="first",
    )
    model = helper.make_model(
        graph, functions=[function], producer_name="make_samples", ir_version=14,
        opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid("test", 1)],
    )
    model.training_info.add().initialization.name = "train"
    model.configuration.add(name="d", num_devices=2)
    helper.set_model_props(model, {"key": "value"})
    save("everything.onnx", model)


def arrays():
    grid = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.save(os.path.join(HERE, "grid.npy"), grid)
    np.save(os.path.join(HERE, "fortran.npy"), np.asfortranarray(grid))
    np.save(os.path.join(HERE, "big_endian.npy"), grid.astype(">i4"))
    np.save(os.path.join(HERE, "text.npy"), np.array(["a", "ünï", ""]))
    np.savez(os.path.join(HERE, "stored.npz"), grid=grid, flags=np.array([True, False]))
    smooth = (np.arange(5000) % 97).astype(np.int64)
    noise = np.random.default_rng(1).integers(0, 256, 3000).astype(np.uint8)
    np.savez_compressed(os.path.join(HERE, "deflated.npz"), smooth=smooth, noise=noise, empty=np.zeros((0, 4)))


if __name__ == "__main__":
    typed_data()
    everything()
    arrays()
