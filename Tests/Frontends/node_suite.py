"""Runs ONNX's own node cases through `martlet run --reference` and says which families fail.

    python3 node_suite.py MARTLET [FILTER]

Elements that .npy cannot hold go in as constants and come out as f32. Sequences and optional values are made of
constants at the start of the model and taken apart at its end. Needs numpy, onnx and ml_dtypes.
"""
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test import loader

PLAIN = set("biuf")


def writable(array):
    return isinstance(array, np.ndarray) and array.dtype.kind in PLAIN and array.dtype.isbuiltin == 1


def arrays(values):
    return [numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value for value in values]


class Edit:
    """Nodes at the start and at the end of a graph, with names of their own."""

    def __init__(self, graph):
        self.graph, self.first, self.count = graph, [], 0

    def name(self):
        self.count += 1
        return f"suite_{self.count}"

    def constant(self, array):
        name = self.name()
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def made(self, value, kind, name):
        """Makes `name` hold `value`, of type `kind`."""
        if value is None:
            self.first.append(helper.make_node("Optional", [], [name], type=kind.optional_type.elem_type))
        elif kind.WhichOneof("value") == "optional_type":
            inner = self.name()
            self.made(value, kind.optional_type.elem_type, inner)
            self.first.append(helper.make_node("Optional", [inner], [name]))
        elif isinstance(value, list) and not value:
            element = kind.sequence_type.elem_type.tensor_type.elem_type
            self.first.append(helper.make_node("SequenceEmpty", [], [name], dtype=element))
        elif isinstance(value, list):
            self.first.append(helper.make_node("SequenceConstruct", [self.constant(item) for item in value], [name]))
        else:
            self.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))

    def taken(self, value, info):
        """Outputs that hold what `info` does, of which `value` is expected; their names and what they must be."""
        name = info.name
        if info.type.WhichOneof("value") == "optional_type":
            inner = self.name()
            self.graph.node.append(helper.make_node("OptionalGetElement", [name], [inner]))
            name = inner
        if not isinstance(value, list):
            return [(name, value)]
        parts = [(self.name(), item) for item in value]
        for number, (part, _) in enumerate(parts):
            self.graph.node.append(helper.make_node("SequenceAt", [name, self.constant(np.int64(number))], [part]))
        length = self.name()
        self.graph.node.append(helper.make_node("SequenceLength", [name], [length]))
        return parts + [(length, np.int64(len(value)))]


def prepare(case, folder):
    """The model as martlet can take it, its command's arguments, and the outputs with what they must be."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph, arguments = model.graph, []
    inputs, outputs = map(arrays, case.data_sets[0])
    edit = Edit(graph)
    for info, value in zip(list(graph.input), inputs):
        value = np.asarray(value) if isinstance(value, (np.ndarray, np.generic, int, float)) else value
        isTensor = info.type.WhichOneof("value") == "tensor_type"
        if isTensor and writable(value):
            path = folder / f"in{len(arguments)}.npy"
            np.save(path, value)
            arguments += ["--input", f"{info.name}={path}"]
        else:
            edit.made(value, info.type, info.name)
            graph.input.remove(info)
    expected = []
    for info, value in zip(list(graph.output), outputs):
        if info.type.WhichOneof("value") == "tensor_type":
            expected.append((info.name, value))
        else:
            expected += edit.taken(value, info)
            graph.output.remove(info)
    known = {info.name: info for info in graph.output}
    del graph.output[:]
    for name, value in expected:
        info = known.get(name) or helper.make_empty_tensor_value_info(name)
        graph.output.append(info)
        if isinstance(value, np.ndarray) and not writable(value) and value.dtype.kind not in "OUS":
            for node in graph.node:
                for place, output in enumerate(node.output):
                    if output == name:
                        node.output[place] = name + "_narrow"
            graph.node.append(helper.make_node("Cast", [name + "_narrow"], [name], to=TensorProto.FLOAT))
            graph.output[-1].type.tensor_type.elem_type = TensorProto.FLOAT
    nodes = edit.first + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, folder / "m.onnx")
    return arguments, expected


def run(case):
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        try:
            arguments, wanted = prepare(case, folder)
        except Exception as error:
            return case.name, "script", str(error)[:200]
        command = [sys.argv[1], "run", str(folder / "m.onnx"), "--reference", "--output-dir", str(folder / "out")] + arguments
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            return case.name, "timeout", ""
        if done.returncode:
            text = (done.stderr.strip().splitlines() or [""])[-1]
            return case.name, {3: "unsupported", 1: "invalid"}.get(done.returncode, f"status {done.returncode}"), text.replace(str(folder), "")
        for name, expected in wanted:
            files = list((folder / "out").glob(re.sub(r"[^A-Za-z0-9_.-]", "?", name) + ".npy"))
            if not files:
                return case.name, "output", f"{name}: no file"
            given = np.load(files[0], allow_pickle=False)
            if not isinstance(expected, (np.ndarray, np.generic)):
                return case.name, "output", f"{name}: no tensor"
            expected = np.asarray(expected)
            if expected.dtype.kind in "OUS":
                same = given.shape == expected.shape and (given.astype(str) == expected.astype(str)).all()
                if not same:
                    return case.name, "wrong", f"{name}: strings"
                continue
            narrow = not writable(expected)
            if given.shape != expected.shape:
                return case.name, "wrong", f"{name}: shape {given.shape}, expected {expected.shape}"
            if not narrow and given.dtype != expected.dtype:
                return case.name, "wrong", f"{name}: type {given.dtype}, expected {expected.dtype}"
            a, b = given.astype(np.float64), expected.astype(np.float64)
            # One unit of the narrow type may be rounded the other way.
            rtol = max(case.rtol, 0.01) if narrow and "bfloat16" in str(expected.dtype) else case.rtol
            if not np.allclose(a, b, rtol=rtol, atol=max(case.atol, 1e-6 if a.dtype.kind == "f" else 0), equal_nan=True):
                return case.name, "wrong", f"{name}: off by {np.nanmax(np.abs(a - b)) if a.size else 0}"
        return case.name, "pass", ""


def main():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = loader.load_model_tests(kind="node")
    if len(sys.argv) > 2:
        cases = [case for case in cases if re.search(sys.argv[2], case.name)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, cases))
    counts = collections.Counter(kind for _, kind, _ in results)
    for name, kind, text in results:
        if kind != "pass":
            print(f"{kind}\t{name}\t{text}")
    print(f"{counts['pass']} of {len(cases)} pass; " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))


main()
