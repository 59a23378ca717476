#!/bin/sh
# Prints how long a network of 50 convolutions compiles: with nothing cached, with its kernels cached, and once more when
# nothing changed. Usage: compile_time.sh MARTLET. Needs Python with numpy and onnx.
set -eu
martlet=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 - <<'PYTHON'
"""A residual network in the shape of ResNet-50: a stem, 16 blocks of three convolutions, and one at the end."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(1)
nodes, weights = [], []


def conv(x, filters, channels, kernel, stride=1, relu=True):
    name = f"conv{len(weights) // 2 + 1}"
    scale = (channels * kernel * kernel) ** -0.5
    values = random.standard_normal((filters, channels, kernel, kernel), dtype=np.float32) * np.float32(scale)
    weights.append(numpy_helper.from_array(values, name + ".w"))
    weights.append(numpy_helper.from_array(np.zeros(filters, np.float32), name + ".b"))
    pads = [kernel // 2] * 4
    nodes.append(helper.make_node(
        "Conv", [x, name + ".w", name + ".b"], [name], name=name, kernel_shape=[kernel] * 2, strides=[stride] * 2,
        pads=pads))
    if not relu:
        return name
    nodes.append(helper.make_node("Relu", [name], [name + ".r"], name=name + ".r"))
    return name + ".r"


x, channels = conv("image", 64, 3, 7, 2), 64
for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
    for block in range(blocks):
        first = block == 0
        y = conv(x, width, channels, 1)
        y = conv(y, width, width, 3, 2 if first and stage > 0 else 1)
        y = conv(y, 4 * width, width, 1, relu=first)
        if not first:
            nodes.append(helper.make_node("Add", [x, y], [y + ".sum"], name=y + ".sum"))
            nodes.append(helper.make_node("Relu", [y + ".sum"], [y + ".out"], name=y + ".out"))
            y = y + ".out"
        x, channels = y, 4 * width
x = conv(x, 512, channels, 1)
graph = helper.make_graph(
    nodes, "fifty", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 224, 224])],
    [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, 512, 14, 14])], weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
assert sum(node.op_type == "Conv" for node in nodes) == 50
onnx.save(model, "fifty.onnx")
PYTHON

measure() {
  python3 - "$@" <<'PYTHON'
import resource, subprocess, sys, time
start = time.monotonic()
subprocess.run(sys.argv[2:], check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]:28}{time.monotonic() - start:7.2f} s wall {usage.ru_utime + usage.ru_stime:7.2f} s cpu"
      f"{usage.ru_maxrss / 1024:8.0f} MB")
PYTHON
}

echo "50 convolutions, $(du -h fifty.onnx | cut -f1) of weights, load $(cut -d' ' -f1 /proc/loadavg)"
measure "cold" "$martlet" compile fifty.onnx -o cold.so --name fifty --cache-dir cache
measure "warm: same model" "$martlet" compile fifty.onnx -o warm.so --name fifty --cache-dir cache
cmp cold.so warm.so
touch fifty.onnx
measure "warm: kernels only" "$martlet" compile fifty.onnx -o warm.so --name fifty --cache-dir cache
cmp cold.so warm.so
