"""Runs ONNX's own node cases through `martlet run --reference` and says which families fail.

    python3 node_suite.py MARTLET [--compiled] [FILTER]

With --compiled they are compiled and run. Elements that .npy cannot hold go in as constants and come out as f32; members
of a sequence are files of their own. Needs numpy, onnx and ml_dtypes.
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
MARTLET = sys.argv[1]
MODE = [] if "--compiled" in sys.argv else ["--reference"]
FILTER = [word for word in sys.argv[2:] if word != "--compiled"]


def writable(array):
    return isinstance(array, np.ndarray) and array.dtype.kind in PLAIN and array.dtype.isbuiltin == 1


def arrays(values):
    return [numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value for value in values]


def text(array):
    return isinstance(array, np.ndarray) and array.dtype.kind in "OUS"


def save(path, value):
    np.save(path, value.astype(np.str_) if text(value) else value)
    return path


def prepare(case, folder):
    """The model as martlet can take it, and its command's arguments; None where an input cannot be given."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph, arguments = model.graph, []
    inputs, outputs = map(arrays, case.data_sets[0])
    for number, (info, value) in enumerate(zip(list(graph.input), inputs)):
        value = np.asarray(value) if isinstance(value, (np.generic, int, float)) else value
        if value is None:
            arguments += ["--input", f"{info.name}=none"]
        elif isinstance(value, list):
            members = [np.asarray(member) for member in value]
            if not all(writable(member) or text(member) for member in members):
                return None
            for place, member in enumerate(members):
                arguments += ["--input", f"{info.name}.{place}={save(folder / f'in{number}.{place}.npy', member)}"]
            if not members:
                arguments += ["--input", f"{info.name}=empty"]
        elif writable(value) or text(value):
            arguments += ["--input", f"{info.name}={save(folder / f'in{number}.npy', value)}"]
        elif isinstance(value, np.ndarray):
            graph.initializer.append(numpy_helper.from_array(value, info.name))
            graph.input.remove(info)
        else:
            return None
    for info, value in zip(list(graph.output), outputs):
        if isinstance(value, np.ndarray) and not writable(value) and value.dtype.kind not in "OUS":
            name = info.name
            for node in graph.node:
                for place, output in enumerate(node.output):
                    if output == name:
                        node.output[place] = name + "_narrow"
            graph.node.append(helper.make_node("Cast", [name + "_narrow"], [name], to=TensorProto.FLOAT))
            info.type.tensor_type.elem_type = TensorProto.FLOAT
    onnx.save(model, folder / "m.onnx")
    return arguments


def run(case):
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        try:
            arguments = prepare(case, folder)
        except Exception as error:
            return case.name, "script", str(error)[:200]
        if arguments is None:
            return case.name, "input", "an input is no tensor"
        command = [MARTLET, "run", str(folder / "m.onnx"), "--output-dir", str(folder / "out")] + MODE + arguments
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return case.name, "timeout", ""
        if done.returncode:
            text = (done.stderr.strip().splitlines() or [""])[-1]
            return case.name, {3: "unsupported", 1: "invalid"}.get(done.returncode, f"status {done.returncode}"), text.replace(str(folder), "")
        names = [info.name for info in case.model.graph.output]
        for name, expected in zip(names, arrays(case.data_sets[0][1])):
            if isinstance(expected, list) or expected is None:
                members = [] if expected is None else expected
                wanted = [(f"{name}.{place}", np.asarray(member)) for place, member in enumerate(members)]
                if (folder / "out" / f"{name}.{len(members)}.npy").exists() or (folder / "out" / f"{name}.npy").exists():
                    return case.name, "wrong", f"{name}: more than {len(members)} members"
            else:
                wanted = [(name, expected)]
            for label, value in wanted:
                complaint = compare(case, folder, label, value)
                if complaint:
                    return (case.name,) + complaint
        return case.name, "pass", ""


def compare(case, folder, name, expected):
    """What is wrong with an output; None if nothing."""
    files = list((folder / "out").glob(re.sub(r"[^A-Za-z0-9_.-]", "?", name) + ".npy"))
    if not files:
        return "output", f"{name}: no file"
    given = np.load(files[0], allow_pickle=False)
    if not isinstance(expected, (np.ndarray, np.generic)):
        return "output", f"{name}: no tensor"
    expected = np.asarray(expected)
    if expected.dtype.kind in "OUS":
        same = given.shape == expected.shape and (given.astype(str) == expected.astype(str)).all()
        return None if same else ("wrong", f"{name}: strings")
    narrow = not writable(expected)
    if given.shape != expected.shape:
        return "wrong", f"{name}: shape {given.shape}, expected {expected.shape}"
    if not narrow and given.dtype != expected.dtype:
        return "wrong", f"{name}: type {given.dtype}, expected {expected.dtype}"
    a, b = given.astype(np.float64), expected.astype(np.float64)
    # One unit of the narrow type may be rounded the other way.
    rtol = max(case.rtol, 0.01) if narrow and "bfloat16" in str(expected.dtype) else case.rtol
    if not np.allclose(a, b, rtol=rtol, atol=max(case.atol, 1e-6 if a.dtype.kind == "f" else 0), equal_nan=True):
        return "wrong", f"{name}: off by {np.nanmax(np.abs(a - b)) if a.size else 0}"
    return None


def main():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = loader.load_model_tests(kind="node")
    if FILTER:
        cases = [case for case in cases if re.search(FILTER[0], case.name)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, cases))
    counts = collections.Counter(kind for _, kind, _ in results)
    for name, kind, text in results:
        if kind != "pass":
            print(f"{kind}\t{name}\t{text}")
    print(f"{counts['pass']} of {len(cases)} pass; " + ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))


main()
