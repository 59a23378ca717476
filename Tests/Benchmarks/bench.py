"""Measures models of one op with `martlet bench` and prints what one core and two cores reach.

usage: bench.py MARTLET [--seconds S]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(".build/bench")


def measure(martlet, path, threads, seconds):
    """Milliseconds of one run, or why there are none."""
    command = [martlet, "bench", path, "--threads", str(threads), "--seconds", str(seconds), "--json"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        return None, result.stderr.strip()
    return json.loads(result.stdout)["ms"]["min"], ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("martlet")
    parser.add_argument("--seconds", type=float, default=1)
    arguments = parser.parse_args()
    try:
        from models import all_models
    except ImportError as missing:
        sys.exit(f"bench: {missing}; install it with: pip install numpy onnx")

    failed = False
    print(f"{'model':26}{'threads':>8}{'ms':>10}{'Gop/s':>9}")
    for model in all_models(FOLDER):
        for threads in (1, 2):
            ms, problem = measure(arguments.martlet, model.path, threads, arguments.seconds)
            if ms is None:
                failed = True
                print(f"{model.name:26}{threads:>8}  {problem}")
                break
            print(f"{model.name:26}{threads:>8}{ms:>10.4f}{model.operations / ms / 1e6:>9.1f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
