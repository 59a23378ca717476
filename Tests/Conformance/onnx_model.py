"""An ONNX model as a file: its inputs, what lies beside it, and how onnxruntime runs it."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

# For extents that are open and are not the first of an input.
OPEN_EXTENT = 16
# What models need that their files do not say, and what to call them, by the file's name.
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

    @property
    def name(self):
        ordinary = self.path.stem if self.path.stem != "model" else self.path.parent.name
        return self.settings.get("title", ordinary)

    def is_open(self):
        """Whether some input's first extent is a symbol."""
        shapes = [value.type.tensor_type.shape.dim for value in self.inputs]
        return any(shape and not shape[0].HasField("dim_value") for shape in shapes)

    def runs(self):
        """What extents to run with: of those that are open, the first axis' and all others."""
        batches = (1, 3) if self.is_open() and not self.compile_words() else (1,)
        lengths = self.settings.get("lengths", [OPEN_EXTENT])
        return [(batches[0], length) for length in lengths] + [(batch, lengths[0]) for batch in batches[1:]]

    def shapes(self, batch, length=None):
        if length is None:
            length = self.settings.get("lengths", [OPEN_EXTENT])[-1]
        given = dict(self.settings.get("shapes", {}))
        result = {}
        for value in self.inputs:
            extents = []
            for axis, dim in enumerate(value.type.tensor_type.shape.dim):
                if dim.HasField("dim_value"):
                    extents.append(dim.dim_value)
                else:
                    extents.append(batch if axis == 0 else length)
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
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        return onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])

    def given(self, shapes):
        """The inputs that cannot be made up."""
        result = {}
        for value in self.inputs:
            if value.name in self.settings.get("values", {}):
                kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
                result[value.name] = np.full(shapes[value.name], self.settings["values"][value.name], dtype=kind)
        return result

    def compile_words(self):
        """The shapes without which a model cannot be compiled: those whose extents decide which ops run."""
        if not self.settings.get("fixed"):
            return []
        return shape_words({name: shape for name, shape in self.shapes(1).items() if shape})

    def words(self, folder, batch=1, length=None):
        """How Martlet's commands are told inputs and extents."""
        shapes = self.shapes(batch, length)
        given = self.given(shapes)
        words = save_inputs(given, folder)
        return words + shape_words({name: shape for name, shape in shapes.items() if name not in given and shape})


def shape_words(shapes):
    words = []
    for name, shape in shapes.items():
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
