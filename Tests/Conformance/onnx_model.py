"""An ONNX model as a file: its inputs, what lies beside it, and how onnxruntime runs it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

# For extents that are open and are not the first of an input.
OPEN_EXTENT = 16
QUANTIZED_OPS = {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "QLinearAdd"}
# What models need that their files do not say, by name.
SETTINGS = json.loads((Path(__file__).parent / "models.json").read_text())


@dataclass
class Case:
    """One run: what goes in, and, where somebody kept it, what comes out."""

    name: str
    inputs: dict
    golden: dict = field(default_factory=dict)


def tensor(path):
    return numpy_helper.to_array(onnx.load_tensor(str(path)))


class Model:
    def __init__(self, path):
        self.path = path
        self.settings = SETTINGS.get(path.name, {})
        graph = onnx.load(str(path)).graph
        weights = {weight.name for weight in graph.initializer}
        self.inputs = [value for value in graph.input if value.name not in weights]
        self.outputs = [value.name for value in graph.output]
        types = {value.type.tensor_type.elem_type for value in list(graph.input) + list(graph.output)}
        types |= {weight.data_type for weight in graph.initializer}
        self.is_half = TensorProto.FLOAT16 in types or TensorProto.BFLOAT16 in types
        self.is_quantized = any(node.op_type in QUANTIZED_OPS for node in graph.node)

    def is_open(self):
        """Whether some input's first extent is a symbol."""
        shapes = [value.type.tensor_type.shape.dim for value in self.inputs]
        return any(shape and not shape[0].HasField("dim_value") for shape in shapes)

    def shapes(self, batch):
        named = self.settings.get("dims", {})
        given = dict(self.settings.get("shapes", {}))
        if batch != 1:
            given.update(self.settings.get("batch", {}).get("shapes", {}))
        result = {}
        for value in self.inputs:
            extents = []
            for axis, dim in enumerate(value.type.tensor_type.shape.dim):
                if dim.HasField("dim_value"):
                    extents.append(dim.dim_value)
                else:
                    extents.append(batch if axis == 0 else named.get(dim.dim_param, OPEN_EXTENT))
            result[value.name] = given.get(value.name, extents)
        return result

    def kept(self):
        """Cases whose inputs lie beside the model."""
        cases = []
        for folder in sorted(self.path.parent.glob("test_data_set_*")):
            files = [folder / f"input_{number}.pb" for number in range(len(self.inputs))]
            if files and all(file.exists() for file in files):
                inputs = {value.name: tensor(file) for value, file in zip(self.inputs, files)}
                cases.append(Case(folder.name, inputs, self.golden(folder / "output_")))
        archive = self.path.with_name(self.path.stem + "_io.npz")
        if archive.exists():
            arrays = dict(np.load(archive))
            inputs = {value.name: arrays.pop(value.name) for value in self.inputs}
            # Some archives name an output by the node that makes it.
            golden = arrays if set(arrays) <= set(self.outputs) else dict(zip(self.outputs, arrays.values()))
            cases.append(Case(archive.stem, inputs, golden))
        return cases

    def golden(self, stem):
        found = {}
        for number, name in enumerate(self.outputs):
            file = Path(f"{stem}{number}.pb")
            if file.exists():
                found[name] = tensor(file)
        return found

    def session(self, level, threads=1):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.graph_optimization_level = level
        return onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])

    def given(self, batch):
        """The inputs that cannot be made up."""
        shapes = self.shapes(batch)
        result = {}
        for value in self.inputs:
            if value.name in self.settings.get("values", {}):
                kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
                result[value.name] = np.full(shapes[value.name], self.settings["values"][value.name], dtype=kind)
        return result

    def words(self, batch, folder):
        """How Martlet's commands are told inputs and extents."""
        given = self.given(batch)
        words = save_inputs(given, folder)
        for name, shape in self.shapes(batch).items():
            if name not in given and shape:
                words += ["--shape", f"{name}=" + "x".join(map(str, shape))]
        return words


def save_inputs(inputs, folder):
    """Writes the arrays; returns the command's words for them."""
    folder.mkdir(parents=True, exist_ok=True)
    words = []
    for number, (name, array) in enumerate(inputs.items()):
        file = folder / f"{number}.npy"
        np.save(file, array)
        words += ["--input", f"{name}={file}"]
    return words
