#!/bin/sh
# Fuzzes a parser: Tests/Fuzz/run.sh mir|onnx RUNS [BUILD-FOLDER]
#
# Needs a Swift toolchain with libFuzzer (the Linux one has it). SANITIZE=fuzzer,address also checks memory.
set -eu
cd "$(dirname "$0")/../.."
kind=${1:?mir or onnx}
runs=${2:?number of runs}
build=${3:-.build/fuzz}
sanitize=${SANITIZE:-fuzzer}
mkdir -p "$build/$kind-corpus" "$build/$kind-seeds"

compile() { # module, folder
  # shellcheck disable=SC2046
  swiftc -sanitize="$sanitize" -parse-as-library -O -wmo -swift-version 6 -module-name "$1" -I "$build" \
    -emit-module -emit-module-path "$build/$1.swiftmodule" -c $(find "$2" -name '*.swift') -o "$build/$1.o"
}

compile Support Sources/Support
compile IR IR
objects="$build/Support.o $build/IR.o"
case $kind in
mir)
  main=Tests/Fuzz/FuzzMIR.swift
  for file in Tests/IR/Invalid/*.mir; do
    awk -v out="$build/mir-seeds/$(basename "$file" .mir)" \
      'BEGIN { n = 0 } /^---$/ { n++; next } { sub(/ *\/\/ error:.*/, ""); print > (out "-" n ".mir") }' "$file"
  done
  # One module a function: short inputs mutate better.
  for file in Tests/IR/RoundTrip/*.mir; do
    awk -v out="$build/mir-seeds/$(basename "$file" .mir)" '
      /^  (entry|function) / { inside = 1; body = "" }
      inside { body = body $0 "\n"; if (/^  }$/) { print head body "}" > (out "-" n++ ".mir"); inside = 0 }; next }
      { head = head $0 "\n" }' "$file"
  done
  # The examples of the ops, each wrapped into a module.
  awk -v out="$build/mir-seeds/op" '
    /^```$/ { inside = !inside
      if (!inside) {
        print "module @m {\nsymbol n in 1...8 symbol s in 0...8 symbol t in 0...8\n" head "entry @e(" arguments ") -> () {\n" body "return\n}\n}" > (out "-" n++ ".mir")
        head = arguments = body = "" }
      next }
    !inside { next }
    /^(symbol|quantization|weight|state) / { head = head $0 "\n"; next }
    /^%[a-z0-9]*: / { arguments = arguments (arguments == "" ? "" : ", ") $0; next }
    { body = body $0 "\n" }' IR/Ops.md
  # Once more with inferred types: an attribute can then change without the type that follows from it.
  for file in "$build"/mir-seeds/*.mir; do
    case $file in
    *-inferred.mir) ;;
    *) sed -E 's/^( *(%[^=]* = |}).*) : [^"]*$/\1 : _/' "$file" > "${file%.mir}-inferred.mir" ;;
    esac
  done
  ;;
onnx)
  main="Tests/Fuzz/FuzzONNX.swift Tests/Fuzz/MutateONNX.swift"
  compile Formats Sources/Formats
  compile Frontends Sources/Frontends
  compile Emit Sources/Emit
  objects="$objects $build/Formats.o $build/Frontends.o $build/Emit.o"
  ;;
*) echo "mir or onnx, not $kind" >&2; exit 2 ;;
esac
# shellcheck disable=SC2086
swiftc -sanitize="$sanitize" -parse-as-library -O -swift-version 6 -module-name Fuzz -I "$build" $main $objects \
  -o "$build/fuzz-$kind"
dictionary=Tests/Fuzz/$kind.dict
"$build/fuzz-$kind" -runs="$runs" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
  $([ -f "$dictionary" ] && echo "-dict=$dictionary") -artifact_prefix="$build/$kind-" \
  "$build/$kind-corpus" "$build/$kind-seeds"
