#!/usr/bin/env python3
"""Runs a WASI command with the wasmtime package: run_wasmtime.py PROGRAM.wasm [ARGUMENT...]

The program sees its own folder and the current one, under their names here. Its exit status is ours.
"""

import os
import sys

import wasmtime


def main() -> int:
    program = os.path.abspath(sys.argv[1])
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    wasi = wasmtime.WasiConfig()
    wasi.argv = [os.path.basename(program), *sys.argv[2:]]
    wasi.inherit_stdin()
    wasi.inherit_stdout()
    wasi.inherit_stderr()
    folders = {os.path.dirname(program): os.path.dirname(program), os.getcwd(): "."}
    for folder, name in folders.items():
        wasi.preopen_dir(folder, name)
    store = wasmtime.Store(engine)
    store.set_wasi(wasi)
    instance = linker.instantiate(store, wasmtime.Module.from_file(engine, program))
    try:
        instance.exports(store)["_start"](store)
    except wasmtime.ExitTrap as leave:
        return leave.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
