"""Runs the ONNX project's own backend tests against Martlet.

    python3 run.py [--match REGEX] [--sample N] [--processes N] [--details FILE] [--renew]

A case passes within the suite's own tolerances, on the machine that runs it. `exceptions.txt` lists the cases that do
not pass, by reason. The run fails if a case that is not listed fails, or one that is listed passes. `--renew` takes
the latter off the list and adds the former, under what they print.

Needs numpy, onnx and ml_dtypes, and Martlet's library (`swift build -c release --product martlet-c`).
"""
import argparse
import json
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time
import traceback
import unittest
import warnings

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "Sources" / "Python"))

# The suite's kinds of tests, as its classes are called, and what they are called here.
GROUPS = {
    "OnnxBackendNodeModelTest": "node",
    "OnnxBackendSimpleModelTest": "simple",
    "OnnxBackendPyTorchConvertedModelTest": "pytorch-converted",
    "OnnxBackendPyTorchOperatorModelTest": "pytorch-operator",
    "OnnxBackendRealModelTest": "light",
}
# Seconds after which a case counts as hung.
LIMIT = 300


def exceptions():
    """Case to reason."""
    reasons, reason = {}, None
    for number, line in enumerate((HERE / "exceptions.txt").read_text().splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if not line.startswith(" "):
            reason = text
        elif reason is None or text in reasons:
            sys.exit(f"exceptions.txt, line {number}: {text} " + ("has no reason" if reason is None else "is listed twice"))
        else:
            reasons[text] = reason
    return reasons


def load():
    """The suite's tests for CPUs: (group, case) to a test."""
    import onnx.backend.test

    import martlet.backend

    class Measured(martlet.backend.MartletBackend):
        """The backend, noting how long compiling takes. One thread, as cases run side by side."""

        compiled = []

        @classmethod
        def prepare(cls, model, device="CPU", **kwargs):
            start = time.perf_counter()
            try:
                return super().prepare(model, device, **{"threads": 1, **kwargs})
            finally:
                cls.compiled.append(time.perf_counter() - start)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        suite = onnx.backend.test.BackendTest(Measured, __name__)
    tests = {}
    for name, case in suite.test_cases.items():
        for method in unittest.defaultTestLoader.getTestCaseNames(case):
            if method.endswith("_cpu"):
                tests[GROUPS[name], method.removesuffix("_cpu")] = case(method)
    return tests, Measured


def run(test, backend):
    """("pass", seconds of compiling, "") or a failure with its reason in one line."""
    backend.compiled.clear()
    outcome = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test.run(outcome)
    seconds = sum(backend.compiled)
    if outcome.skipped:
        return "skip", seconds, outcome.skipped[0][1]
    for _, text in outcome.failures + outcome.errors:
        return "fail", seconds, reason(text)
    return "pass", seconds, ""


def reason(text):
    """The end of a traceback as one line; for numbers that differ, how much."""
    lines = [line.strip() for line in text.strip().splitlines()]
    differs = [line for line in lines if line.startswith(("Mismatched", "Max absolute", "Max relative", "x and y"))]
    last = next((line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)), lines[-1])
    return " ".join([last] + differs)[:400]


def work(tests, backend, connection):
    """A process of its own, as a case may bring it down."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    while True:
        key = connection.recv()
        if key is None:
            return
        try:
            connection.send(run(tests[key], backend))
        except Exception:
            connection.send(("fail", 0, traceback.format_exc(limit=1).splitlines()[-1]))


class Worker:
    def __init__(self, tests, backend):
        self.tests, self.backend = tests, backend
        self.key = None
        self.start()

    def start(self):
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(self.tests, self.backend, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, key):
        self.key, self.since = key, time.monotonic()
        self.connection.send(key)

    def result(self):
        """What became of the case; None while it runs."""
        key = self.key
        try:
            if self.connection.poll():
                answer = self.connection.recv()
            elif time.monotonic() - self.since > LIMIT:
                answer = ("fail", 0, f"takes more than {LIMIT} s")
                self.process.kill()
            else:
                return None
        except (EOFError, ConnectionError):
            self.process.join()
            answer = ("fail", 0, f"ends the process with status {self.process.exitcode}")
        if not self.process.is_alive() or answer[2].startswith(("takes", "ends")):
            self.process.join()
            self.start()
        self.key = None
        return key, answer


def run_all(tests, backend, keys, processes):
    results, left = {}, list(reversed(keys))
    workers = [Worker(tests, backend) for _ in range(min(processes, max(1, len(keys))))]
    while left or any(worker.key for worker in workers):
        for worker in workers:
            if worker.key is not None:
                done = worker.result()
                if done:
                    progress(len(results) + 1, len(keys))
                    results[done[0]] = done[1]
            if worker.key is None and left:
                worker.give(left.pop())
        connections = [worker.connection for worker in workers if worker.key is not None]
        multiprocessing.connection.wait(connections, timeout=1)
    for worker in workers:
        worker.connection.send(None)
        worker.process.join()
    return results


def short(text):
    """A failure's message without what differs from case to case."""
    text = re.sub(r"^[\w.]+Error: ", "", text)
    text = re.sub(r'^model\.onnx: (node "[^"]*" )?', "", text)
    text = re.sub(r', node "[^"]*"', "", text)
    return re.sub(r"^Mismatched elements.*", "other numbers", text)


def renew(results, listed):
    """Writes the list anew; reasons that people wrote stay."""
    kept = {key[1] for key in results}
    reasons = {name: reason for name, reason in listed.items() if name not in kept}
    for (_, name), (outcome, _, text) in results.items():
        if outcome != "pass":
            reasons[name] = listed.get(name) or short(text)
    lines = [line for line in (HERE / "exceptions.txt").read_text().splitlines() if line.startswith("#")]
    for reason in sorted(set(reasons.values())):
        lines += ["", reason] + sorted("  " + name for name in reasons if reasons[name] == reason)
    (HERE / "exceptions.txt").write_text("\n".join(lines) + "\n")


def progress(done, count):
    if sys.stderr.isatty():
        print(f"\r{done} of {count}" + ("\r" + 20 * " " + "\r" if done == count else ""), end="", file=sys.stderr)


def report(results, listed, seconds, whole):
    print(f"{'group':18} {'cases':>6} {'pass':>6} {'share':>8}")
    for group in GROUPS.values():
        outcomes = [answer[0] for key, answer in results.items() if key[0] == group]
        if outcomes:
            passed = outcomes.count("pass")
            print(f"{group:18} {len(outcomes):6} {passed:6} {100 * passed / len(outcomes):7.2f}%")
    compiles = {key: answer[1] for key, answer in results.items() if answer[0] == "pass"}
    if compiles:
        slowest = sorted(compiles, key=compiles.get, reverse=True)[:5]
        print(f"{seconds:.0f} s; a compile takes {1000 * statistics.median(compiles.values()):.0f} ms in the median; slowest: "
              + ", ".join(f"{key[1]} {compiles[key]:.1f} s" for key in slowest))
    new = {key: answer for key, answer in results.items() if answer[0] != "pass" and key[1] not in listed}
    mended = [key[1] for key, answer in results.items() if answer[0] == "pass" and key[1] in listed]
    for (group, name), (_, _, text) in sorted(new.items()):
        print(f"FAILS {group} {name}: {text}")
    for name in sorted(mended):
        print(f"PASSES but is listed in exceptions.txt: {name}")
    gone = sorted(set(listed) - {key[1] for key in results}) if whole else []
    for name in gone:
        print(f"LISTED in exceptions.txt, but there is no such case: {name}")
    return not (new or mended or gone)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--match", default="", help="only cases whose names match this expression")
    arguments.add_argument("--sample", type=int, help="only so many cases, evenly over all")
    arguments.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--details", help="write every case's result there, as JSON")
    arguments.add_argument("--renew", action="store_true", help="write exceptions.txt as the results are")
    wishes = arguments.parse_args()
    try:
        import ml_dtypes, numpy, onnx  # noqa: E401, F401
    except ImportError as error:
        print(f"skipped: {error.name} is not installed for {sys.executable}")
        return 0
    wanted = re.search(r"onnx==(\S+)", (HERE / "requirements.txt").read_text())[1]
    if onnx.__version__ != wanted:
        print(f"note: exceptions.txt is for onnx {wanted}, this is {onnx.__version__}")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="martlet-onnx-") as home:
        # Where the suite writes the inputs that it makes up.
        os.environ["ONNX_HOME"] = home
        tests, backend = load()
        keys = [key for key in tests if re.search(wishes.match, key[1])]
        if wishes.sample:
            keys = keys[:: max(1, len(keys) // wishes.sample)]
        results = run_all(tests, backend, keys, wishes.processes)
    if wishes.details:
        rows = {f"{group} {name}": answer for (group, name), answer in results.items()}
        pathlib.Path(wishes.details).write_text(json.dumps(rows, indent=1) + "\n")
    if wishes.renew:
        renew(results, exceptions())
    whole = not wishes.match and not wishes.sample
    return 0 if report(results, exceptions(), time.monotonic() - start, whole) else 1


if __name__ == "__main__":
    sys.exit(main())
