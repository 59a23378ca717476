"""Writes cases.json and cases.bin: what independent peers make of every op of the IR, over random shapes, attributes
and element types.

    python3 make_cases.py

Needs numpy, scipy, ml_dtypes, onnx, onnxruntime and gguf. Seeds are fixed: a second run writes the same files.
"""
import pathlib
import sys

from oracle import cases

FAMILIES = [
    "elementwise", "contractions", "reductions", "attention", "recurrent", "windows", "moving", "ordering", "images",
    "quantization", "control", "ensembles"]

folder = pathlib.Path(__file__).parent
sys.path.insert(0, str(folder))
for family in FAMILIES:
    before, size = len(cases.items), len(cases.data)
    __import__(family).make()
    print(f"{family}: {len(cases.items) - before} cases, {len(cases.data) - size} bytes")
count = cases.write(folder)
print(f"{count} cases, {(folder / 'cases.json').stat().st_size} and {(folder / 'cases.bin').stat().st_size} bytes")
