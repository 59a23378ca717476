"""Measures models in turn with Martlet and with every peer that is installed, and keeps the figures.

    python3 versus.py [--martlet PROGRAM] [--peers A,B] [--threads 1,2] [--seconds S] [--save FILE] [MODEL|FOLDER...]

Without a model: the example, and models of one op each. Of open extents the first is 1; what models need besides,
`../Conformance/models.json` says. A ratio is the least of the peers' median times over Martlet's, so that more than one
means that Martlet is ahead of all. `tables.py` makes pages of what `--save` keeps. Needs numpy and onnx.
"""

import argparse
import json
import math
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "Conformance"))
GENERATED = Path(".build/bench")


def measure(martlet, path, peers, threads, seconds, words):
    """The rows of one model, and what was said besides."""
    command = [martlet, "bench", path, "--threads", threads, "--seconds", seconds, "--json"] + words
    if peers:
        command += ["--vs", ",".join(peers)]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    notes = result.stderr.strip().splitlines()
    try:
        answer = json.loads(result.stdout)
    except ValueError:
        return [], notes
    return answer.get("rows") or [answer | {"engine": "martlet"}], notes


def machine():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def geometric_mean(numbers):
    return math.exp(sum(map(math.log, numbers)) / len(numbers))


def summary(results):
    """One line for each number of threads."""
    for threads in sorted({result["threads"] for result in results}):
        ratios = [result["ratio"] for result in results if result["threads"] == threads]
        least = [result["ratio_min"] for result in results if result["threads"] == threads]
        yield (
            f"{len(ratios)} models, {threads} {'thread' if threads == 1 else 'threads'}: geometric mean "
            f"{geometric_mean(ratios):.3f}, by least times {geometric_mean(least):.3f}"
        )


def paths(places):
    if not places:
        from models import all_models

        return [HERE.parent.parent / "Examples/digits/digits.onnx"] + [Path(model) for model in all_models(GENERATED)]
    found = []
    for place in places:
        found += sorted(place.rglob("*.onnx")) if place.is_dir() else [place]
    return found


def result_of(name, threads, rows):
    by_engine = {row["engine"]: row for row in rows}
    own = by_engine.pop("martlet")
    result = {"model": name, "threads": threads, "rows": rows}
    if by_engine:
        for key, time in (("ratio", "median"), ("ratio_min", "min")):
            result[key] = min(row["ms"][time] for row in by_engine.values()) / own["ms"][time]
    return result


def line_of(name, threads, rows, peers, result):
    times = {row["engine"]: row["ms"]["median"] for row in rows}
    rate = next((row["gflops"] for row in rows if row["engine"] == "martlet"), None)
    line = f"{name:32}{threads:>8}"
    for engine in ["martlet"] + peers:
        line += f"{times[engine]:>16.4f}" if engine in times else f"{'-':>16}"
    line += f"{result['ratio']:>8.2f}" if "ratio" in result else f"{'-':>8}"
    return line + (f"{rate:>9.1f}" if rate else f"{'-':>9}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="*", type=Path)
    parser.add_argument("--martlet", default=".build/release/martlet")
    parser.add_argument("--peers", default="onnxruntime,openvino")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()
    try:
        from onnx_model import Model
    except ImportError as missing:
        sys.exit(f"versus: {missing}; install it with: pip install numpy onnx")

    peers = [peer for peer in arguments.peers.split(",") if peer]
    results, told, failed = [], set(), False
    header = "".join(f"{engine + ' ms':>16}" for engine in ["martlet"] + peers)
    print(f"{'model':32}{'threads':>8}{header}{'ratio':>8}{'Gop/s':>9}")
    for path in paths(arguments.places):
        model = Model(path)
        for threads in map(int, arguments.threads.split(",")):
            with tempfile.TemporaryDirectory() as scratch:
                words = model.words(Path(scratch))
                rows, notes = measure(arguments.martlet, path, peers, threads, arguments.seconds, words)
            failed = failed or any("error:" in note for note in notes)
            line = f"{model.name:32}{threads:>8}"
            if rows:
                results.append(result_of(model.name, threads, rows))
                line = line_of(model.name, threads, rows, peers, results[-1])
            news = [note for note in notes if note not in told and not told.add(note)]
            print("\n    ".join([line] + news), flush=True)
    for line in summary([result for result in results if "ratio" in result]):
        print(line)
    if arguments.save:
        about = {"machine": machine(), "martlet": version(arguments.martlet), "results": results}
        arguments.save.write_text(json.dumps(about, indent=1) + "\n")
    return 1 if failed else 0


def version(martlet):
    return subprocess.run([martlet, "--version"], capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
