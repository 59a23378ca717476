#!/bin/sh
# Compiles, links and runs a model with 3 GB of weights, embedded and in a file, and compares with NumPy.
# Usage: large_weights.sh MARTLET [GIGABYTES]. Needs Python with numpy and onnx, and four times that room in TMPDIR.
set -eu
martlet=$(realpath "$1")
gigabytes=${2:-3}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
# What is in the making is large too.
TMPDIR=$folder
export TMPDIR

python3 - "$gigabytes" <<'PYTHON'
"""Layers of one gigabyte each: x becomes tanh(x W), again and again. The weights lie outside of the model's file."""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

layers, size = int(sys.argv[1]), 16384
random = np.random.default_rng(2)
x = random.standard_normal((1, size), dtype=np.float32)
np.save("x.npy", x)
nodes, tensors, name = [], [], "x"
with open("weights.bin", "wb") as file:
    for layer in range(layers):
        offset, y = file.tell(), np.zeros((1, size), np.float64)
        # By blocks of rows, so that this needs little memory.
        for start in range(0, size, 1024):
            block = random.standard_normal((1024, size), dtype=np.float32) * np.float32(size**-0.5)
            block.tofile(file)
            y += x[:, start : start + 1024].astype(np.float64) @ block.astype(np.float64)
        x = np.tanh(y).astype(np.float32)
        tensor = TensorProto(name=f"w{layer}", data_type=TensorProto.FLOAT, dims=[size, size])
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in [("location", "weights.bin"), ("offset", offset), ("length", file.tell() - offset)]:
            tensor.external_data.add(key=key, value=str(value))
        tensors.append(tensor)
        nodes.append(helper.make_node("MatMul", [name, f"w{layer}"], [f"m{layer}"], name=f"m{layer}"))
        nodes.append(helper.make_node("Tanh", [f"m{layer}"], [f"y{layer}"], name=f"y{layer}"))
        name = f"y{layer}"
np.save("expected.npy", x)
graph = helper.make_graph(
    nodes, "large", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, size])],
    [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])], tensors)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), "large.onnx")
PYTHON

measure() {
  python3 - "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
subprocess.run(sys.argv[2:], check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]:28}{time.monotonic() - start:7.2f} s wall {usage.ru_utime + usage.ru_stime:7.2f} s cpu"
      f"{usage.ru_maxrss / 1024:8.0f} MB resident at most")
PYTHON
}

compare() {
  python3 - "$1" <<'PYTHON'
import glob, sys
import numpy as np
actual, expected = np.load(glob.glob(sys.argv[1] + "/*.npy")[0]), np.load("expected.npy")
worst = np.abs(actual - expected).max()
print(f"off by at most {worst:.1e}")
# Three sums of 16384 products of about 1 / 128 each, in f32.
sys.exit(0 if worst <= 1e-4 else 1)
PYTHON
}

ls -l weights.bin
measure "compile, embedded" "$martlet" compile large.onnx -o embedded --emit executable --no-cache
measure "run, embedded" ./embedded run --input x=x.npy --output-dir embedded.out
compare embedded.out
rm embedded
measure "compile, weights in a file" "$martlet" compile large.onnx -o large.so --weights file --no-cache
measure "run, weights in a file" "$martlet" run large.so --input x=x.npy --output-dir file.out
compare file.out
