#!/bin/sh
# Builds and runs the runtime's tests. Usage: test.sh [BUILD-FOLDER]; CLANG names the compiler.
#
# The example of Sources/Runtime/README.md is taken from that file, so that it is true as long as this passes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
runtime=$here/../../Sources/Runtime
clang=${CLANG:-clang-22}
nm=${NM:-llvm-nm-22}
build=${1:-$(mktemp -d)}
mkdir -p "$build"

# The blocks of the README that start with `/* file */`.
awk -v out="$build" '
  /^```c$/ { open = 1; file = ""; next }
  /^```$/ { open = 0; next }
  open && file == "" { file = out "/" $2; printf "" > file; next }
  open { print >> file }' "$runtime/README.md"

warnings="-Wall -Wextra -Wpedantic -Werror"
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
    $clang "$@" $program $warnings $include "$here/model_test.c" "$build/model.o" "$build/kernel.o" -o "$build/model_test"
    $clang "$@" $program $warnings $include -DMARTLET_WEIGHTS_FILE=1 "$here/pool_test.c" -o "$build/pool_test"
    $clang "$@" -O2 -std=c11 -D_GNU_SOURCE -DMARTLET_PREFIX=digits $warnings $include "$runtime/executable.c" \
      "$build/model.o" "$build/kernel.o" -pthread -lm -o "$build/digits"
  }
  $runner "$build/model_test"
  # shellcheck disable=SC2086
  $runner "$build/pool_test" $rounds
}

# $1: name, $2: undefined symbols that are allowed, the rest: flags
symbols_of() {
  name=$1 allowed=$2
  shift 2
  # shellcheck disable=SC2086
  $clang "$@" $artifact $warnings $include -c "$build/model.c" -o "$build/symbols.o"
  extra=$($nm --undefined-only --format=just-symbols "$build/symbols.o" |
    grep -vxE "k_dense_11ab|digits_weights_pointer|memcpy|memset|memmove|$allowed" || true)
  exported=$($nm --defined-only --extern-only --format=just-symbols "$build/symbols.o")
  [ -z "$extra" ] || { echo "$name: undefined symbols:" $extra; exit 1; }
  [ "$exported" = digits_model ] || { echo "$name: exports" $exported; exit 1; }
}

rounds=100000
run_on host ""

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
symbols_of no-threads "malloc|free" --target=x86_64-linux-gnu -DMARTLET_THREADS=0
symbols_of cortex-m "__aeabi_.*" --target=thumbv7em-none-eabi -DMARTLET_HEAP=0
symbols_of wasm "malloc|free|__indirect_function_table|__stack_pointer|__linear_memory" --target=wasm32-unknown-unknown

if command -v qemu-aarch64 > /dev/null && [ -d /usr/aarch64-linux-gnu ]; then
  # The emulator itself does not survive threads in the child of a program with threads.
  rounds="5000 no-fork"
  run_on aarch64 qemu-aarch64 --target=aarch64-linux-gnu -fuse-ld=lld -static -mno-outline-atomics
fi
echo "runtime tests: ok"
