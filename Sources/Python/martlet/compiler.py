"""Compiles models."""
import ctypes
import json
import os
import tempfile

from . import _library
from .error import CompileError
from .model import from_compiler, load

_STANDARD = object()


def compile(
    model, output=None, *, target="host", shape=None, threads=None, weights="embed", cache_dir=_STANDARD, name=None,
    **options,
):
    """Compiles a model and loads it.

    `model` is a path, the bytes of an ONNX file, or an `onnx.ModelProto`. With `output` the artifact is written there:
    a shared library (.so), archive (.a), object (.o), or an executable without a suffix. A shared library for this
    machine is then loaded too; otherwise the result is None.

    The options are those of `martlet compile`: `target`, `shape` (a dict of lists of extents), `threads` (the most to
    use), `weights` ("embed" or "file"), `name` (the prefix of exported names), `cache_dir` (None keeps nothing), and
    by their names `precision`, `numerics`, `profile`, `sysroot` and `from_phase`.
    """
    settings = {"target": target, "weights": weights, "shape": _shapes(shape)}
    if threads is not None:
        settings["threads"] = threads
    if name is not None:
        settings["name"] = name
    if cache_dir is not _STANDARD:
        settings["cache_dir"] = None if cache_dir is None else os.fsdecode(cache_dir)
    if "from_phase" in options:
        options["from"] = options.pop("from_phase")
    try:
        text = json.dumps({**settings, **options}).encode()
    except TypeError as error:
        raise CompileError(CompileError.USAGE, f"an option is no number, text or truth: {error}") from None
    if isinstance(model, (str, os.PathLike)):
        return _compile(os.fsdecode(model), text, output, threads, target)
    with tempfile.TemporaryDirectory(prefix="martlet-") as folder:
        path = os.path.join(folder, f"{_file_name(name)}.onnx")
        with open(path, "wb") as file:
            file.write(_contents(model))
        try:
            return _compile(path, text, output, threads, target)
        except CompileError as error:
            raise CompileError(error.status, error.message.replace(folder + os.sep, "")) from None


def _compile(path, options, output, threads, target):
    library = _library.compiler()
    if output is None:
        handle = ctypes.c_void_p()
        _library.check(library.martlet_compiler_load(os.fsencode(path), options, ctypes.byref(handle)))
        return from_compiler(handle, threads)
    output = os.path.abspath(os.fsdecode(output))
    _library.check(library.martlet_compiler_write(os.fsencode(path), options, os.fsencode(output)))
    return load(output, threads=threads) if target == "host" and output.endswith(".so") else None


def _contents(model):
    if hasattr(model, "SerializeToString"):
        return model.SerializeToString()
    if isinstance(model, (bytes, bytearray, memoryview)):
        return model
    raise CompileError(
        CompileError.USAGE, f"a {type(model).__name__} is no model: give a path, bytes or an onnx.ModelProto")


def _file_name(name):
    return name if name and name.replace("_", "").isalnum() else "model"


def _shapes(shape):
    try:
        return {name: [int(extent) for extent in extents] for name, extents in (shape or {}).items()}
    except (AttributeError, TypeError, ValueError):
        raise CompileError(CompileError.USAGE, "shape wants a dict of lists of extents") from None
