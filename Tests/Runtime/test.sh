#!/bin/sh
# Builds and runs the runtime's tests. Usage: test.sh [BUILD-FOLDER]; CLANG names the compiler.
#
# The example of Sources/Runtime/README.md is taken from that file, so that it is true as long as this passes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runtime=$here/../../Sources/Runtime
clang=${CLANG:-clang-22}
nm=${NM:-llvm-nm-22}
if [ $# -gt 0 ]; then
  build=$1
else
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
fi
mkdir -p "$build"

# The blocks of the README that start with `/* file */`.
awk -v out="$build" '
  /^```c$/ { open = 1; file = ""; next }
  /^```$/ { open = 0; next }
  open && file == "" { file = out "/" $2; printf "" > file; next }
  open { print >> file }' "$runtime/README.md"

warnings="-Wall -Wextra -Wpedantic -Werror"

echo "== helpers"
$clang -O2 -std=gnu11 -Wall -Wextra -Werror -fno-builtin -I "$runtime" "$here/helpers_test.c" -lm -o "$build/helpers_test"
"$build/helpers_test"
artifact="-O2 -std=c11 -fPIC -fvisibility=hidden -ffreestanding -nostdlibinc -DMARTLET_PREFIX=digits"
program="-O2 -std=c11 -D_GNU_SOURCE -pthread"
include="-I $runtime -I $build"

# $1: name, $2: what runs it, the rest: flags for the target
run_on() {
  name=$1 runner=$2
  shift 2
  echo "== $name"
  # shellcheck disable=SC2086
  {
    $clang "$@" $artifact $warnings $include -c "$build/model.c" -o "$build/model.o"
    $clang "$@" $artifact $warnings -c "$here/digits_kernel.c" -o "$build/kernel.o"
    $clang "$@" $program $warnings $include "$here/model_test.c" "$build/model.o" "$build/kernel.o" \
      -o "$build/model_test"
    $clang "$@" $program $warnings $include -DMARTLET_WEIGHTS_FILE=1 "$here/pool_test.c" -o "$build/pool_test"
    $clang "$@" -O2 -std=c11 -D_GNU_SOURCE -DMARTLET_PREFIX=digits $warnings $include "$runtime/executable.c" \
      "$build/model.o" "$build/kernel.o" -pthread -lm -o "$build/digits"
  }
  $runner "$build/model_test"
  # shellcheck disable=SC2086
  $runner "$build/pool_test" $rounds
  use_executable
}

# $1: the exit status that the rest, a command, must have
status_of() {
  expected=$1
  shift
  actual=0
  "$@" > "$build/stdout" 2> "$build/stderr" || actual=$?
  [ "$actual" = "$expected" ] && return
  echo "$*: exit $actual, expected $expected"
  cat "$build/stdout" "$build/stderr"
  exit 1
}

use_executable() {
  digits="$runner $build/digits"
  rm -rf "$build/out"
  # shellcheck disable=SC2086
  {
    status_of 0 $digits --help
    status_of 0 $digits --random 7 --shape image=3x1x8x8 --output-dir "$build/out/a/b" \
      --save-inputs "$build/out/in" --threads 2
    grep -q '^scores f32\[3, 10\]: ' "$build/stdout"
    status_of 0 $digits run --input image="$build/out/in/image.npy" --output-dir "$build/out/c" --json --threads 1
    grep -q '^{"outputs": \[{"name": "scores", "type": "f32", "shape": \[3, 10\]}\]}$' "$build/stdout"
    cmp "$build/out/a/b/scores.npy" "$build/out/c/scores.npy"
    cmp "$build/out/a/b/outputs.json" "$build/out/c/outputs.json"
    grep -q '{"name": "scores", "file": "scores.npy", "type": "f32", "shape": \[3, 10\]}' "$build/out/c/outputs.json"
    status_of 0 $digits bench --shape image=3x1x8x8 --seconds 0.05 --json
    grep -q '"model": "digits", "entry": "main", "target": "x86-64-v3", "threads": .*"ms": {"min": ' "$build/stdout"
    status_of 2 $digits
    grep -q 'input image is missing' "$build/stderr"
    status_of 2 $digits bench
    grep -q 'input image: dimension 0 (n) is open; give --shape image=...' "$build/stderr"
    status_of 2 $digits bench --shape image=3x1x8
    status_of 2 $digits bench --shape picture=3
    status_of 2 $digits bench --seconds never
    status_of 2 $digits --entry other
    status_of 2 $digits --wat
    status_of 1 $digits bench --shape image=9999x1x8x8
    grep -q 'input "image": dimension 0 is 9999, n must be in 1...4096' "$build/stderr"
    status_of 1 $digits --input image="$build/out/none.npy"
    # Every truncation of a file is an error, never a crash.
    size=$(wc -c < "$build/out/c/scores.npy")
    for length in 0 5 9 11 60 100 127 128 $((size - 1)); do
      head -c "$length" "$build/out/in/image.npy" > "$build/out/cut.npy"
      status_of 1 $digits --input image="$build/out/cut.npy"
    done
    status_of 1 $digits --input image="$build/out/c/scores.npy"
    grep -q 'input "image": rank 2, expected 4' "$build/stderr"
  }
}

# $1: name, $2: undefined symbols that are allowed, the rest: flags
symbols_of() {
  name=$1 allowed=$2
  shift 2
  # shellcheck disable=SC2086
  $clang $artifact $warnings $include "$@" -c "$build/model.c" -o "$build/symbols.o"
  extra=$($nm --undefined-only --format=just-symbols "$build/symbols.o" |
    grep -vxE "k_dense_11ab|digits_weights_pointer|memcpy|memset|memmove|$allowed" || true)
  exported=$($nm --defined-only --extern-only --format=just-symbols "$build/symbols.o")
  [ -z "$extra" ] || { echo "$name: undefined symbols:" $extra; exit 1; }
  [ "$exported" = digits_model ] || { echo "$name: exports" $exported; exit 1; }
}

# Martlet carries every file.
for file in "$runtime"/*.[ch]; do
  grep -q "#embed \"../Runtime/${file##*/}\"" "$here/../../Sources/CData/runtime.c" ||
    { echo "${file##*/} is not embedded"; exit 1; }
done

rounds=100000
run_on host ""
rounds=5000
run_on sanitized "" -g -fsanitize=address,undefined -fno-sanitize-recover=all

# The interface as C99 and as C++.
echo '#include "digits.h"
int main(void) { return digits_message(0) == 0; }' > "$build/header.c"
# shellcheck disable=SC2086
{
  $clang -std=c99 $warnings $include -fsyntax-only "$build/header.c"
  $clang -x c++ -std=c++11 $warnings $include -fsyntax-only "$build/header.c"
}

hosted="malloc|free|pthread_create|pthread_join"
symbols_of x86_64 "$hosted" --target=x86_64-linux-gnu
symbols_of x86_64-file "$hosted" --target=x86_64-linux-gnu -DMARTLET_WEIGHTS_FILE=1
symbols_of aarch64 "$hosted|getauxval" --target=aarch64-linux-gnu -mno-outline-atomics
symbols_of riscv64 "$hosted|getauxval" --target=riscv64-linux-gnu
symbols_of arm "$hosted|getauxval|__aeabi_.*" --target=arm-linux-gnueabihf -march=armv7-a
symbols_of no-threads "malloc|free" --target=x86_64-linux-gnu -DMARTLET_THREADS=0
symbols_of cortex-m "__aeabi_.*" --target=thumbv7em-none-eabi -DMARTLET_HEAP=0
# Threads without a system that they know: the caller's.
symbols_of no-system "malloc|free" --target=x86_64-linux-gnu -U__linux__ -DMARTLET_THREADS=1
# shellcheck disable=SC2086
{
  $clang $artifact $warnings $include -U__linux__ -DMARTLET_THREADS=1 -c "$build/model.c" -o "$build/model.o"
  $clang $program $warnings $include "$here/model_test.c" "$build/model.o" "$build/kernel.o" -o "$build/model_test"
  "$build/model_test"
}
symbols_of wasm "malloc|free|__indirect_function_table|__stack_pointer|__linear_memory" \
  --target=wasm32-unknown-unknown -fno-pic

if command -v qemu-aarch64 > /dev/null && [ -d /usr/aarch64-linux-gnu ]; then
  # The emulator itself does not survive threads in the child of a program with threads.
  rounds="5000 no-fork"
  sed -i 's/"sse2", NULL/"neon", NULL/' "$build/model.c"
  run_on aarch64 qemu-aarch64 --target=aarch64-linux-gnu -fuse-ld=lld -static -mno-outline-atomics \
    -Wno-unused-command-line-argument
fi
if command -v qemu-riscv64 > /dev/null && [ -d /usr/riscv64-linux-gnu ]; then
  rounds="5000 no-fork"
  sed -i 's/"neon", NULL/"d", NULL/; s/"sse2", NULL/"d", NULL/' "$build/model.c"
  run_on riscv64 qemu-riscv64 --target=riscv64-linux-gnu -march=rv64gc -mabi=lp64d -fuse-ld=lld -static \
    -Wno-unused-command-line-argument
fi
if command -v qemu-arm > /dev/null && [ -d /usr/arm-linux-gnueabihf ]; then
  rounds="5000 no-fork"
  sed -i 's/"sse2", NULL/"neon", NULL/; s/"d", NULL/"neon", NULL/' "$build/model.c"
  run_on arm qemu-arm --target=arm-linux-gnueabihf -march=armv7-a -mfpu=neon -mfloat-abi=hard -marm -fuse-ld=lld \
    -static -Wno-unused-command-line-argument
fi
echo "runtime tests: ok"
