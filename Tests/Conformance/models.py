"""Compiles ONNX models, runs them, and holds the results to onnxruntime's.

    python3 models.py [--martlet PROGRAM] [--only WORD] [--time SECONDS] [--json FILE] FILE|FOLDER...

Inputs and expected outputs are those beside a model, as ONNX's own model tests keep them (`test_data_set_0/input_0.pb`,
`MODEL_output_0.pb`, `MODEL_io.npz`), and inputs made up from a fixed seed. A model whose first extent is open is
compiled once and run with one and with three of them. What a model needs besides, `models.json` says by its name.
Needs numpy, onnx and onnxruntime.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from onnx_model import Case, Model, save_inputs

# Of the largest value of an output. Engines add up in other orders: of 10^-7 a sum, some hundred sums in a row.
F32_TOLERANCE = 1e-4
# Half floats have eleven bits, and engines round after different ops.
F16_TOLERANCE = 1e-2


def run(command):
    started = time.perf_counter()
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"status {result.returncode}")
    return result.stdout, time.perf_counter() - started


def loaded(folder, listing):
    entries = json.loads((folder / listing).read_text())
    return {entry["name"]: np.load(folder / entry["file"], allow_pickle=False) for entry in entries}


def made_up(model, library, martlet, batch, length, folder):
    """Inputs from a seed; integers are valid for the ops that read them, which the compiler knows."""
    words = model.words(folder / "given", batch, length)
    run([martlet, "run", library, "--random", 7, "--save-inputs", folder / "made"] + words)
    return Case(f"batch {batch}, length {length}", loaded(folder / "made", "inputs.json"))


def distance(result, wanted):
    """The largest difference as a share of the largest value; of integers, the largest difference."""
    result, wanted = np.asarray(result), np.asarray(wanted)
    if result.shape != wanted.shape:
        return math.inf
    if wanted.dtype.kind in "OUS":
        return 0 if (result.astype(str) == wanted.astype(str)).all() else math.inf
    if wanted.size == 0:
        return 0
    a, b = result.astype(np.float64), wanted.astype(np.float64)
    if not (np.isfinite(a) == np.isfinite(b)).all():
        return math.inf
    finite = np.isfinite(b)
    if not (np.nan_to_num(a[~finite]) == np.nan_to_num(b[~finite])).all():
        return math.inf
    if not finite.any():
        return 0
    largest = np.abs(a[finite] - b[finite]).max()
    if wanted.dtype.kind in "iub":
        return float(largest)
    scale = np.abs(b[finite]).max()
    return float(largest / scale) if scale > 0 else float(largest)


def worst(results, wanted):
    return max((distance(results[name], wanted[name]) for name in wanted), default=0)


def exact(wanted):
    return all(np.asarray(array).dtype.kind in "iubOUS" for array in wanted.values())


def check(model, martlet, seconds):
    """A row of the table."""
    row = {"model": model.name}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        library = scratch / "m.so"
        _, row["compile_s"] = run([martlet, "compile", model.path, "-o", library, "--no-cache"] + model.compile_words())
        cases = model.kept()
        for number, (batch, length) in enumerate(model.runs()):
            folder = scratch / f"made{number}"
            folder.mkdir()
            cases.append(made_up(model, library, martlet, batch, length, folder))
        plain = model.session("ORT_DISABLE_ALL")
        quick = model.session("ORT_ENABLE_ALL")
        aside = model.golden(model.path.with_name(model.path.stem + "_output_"))
        row["cases"], row["failed"], row["difference"] = len(cases), [], 0.0
        limit = F16_TOLERANCE if model.is_half else F32_TOLERANCE
        for number, case in enumerate(cases):
            folder = scratch / f"case{number}"
            words = save_inputs(case.inputs, folder)
            run([martlet, "run", library, "--output-dir", folder / "out", "--threads", 2] + words)
            results = loaded(folder / "out", "outputs.json")
            fast = dict(zip(model.outputs, quick.run(None, case.inputs)))
            slow = dict(zip(model.outputs, plain.run(None, case.inputs)))
            spread = max(worst(fast, slow), worst(slow, fast))
            # Where onnxruntime's own levels differ by more, a result near either of them is as good as theirs: numbers
            # near a quantization step, and tiny outputs of functions that it approximates.
            allowed = max(limit, spread)
            found = min(worst(results, fast), worst(results, slow))
            row["spread"] = max(row.get("spread", 0), spread)
            row["difference"] = max(row["difference"], found)
            if not found <= allowed:
                row["failed"].append(f"{case.name}: {found:.3g}, allowed {allowed:.3g}")
            for name, wanted in {**aside, **case.golden}.items():
                gap = distance(results[name], wanted)
                theirs = min(distance(fast[name], wanted), distance(slow[name], wanted))
                row["golden"] = max(row.get("golden", 0), gap)
                # What onnxruntime itself cannot reproduce was computed elsewhere.
                if not gap <= max(allowed, spread + theirs):
                    row["failed"].append(f"{case.name}: {gap:.3g} from the kept {name} (onnxruntime: {theirs:.3g})")
        if seconds > 0:
            measure(row, model, martlet, library, cases[0], scratch, seconds)
    return row


def measure(row, model, martlet, library, case, scratch, seconds):
    """The least times of one thread, in turn."""
    words = save_inputs(case.inputs, scratch / "timed")
    session = model.session("ORT_ENABLE_ALL")
    ours, theirs = [], []
    for _ in range(3):
        command = [martlet, "bench", library, "--threads", 1, "--seconds", seconds / 3, "--json"] + words
        ours.append(json.loads(run(command)[0])["ms"]["median"])
        samples = []
        end = time.perf_counter() + seconds / 3
        while len(samples) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            session.run(None, case.inputs)
            samples.append((time.perf_counter() - start) * 1e3)
        theirs.append(float(np.median(samples)))
    row["ms"], row["onnxruntime_ms"] = min(ours), min(theirs)
    row["ratio"] = row["onnxruntime_ms"] / row["ms"]


def text(row):
    def number(key, form):
        return format(row[key], form) if key in row else ""

    verdict = "yes" if not row["failed"] else "NO"
    line = f"{row['model']:28}{number('compile_s', '.1f'):>8}{row.get('cases', 0):>6}{verdict:>6}"
    line += f"{number('difference', '.1e'):>9}{number('spread', '.1e'):>9}{number('golden', '.1e'):>9}"
    line += f"{number('ms', '.3f'):>10}{number('onnxruntime_ms', '.3f'):>10}{number('ratio', '.2f'):>7}"
    return "\n".join([line] + ["    " + reason for reason in row["failed"]])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--martlet", default=".build/release/martlet")
    parser.add_argument("--only", default="")
    parser.add_argument("--time", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    paths = []
    for place in arguments.places:
        paths += sorted(place.rglob("*.onnx")) if place.is_dir() else [place]
    paths = [path for path in paths if arguments.only in str(path)]
    print(f"{'model':28}{'comp. s':>8}{'cases':>6}{'agree':>6}{'differ':>9}{'levels':>9}{'kept':>9}", end="")
    print(f"{'ms':>10}{'ort ms':>10}{'ratio':>7}")
    rows = []
    for path in paths:
        try:
            row = check(Model(path), arguments.martlet, arguments.time)
        except Exception as problem:
            row = {"model": path.stem, "failed": [str(problem)]}
        rows.append(row)
        print(text(row), flush=True)
    agree = sum(not row["failed"] for row in rows)
    print(f"{agree} of {len(rows)} agree with onnxruntime {onnxruntime.__version__}")
    ratios = [row["ratio"] for row in rows if "ratio" in row]
    if ratios:
        print(f"onnxruntime's time over Martlet's, geometric mean: {math.exp(np.log(ratios).mean()):.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    return 0 if agree == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
