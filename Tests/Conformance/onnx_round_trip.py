"""Holds what `martlet convert` writes against what it was given: ONNX Runtime has to compute the same with both.

    python3 onnx_round_trip.py MARTLET suite [FILTER]     ONNX's own node cases
    python3 onnx_round_trip.py MARTLET ops [FILTER]       every op of the graph, by the recorded cases of Tests/Oracle
    python3 onnx_round_trip.py MARTLET MODEL.onnx...      whole models, with made-up inputs

Every file written must pass `onnx.checker` with shape inference. What ONNX Runtime does not run itself is left out and
counted. Needs numpy, onnx and onnxruntime; without them it says so and ends well.
"""
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import numpy_helper
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

# Optimised graphs sum in another order; what is compared with is f32 itself.
RTOL, ATOL = 1e-3, 1e-5
# One unit of a narrow type may be rounded the other way.
NARROW = {"float16": 4e-3, "bfloat16": 2e-2}
SYMBOL = 2
# What made-up integers stay below: tables of words are larger, but some have two rows.
INTEGERS = (100, 2)


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # Rewrites of its own would compare its optimiser with itself.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def convert(martlet, model, output, more=()):
    done = subprocess.run([martlet, "convert", str(model), "-o", str(output), *more], capture_output=True, text=True, timeout=300)
    if done.returncode == 0:
        return None, ""
    kind = {1: "refused", 3: "unsupported"}.get(done.returncode, f"status {done.returncode}")
    return kind, (done.stderr.strip().splitlines() or [""])[-1].replace(str(pathlib.Path(model).parent), "")


def same(a, b, atol):
    """Whether two results agree, and how far they are apart."""
    if isinstance(a, list) or isinstance(b, list):
        if not (isinstance(a, list) and isinstance(b, list)) or len(a) != len(b):
            return False, "lists of other lengths"
        for x, y in zip(a, b):
            good, text = same(x, y, atol)
            if not good:
                return good, text
        return True, ""
    if a is None or b is None:
        return a is b, "one is absent"
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False, f"{b.dtype}{list(b.shape)} for {a.dtype}{list(a.shape)}"
    if a.dtype.kind in "OUS":
        return bool((a == b).all()), "strings"
    if a.dtype.kind in "iub":
        return bool((a == b).all()), f"{int((a != b).sum())} of {a.size} integers"
    x, y = a.astype(np.float64), b.astype(np.float64)
    if x.size == 0:
        return True, ""
    finite = x[np.isfinite(x)]
    # Relative to the greatest element: sums cancel.
    scale = float(np.abs(finite).max()) if finite.size else 0.0
    rtol = NARROW.get(str(a.dtype), RTOL)
    good = np.allclose(y, x, rtol=rtol, atol=max(atol, ATOL, rtol * 0.01 * scale), equal_nan=True)
    with np.errstate(invalid="ignore"):
        return good, f"off by {np.nanmax(np.abs(x - y)):.3g}, the greatest is {scale:.3g}"


def compare(martlet, model, feeds, folder, atol=0.0, more=()):
    """One model: how it ended, and why."""
    try:
        expected = session(model).run(None, feeds)
    except Exception as error:  # noqa: BLE001: whatever it is, there is nothing to compare with
        return "not run by the peer", str(error)[:100]
    written = folder / "out.onnx"
    kind, text = convert(martlet, model, written, more)
    if kind:
        return kind, text
    try:
        onnx.checker.check_model(str(written), full_check=True)
    except Exception as error:  # noqa: BLE001
        return "not valid", str(error).replace("\n", " ")[:300]
    try:
        peer = session(written)
        names = {info.name for info in peer.get_inputs()}
        given = peer.run([info.name for info in session(model).get_outputs()], {k: v for k, v in feeds.items() if k in names})
    except Exception as error:  # noqa: BLE001
        return "not run", str(error).replace("\n", " ")[:300]
    for info, a, b in zip(peer.get_outputs(), expected, given):
        good, text = same(a, b, atol)
        if not good:
            return "differs", f"{info.name}: {text}"
    return "pass", ""


# MARK: node cases


def value(item):
    return numpy_helper.to_array(item) if isinstance(item, onnx.TensorProto) else item


def case_result(martlet, case):
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        model = folder / "model.onnx"
        model.write_bytes(case.model.SerializeToString())
        names = [info.name for info in case.model.graph.input]
        feeds = dict(zip(names, map(value, case.data_sets[0][0])))
        try:
            return (case.name, *compare(martlet, model, feeds, folder, case.atol))
        except subprocess.TimeoutExpired:
            return case.name, "timeout", ""


def suite(martlet, pattern):
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = [case for case in collect_testcases(None) if re.search(pattern, case.name)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda case: case_result(martlet, case), cases))


# MARK: ops

ORACLE = pathlib.Path(__file__).resolve().parent.parent / "Oracle"
TYPES = {
    "bool": "?", "i8": "i1", "u8": "u1", "i16": "i2", "u16": "u2", "i32": "i4", "u32": "u4", "i64": "i8", "u64": "u8",
    "f16": "f2", "f32": "f4", "f64": "f8",
}


def recorded(text, data):
    """`f32[2, 3]@120` as an array, or None for elements that NumPy has not."""
    kind, offset = text.split("@")
    name, extents = kind.rstrip("]").split("[")
    if name not in TYPES:
        return None
    shape = [int(extent) for extent in extents.split(",") if extent.strip()]
    count = int(np.prod(shape, dtype=int))
    return np.frombuffer(data, TYPES[name], count, int(offset)).reshape(shape)


def result_types(case):
    """The types of the results as the body says them: an extent that depends on data is a symbol there."""
    types = []
    for result in case["results"]:
        name, expected = result.split(" ", 1)
        found = expected.split("@")[0]
        for line in reversed(case["body"].split("\n")):
            names = [part.strip() for part in line.split("=")[0].split(",")]
            given = re.split(r",\s*(?![^\[]*\])", line.split(" : ")[-1])
            if "%" + name in names:
                found = given[names.index("%" + name)].strip()
                break
            if line.startswith("}") and name[1:].isdigit():
                found = given[int(name[1:])].strip()
                break
        types.append(found)
    return types


def op_result(martlet, case, data):
    source_text = case["body"]
    body, name = " | ".join(source_text.split("\n")), source_text.split("=", 1)[-1].split()[0]
    inputs = [recorded(text, data) for text in case["inputs"]]
    expected = [recorded(result.split(" ", 1)[1], data) for result in case["results"]]
    types = case.get("types") or [text.split("@")[0] for text in case["inputs"]]
    if any(array is None for array in inputs + expected):
        return body, "not run by the peer", "NumPy has no such elements"
    arguments = ", ".join(f"%{number}: {kind}" for number, kind in enumerate(types))
    outputs = ", ".join(f"%o{number}: {kind}" for number, kind in enumerate(result_types(case)))
    symbols = "\n".join(f"symbol {symbol} in {span}" for symbol, span in [("n", "1...64"), ("m", "1...64"), ("s", "0...4096"), ("t", "0...4096")])
    results = ", ".join("%" + result.split(" ", 1)[0] for result in case["results"])
    with tempfile.TemporaryDirectory() as place:
        source, written = pathlib.Path(place) / "case.mir", pathlib.Path(place) / "out.onnx"
        source.write_text(
            f"module @case {{\n{symbols}\n{case.get('declarations') or ''}\nentry @main({arguments}) -> ({outputs}) {{\n{source_text}\nreturn {results}\n}}\n}}\n")
        kind, text = convert(martlet, source, written)
        if kind:
            return body, kind, text
        try:
            onnx.checker.check_model(str(written), full_check=True)
        except Exception as error:  # noqa: BLE001
            return body, "not valid", str(error).replace("\n", " ")[:300]
        try:
            peer = session(written)
            given = peer.run(None, {info.name: array for info, array in zip(peer.get_inputs(), inputs)})
        except Exception as error:  # noqa: BLE001
            text = str(error).replace("\n", " ")
            # Types and shapes that it has no code for are its own affair.
            return body, "not run by the peer" if "NOT_IMPLEMENTED" in text else "not run", f"{name}: {text[:300]}"
        for a, b in zip(expected, given):
            good, text = same(a, b, 0.0)
            if not good:
                return body, "differs", text
    return body, "pass", ""


def ops(martlet, pattern):
    data = (ORACLE / "cases.bin").read_bytes()
    cases = [case for case in json.loads((ORACLE / "cases.json").read_text()) if re.search(pattern, case["body"])]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda case: op_result(martlet, case, data), cases))


# MARK: whole models


def made_up(info, random, below):
    shape = [extent if isinstance(extent, int) and extent > 0 else SYMBOL for extent in info.shape]
    kind = info.type[len("tensor("):-1]
    if kind == "string":
        return np.full(shape, "text", dtype=object)
    if kind.startswith("float") or kind == "double":
        return random.standard_normal(shape).astype({"float": "f4", "double": "f8"}.get(kind, "f2"))
    return random.integers(0, below, shape).astype({"bool": "?"}.get(kind, kind))


def model_result(martlet, path):
    with tempfile.TemporaryDirectory() as place:
        try:
            peer = session(path)
        except Exception as error:  # noqa: BLE001
            return str(path), "not run by the peer", str(error)[:100]
        for below in INTEGERS:
            random = np.random.default_rng(1)
            feeds = {info.name: made_up(info, random, below) for info in peer.get_inputs()}
            try:
                peer.run(None, feeds)
                break
            except Exception:  # noqa: BLE001: out of range
                continue
        return (str(path), *compare(martlet, pathlib.Path(path), feeds, pathlib.Path(place)))


def main():
    martlet, what = sys.argv[1], sys.argv[2:]
    if what[0] in ("suite", "ops"):
        results = (suite if what[0] == "suite" else ops)(martlet, what[1] if len(what) > 1 else "")
    else:
        results = [model_result(martlet, path) for path in what]
    for name, kind, text in results:
        if kind not in ("pass", "not run by the peer"):
            print(f"{kind}\t{name}\t{text}")
    counts = collections.Counter(kind for _, kind, _ in results)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())), f"of {len(results)}")
    sys.exit(any(kind not in ("pass", "not run by the peer", "unsupported", "refused") for kind in counts))


main()
