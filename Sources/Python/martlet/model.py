"""Loaded models."""
import _ctypes
import contextlib
import ctypes
import json
import os
import tempfile
import threading
import weakref

from . import _elf
from . import _interface as abi
from . import _library
from ._context import Context
from ._types import BY_NUMBER
from .error import RunError


_KINDS = {abi.TENSOR: "tensor", abi.SEQUENCE: "sequence", abi.OPTIONAL: "optional"}


class Port:
    """An input or output.

    `kind` is "tensor", "sequence" or "optional". A tensor has a `dtype`, Martlet's name of the element type as `type`,
    and a `shape`, whose open extents are texts such as "n" or "2 * n", and None where data decides. For the others
    `member` describes what they hold.
    """

    def __init__(self, info, entry):
        self.name = info.name.decode() if info.name else ""
        self.kind = _KINDS.get(info.kind)
        self._kind = BY_NUMBER.get(info.type)
        if self.kind is None or self._kind is None:
            raise RunError(RunError.INVALID_ARGUMENT, f'"{self.name}" has the unknown type {info.type}')
        self._entry = entry
        self.member = None if self.kind == "tensor" else self._member_of(info)
        self.type = self._kind.name
        self.dtype = self._kind.dtype
        has_dims = self.kind == "tensor" and info.rank >= 0
        self._dims = [(info.dims[axis].kind, info.dims[axis].value) for axis in range(info.rank)] if has_dims else []
        self.shape = tuple(self._text(kind, value) for kind, value in self._dims) if has_dims else None
        #: Whether a result can be written where an array has its elements.
        self._is_plain = has_dims and not self._kind.is_packed and not self._kind.is_string
        self._has_symbols = any(kind in (abi.SYMBOL, abi.EXPRESSION) for kind, _ in self._dims)

    def _member_of(self, info):
        if info.struct_size < ctypes.sizeof(abi.TensorInfo) or not info.member:
            raise RunError(RunError.INVALID_ARGUMENT, f'"{self.name}" does not say what it holds; compile again')
        member = Port(info.member.contents, self._entry)
        member.name = member.name or self.name
        return member

    def _text(self, kind, value):
        if kind == abi.CONSTANT:
            return value
        if kind == abi.SYMBOL:
            return self._entry.symbols[value].contents.name.decode()
        if kind == abi.EXPRESSION:
            return self._entry.expressions[value].contents.text.decode()
        return None

    def _known_shape(self, symbols):
        shape = []
        for kind, value in self._dims:
            if kind == abi.SYMBOL:
                value = symbols[value]
            elif kind == abi.EXPRESSION:
                value = self._entry.expressions[value].contents.value(symbols)
            elif kind != abi.CONSTANT:
                return None
            if value < 0:
                return None
            shape.append(value)
        return shape

    @property
    def _type_text(self):
        if self.member is not None:
            return f"{self.kind} of {self.member._type_text}"
        if self.shape is None:
            return self.type
        return f"{self.type}[{', '.join('?' if extent is None else str(extent) for extent in self.shape)}]"

    def __repr__(self):
        return f"{self.name}: {self._type_text}"


class Entry:
    """A function of a model: `name`, `inputs`, `outputs`."""

    def __init__(self, info):
        self._info = info
        self.name = info.name.decode()
        self._inputs = [Port(info.inputs[number].contents, info) for number in range(info.input_count)]
        self._outputs = [Port(info.outputs[number].contents, info) for number in range(info.output_count)]
        self._places = {port.name: place for place, port in enumerate(self._inputs)}

    @property
    def inputs(self):
        return list(self._inputs)

    @property
    def outputs(self):
        return list(self._outputs)

    def _arranged(self, values):
        """Values in the order of the inputs."""
        names = ", ".join(self._places) or "none"
        if values is None:
            values = []
        if not hasattr(values, "keys"):
            values = list(values) if isinstance(values, (list, tuple)) else [values]
            if len(values) != len(self._inputs):
                raise RunError(RunError.INVALID_ARGUMENT, f"{len(values)} inputs are given, the model has {names}")
            return values
        for name in values.keys():
            if name not in self._places:
                raise RunError(RunError.INVALID_ARGUMENT, f'there is no input "{name}", the model has {names}')
        for name in self._places:
            if name not in values:
                raise RunError(RunError.INVALID_ARGUMENT, f'input "{name}" is missing')
        return [values[name] for name in self._places]

    def __repr__(self):
        return f"{self.name}({', '.join(map(str, self._inputs))}) -> ({', '.join(map(str, self._outputs))})"


class Model:
    """A model that is compiled and loaded.

    `run` may be called from several threads: each call gets a context of its own, except for models with state, whose
    runs come one after the other in one context. Use it in a `with` statement or `close` it to unload the code.
    """

    def __init__(self, table, release, threads=None, weights=None):
        self._resources = _Resources(table, release, weights)
        self._finalizer = weakref.finalize(self, self._resources.close)
        self._threads = threads
        if table.magic != abi.MAGIC or table.abi_version != abi.ABI_VERSION:
            self.close()
            raise RunError(RunError.INVALID_ARGUMENT, "this is no model of this version of the interface; compile again")
        self.name = table.name.decode()
        self.target = table.target.decode()
        self.entries = {}
        for number in range(table.entry_count):
            entry = Entry(table.entries[number].contents)
            self.entries[entry.name] = entry

    @property
    def inputs(self):
        """The inputs of the first entry."""
        return self._entry(None).inputs

    @property
    def outputs(self):
        """The outputs of the first entry."""
        return self._entry(None).outputs

    @property
    def metadata(self):
        """What the artifact says of itself."""
        return json.loads(self._resources.open().metadata)

    def _entry(self, name):
        if name is None:
            return next(iter(self.entries.values()))
        if name not in self.entries:
            raise RunError(
                RunError.INVALID_ARGUMENT, f'there is no entry "{name}", the model has {", ".join(self.entries)}')
        return self.entries[name]

    def run(self, inputs=None, *, threads=None, entry=None):
        """Runs an entry, the first unless named, and returns its outputs by name.

        `inputs` are a dict by name or a list in order. Arrays that are contiguous and of the right type are read where
        they lie; lists and numbers are converted, arrays of other types refused. `threads` is how many to use at most.
        """
        chosen = self._entry(entry)
        values = chosen._arranged(inputs)
        with self._resources.context(threads if threads is not None else self._threads) as context:
            return context.run(chosen, values)

    def reset(self):
        """Puts state back to what it was at first."""
        self._resources.reset()

    def close(self):
        """Unloads the model, after runs that other threads are in. What it returned stays valid."""
        self._finalizer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        return f"<martlet.Model {self.name}: {'; '.join(map(str, self.entries.values()))}>"


class _Resources:
    """What a model holds: its code, pools of threads, and contexts that wait for their next run."""

    def __init__(self, table, release, weights):
        self.table, self.release, self.weights = table, release, weights
        self.has_state = table.state_size > 0
        self.changed = threading.Condition()
        self.running, self.is_closed = 0, False
        self.idle = {}
        self.pools = {}

    def open(self):
        if self.is_closed:
            raise RunError(RunError.INVALID_ARGUMENT, "the model is closed")
        return self.table

    @contextlib.contextmanager
    def context(self, threads):
        # State belongs to one context, whose threads the first run has chosen.
        key = 0 if threads is None or self.has_state else threads
        if not 0 <= key <= 1024:
            raise RunError(RunError.INVALID_ARGUMENT, f"{key} threads: that is no number from 1 to 1024")
        context = self._take(key, threads or 0)
        try:
            yield context
        finally:
            with self.changed:
                self.idle.setdefault(key, []).append(context)
                self.running -= 1
                self.changed.notify_all()

    def _take(self, key, threads):
        with self.changed:
            while self.has_state and self.running and not self.is_closed:
                self.changed.wait()
            self.open()
            waiting = self.idle.get(key)
            if waiting:
                self.running += 1
                return waiting.pop()
            context = Context(self.table, threads, self._pool(threads), self.weights)
            self.running += 1
            return context

    def _pool(self, threads):
        """Threads that the contexts share; a context that finds them busy runs on its caller's thread alone."""
        if threads == 1:
            return None
        if threads not in self.pools:
            self.pools[threads] = self.table.pool_create(threads)
        return self.pools[threads]

    def reset(self):
        with self.changed:
            self.open()
            while self.running:
                self.changed.wait()
            for contexts in self.idle.values():
                for context in contexts:
                    context.reset()

    def close(self):
        with self.changed:
            if self.is_closed:
                return
            self.is_closed = True
            while self.running:
                self.changed.wait()
            for contexts in self.idle.values():
                for context in contexts:
                    context.destroy()
            for pool in self.pools.values():
                if pool:
                    self.table.pool_destroy(pool)
            self.idle, self.pools = {}, {}
        self.release()


def from_compiler(handle, threads):
    """The model behind a `martlet_compiled *`."""
    library = _library.compiler()
    table = ctypes.cast(library.martlet_compiled_table(handle), ctypes.POINTER(abi.Table)).contents
    return Model(table, lambda: library.martlet_compiler_release(handle), threads)


# Paths that were loaded, with the files that they led to then.
_known = {}


def _opened(path):
    """The library at a path. The loader takes a path that it has seen for the file that it was then, even if another
    one is there by now; that one is opened by another name."""
    status = os.stat(path)
    file = status.st_dev, status.st_ino
    if _known.setdefault(path, file) == file:
        return ctypes.CDLL(path)
    with tempfile.TemporaryDirectory(prefix="martlet-") as folder:
        link = os.path.join(folder, os.path.basename(path))
        os.symlink(path, link)
        return ctypes.CDLL(link)


def load(path, *, name=None, threads=None):
    """Loads a shared library that Martlet compiled. `name` is the prefix of the model, where it holds several."""
    path = os.path.abspath(os.fsdecode(path))
    try:
        models = _elf.models(path)
    except OSError as error:
        raise RunError(RunError.INVALID_ARGUMENT, f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise RunError(RunError.INVALID_ARGUMENT, f"{path} {error}") from None
    if not models or (name is not None and name not in models):
        held = f"the models {', '.join(models)}" if models else "no model that Martlet compiled"
        raise RunError(RunError.INVALID_ARGUMENT, f"{path} holds {held}")
    if name is None and len(models) > 1:
        raise RunError(RunError.INVALID_ARGUMENT, f"{path} holds {', '.join(models)}: choose one by name")
    try:
        library = _opened(path)
    except OSError as error:
        raise RunError(RunError.INVALID_ARGUMENT, f"{path} cannot be loaded: {error}") from None
    function = getattr(library, f"{name or models[0]}_model")
    function.restype = ctypes.POINTER(abi.Table)
    weights = os.path.splitext(path)[0] + ".weights"
    return Model(
        function().contents, lambda: _ctypes.dlclose(library._handle), threads,
        weights if os.path.exists(weights) else None)
