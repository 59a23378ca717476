"""Measures models in turn with Martlet and with every peer that is installed, and keeps the figures.

    python3 versus.py [--martlet PROGRAM] [--peers A,B] [--threads 1,2] [--seconds S] [--save FILE] MODEL|FOLDER...

A ratio is the least of the peers' median times over Martlet's. Needs numpy, onnx and onnxruntime.
"""

import argparse
import json
import math
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "Conformance"))


def measure(martlet, path, peers, threads, seconds, words):
    command = [martlet, "bench", path, "--vs", ",".join(peers), "--threads", threads, "--seconds", seconds, "--json"]
    result = subprocess.run(list(map(str, command + words)), capture_output=True, text=True)
    notes = result.stderr.strip().splitlines()
    try:
        return json.loads(result.stdout)["rows"], notes
    except (ValueError, KeyError):
        return [], notes


def machine():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def geometric_mean(numbers):
    return math.exp(sum(map(math.log, numbers)) / len(numbers))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("places", nargs="+", type=Path)
    parser.add_argument("--martlet", default=".build/release/martlet")
    parser.add_argument("--peers", default="onnxruntime,openvino")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()
    from onnx_model import Model

    paths = []
    for place in arguments.places:
        paths += sorted(place.rglob("*.onnx")) if place.is_dir() else [place]
    peers = arguments.peers.split(",")
    results = []
    print(f"{'model':36}{'threads':>8}{'martlet ms':>12}" + "".join(f"{peer + ' ms':>16}" for peer in peers), end="")
    print(f"{'ratio':>8}{'of least':>9}")
    for path in paths:
        name = path.stem if path.stem != "model" else path.parent.name
        for threads in map(int, arguments.threads.split(",")):
            with tempfile.TemporaryDirectory() as scratch:
                words = Model(path).words(1, Path(scratch))
                rows, notes = measure(arguments.martlet, path, peers, threads, arguments.seconds, words)
            by_engine = {row["engine"]: row for row in rows}
            others = [row for engine, row in by_engine.items() if engine != "martlet"]
            line = f"{name:36}{threads:>8}"
            if others:
                own = by_engine["martlet"]["ms"]
                ratio = min(row["ms"]["median"] for row in others) / own["median"]
                least = min(row["ms"]["min"] for row in others) / own["min"]
                results.append({"model": name, "threads": threads, "ratio": ratio, "ratio_min": least, "rows": rows})
                line += f"{own['median']:>12.4f}"
                for peer in peers:
                    line += f"{by_engine[peer]['ms']['median']:>16.4f}" if peer in by_engine else f"{'-':>16}"
                line += f"{ratio:>8.2f}{least:>9.2f}"
            print("\n    ".join([line] + notes), flush=True)
    for threads in sorted({result["threads"] for result in results}):
        of_these = [result for result in results if result["threads"] == threads]
        print(
            f"geometric mean of {len(of_these)} models, {threads} threads: "
            f"{geometric_mean([result['ratio'] for result in of_these]):.3f}, "
            f"of least times {geometric_mean([result['ratio_min'] for result in of_these]):.3f}"
        )
    if arguments.save:
        arguments.save.write_text(json.dumps({"machine": machine(), "results": results}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
