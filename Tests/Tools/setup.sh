#!/usr/bin/env bash
# Installs from Debian what building and testing Martlet needs. Does nothing when all of it is there.
set -euo pipefail

# Package and a file that shows it is installed.
needed=(
  llvm-22-dev /usr/lib/llvm-22/include/llvm-c/Core.h
  llvm-22-tools /usr/lib/llvm-22/bin/FileCheck
  clang-22 /usr/bin/clang-22
  lld-22 /usr/bin/ld.lld-22
  qemu-user /usr/bin/qemu-aarch64
  qemu-system-arm /usr/bin/qemu-system-arm
  gcc-aarch64-linux-gnu /usr/bin/aarch64-linux-gnu-gcc
  libc6-dev-arm64-cross /usr/aarch64-linux-gnu/lib/crt1.o
  gcc-arm-linux-gnueabihf /usr/bin/arm-linux-gnueabihf-gcc
  libc6-dev-armhf-cross /usr/arm-linux-gnueabihf/lib/crt1.o
  gcc-riscv64-linux-gnu /usr/bin/riscv64-linux-gnu-gcc
  libc6-dev-riscv64-cross /usr/riscv64-linux-gnu/lib/crt1.o
  wasi-libc /usr/include/wasm32-wasi/stdio.h
  libclang-rt-22-dev-wasm32 /usr/lib/llvm-22/lib/clang/22/lib/wasi/libclang_rt.builtins-wasm32.a
)

missing=()
for ((i = 0; i < ${#needed[@]}; i += 2)); do
  [[ -e ${needed[i + 1]} ]] || missing+=("${needed[i]}")
done

if ((${#missing[@]})); then
  echo "setup: installing ${missing[*]}"
  if ! command -v apt-get > /dev/null; then
    echo "setup: this is no Debian: there is no apt-get. Install these by hand: ${missing[*]}" >&2
    exit 1
  fi
  root=()
  if ((EUID != 0)); then
    if ! command -v sudo > /dev/null; then
      echo "setup: root is needed. Run: apt-get install ${missing[*]}" >&2
      exit 1
    fi
    root=(sudo)
  fi
  # Lists that are old or were never fetched name packages that are not on the servers.
  install() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
  }
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  if ! install > "$log" 2>&1; then
    if ! "${root[@]}" apt-get update > "$log" 2>&1 || ! install > "$log" 2>&1; then
      tail -n 15 "$log" >&2
      echo "setup: apt-get could not install ${missing[*]} (LLVM 22 comes with Debian 12's security updates)" >&2
      exit 1
    fi
  fi
fi

# What Debian does not have.
if ! command -v swift > /dev/null; then
  echo "setup: Swift is missing and cannot be installed from Debian. Get 6.3 or later from https://swift.org/install" >&2
  exit 1
fi
version=$(swift --version 2> /dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
read -r major minor <<< "${version:-0 0}"
if ((major < 6 || (major == 6 && minor < 3))); then
  echo "setup: Swift $major.$minor is too old: 6.3 or later is needed, from https://swift.org/install" >&2
  exit 1
fi

# What runs WebAssembly. Tests that need it say so where it cannot be had.
tools=$(cd "$(dirname "$0")/../.." && pwd)/.build/tools
if ! command -v wasmtime > /dev/null && [[ ! -d $tools/wasmtime/wasmtime ]]; then
  echo "setup: installing wasmtime for Python"
  python3 -m pip install --quiet --disable-pip-version-check --target "$tools/wasmtime" wasmtime > /dev/null 2>&1 ||
    echo "setup: wasmtime could not be installed: tests of WebAssembly programs will be skipped"
fi
