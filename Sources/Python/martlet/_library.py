"""Finds and opens the compiler's library."""
import ctypes
import os
import pathlib
import threading

from .error import CompileError

NAME = "libmartlet-c.so"
_lock = threading.Lock()
_opened = None


def candidates():
    """Where the library may lie, best first."""
    here = pathlib.Path(__file__).resolve().parent
    yield here / NAME
    # The package as it lies in a checkout, or as it was installed from one.
    yield here.parents[2] / ".build" / "release" / NAME
    try:
        from ._checkout import PATH
    except ImportError:
        return
    yield pathlib.Path(PATH) / ".build" / "release" / NAME


def find():
    told = os.environ.get("MARTLET_LIBRARY")
    if told:
        if not os.path.isfile(told):
            raise CompileError(CompileError.USAGE, f"MARTLET_LIBRARY: there is no {told}")
        return told
    places = list(candidates())
    for place in places:
        if place.is_file():
            return str(place)
    raise CompileError(
        CompileError.USAGE,
        f"there is no {NAME} in {' or '.join(sorted({str(place.parent) for place in places}))}: build it with "
        "`swift build -c release --product martlet-c` in a checkout of Martlet, or say where it is in MARTLET_LIBRARY",
    )


def compiler():
    """The library, opened once a process. Running what is compiled already does not need it."""
    global _opened
    with _lock:
        if _opened is None:
            _opened = _open(find())
        return _opened


def _open(path):
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise CompileError(CompileError.USAGE, f"{path} cannot be loaded: {error}") from None
    functions = {
        "version": (ctypes.c_char_p, []),
        "message": (ctypes.c_char_p, []),
        "load": (ctypes.c_int32, [ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]),
        "release": (None, [ctypes.c_void_p]),
        "write": (ctypes.c_int32, [ctypes.c_char_p] * 3),
    }
    for name, (result, arguments) in functions.items():
        function = getattr(library, f"martlet_compiler_{name}")
        function.restype, function.argtypes = result, arguments
    library.martlet_compiled_table.restype = ctypes.c_void_p
    library.martlet_compiled_table.argtypes = [ctypes.c_void_p]
    return library


def version():
    """The version of the compiler's library."""
    return compiler().martlet_compiler_version().decode()


def check(status):
    """Raises what the last call of this thread says."""
    if status:
        raise CompileError(status, compiler().martlet_compiler_message().decode("utf-8", "replace"))
