"""An instance of a loaded model: its threads, state and workspace, and one run of it."""
import ctypes
import os

import numpy as np

from . import _interface as abi
from ._values import decode, encode
from .error import RunError

# How often a run may ask for more workspace: each time it at least doubles, so this is more than any machine has.
_ATTEMPTS = 64


class Context:
    """Runs one entry at a time; not for two threads at once."""

    def __init__(self, table, threads, pool, weights):
        self.table = table
        options = abi.Options(struct_size=ctypes.sizeof(abi.Options), threads=threads, pool=pool)
        message = ctypes.create_string_buffer(512)
        options.message, options.message_capacity = ctypes.addressof(message), len(message)
        if weights is not None:
            options.weights_path = os.fsencode(weights)
        self.handle = abi.Context()
        status = table.create(ctypes.byref(options), ctypes.byref(self.handle))
        if status:
            text = message.value.decode("utf-8", "replace") or table.status_text(status).decode()
            raise RunError(status, text)

    def destroy(self):
        self.table.destroy(self.handle)
        self.handle = None

    @property
    def threads(self):
        return self.table.thread_count(self.handle)

    def reset(self):
        self._check(self.table.reset(self.handle))

    def run(self, entry, values):
        """Results by name; `values` are in the order of the entry's inputs."""
        kept = []
        inputs = (abi.Tensor * max(1, len(values)))()
        for tensor, port, value in zip(inputs, entry._inputs, values):
            encode(tensor, port, value, kept)
        outputs, arrays = self._outputs(entry, inputs)
        self._call(entry, inputs, outputs)
        # Texts may lie in the inputs, so these are kept until here.
        return {
            port.name: decode(tensor, port) if array is None else array
            for port, tensor, array in zip(entry._outputs, outputs, arrays)
        }

    def _outputs(self, entry, inputs):
        """Arrays for results whose shapes are known before the run; the others come as views into the workspace."""
        tensors = (abi.Tensor * max(1, len(entry._outputs)))()
        symbols = None
        arrays = []
        for tensor, port in zip(tensors, entry._outputs):
            tensor.dims = (ctypes.c_int64 * abi.MAXIMUM_RANK)()
            array = None
            if port._is_plain:
                if port._has_symbols and symbols is None:
                    symbols = self._bind(entry, inputs)
                shape = port._known_shape(symbols)
                if shape is not None:
                    array = np.empty(shape, port.dtype)
                    tensor.data, tensor.capacity = array.ctypes.data, array.nbytes
            arrays.append(array)
        return tensors, arrays

    def _bind(self, entry, inputs):
        symbols = (ctypes.c_int64 * max(1, entry._info.symbol_count))()
        self._check(entry._info.bind(self.handle, inputs, symbols))
        return symbols

    def _call(self, entry, inputs, outputs):
        """`martlet_call` of martlet.h: with the context's own workspace, which grows as needed."""
        table, run = self.table, entry._info.run
        needed = ctypes.c_int64(0)
        given = [tensor.data for tensor in outputs]
        status = run(self.handle, inputs, outputs, None, 0, ctypes.byref(needed))
        for attempt in range(_ATTEMPTS):
            if status != abi.WORKSPACE_TOO_SMALL:
                break
            # From the second time on at least twice as much: loops that collect then need few attempts.
            wanted = max(needed.value, 2 * table.workspace_bytes(self.handle) if attempt else 0)
            if table.grow(self.handle, min(wanted, 2**63 - 1)):
                self._check(table.grow(self.handle, needed.value))
            for tensor, data in zip(outputs, given):
                tensor.data = data
            status = run(self.handle, inputs, outputs, None, 0, ctypes.byref(needed))
        self._check(status)

    def _check(self, status):
        if status:
            text = self.table.last_error(self.handle) or self.table.status_text(status)
            raise RunError(status, text.decode("utf-8", "replace"))
