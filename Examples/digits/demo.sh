#!/usr/bin/env bash
# Compiles the digit classifier ahead of time and runs it on its test images.
# usage: demo.sh MARTLET
set -euo pipefail

martlet=${1:?usage: demo.sh MARTLET}
here=$(dirname "$0")
out=.build/demo
mkdir -p "$out"

show() {
  echo "$ $*"
  "$@"
}

# Debian's cc where there is one, else the compiler that Martlet needs anyway.
cc=cc
command -v cc > /dev/null || cc=clang-22

echo "# An executable that needs nothing but libc, run on all test images and measured on one:"
show "$martlet" compile "$here/digits.onnx" -o "$out/digits" --emit executable
show "$out/digits" run --input "image=$here/images.npy" --output-dir "$out/results"
show "$out/digits" bench --shape image=1x1x8x8 --seconds 1
echo
echo "# A library in a C program, which compares the results with the labels:"
show "$martlet" compile "$here/digits.onnx" -o "$out/digits.a" --emit static
show "$cc" -O2 "-I$out" "$here/classify.c" "$out/digits.a" -o "$out/classify"
show "$out/classify" "$here/images.npy" "$here/labels.npy"
