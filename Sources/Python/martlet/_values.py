"""NumPy arrays to and from the tensors of martlet.h."""
import ctypes

import numpy as np

from . import _interface as abi
from ._types import BY_NUMBER
from .error import RunError


def mismatch(text):
    return RunError(RunError.SHAPE_MISMATCH, text)


def array_of(port, value):
    """The value as an array whose elements lie as the artifact wants them; the same array where they do already."""
    kind = port._kind
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if kind.name in ("f32", "f64") and array.dtype.kind == "c":
            array = _pairs(array)
        if not kind.accepts(array.dtype.newbyteorder("=")) and not (kind.is_string and array.dtype.kind in "USOT"):
            raise mismatch(f'input "{port.name}": wants {kind.dtype}, got {array.dtype}')
    else:
        try:
            array = np.asarray(value, dtype=object if kind.is_string else kind.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise mismatch(f'input "{port.name}": {error}') from None
    if kind.is_string:
        return array
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    # Not ascontiguousarray, which makes a vector of a scalar.
    array = np.asarray(array, order="C")
    return array if array.flags.aligned else array.copy()


def _pairs(array):
    """Complex numbers as ONNX passes them: a last axis of real and imaginary parts."""
    array = np.asarray(array, order="C")
    part = array.real.dtype
    return array.reshape(array.shape + (1,)).view(part)


def encode(tensor, port, value, kept):
    """Makes a tensor of martlet.h of an input; `kept` gets what must stay alive as long as it."""
    if port.kind == "tensor":
        _encode_array(tensor, port, value, kept)
        return
    if port.kind == "optional":
        members = [] if value is None else [value]
    elif isinstance(value, (list, tuple)):
        members = value
    else:
        raise mismatch(f'input "{port.name}": wants a list, got {type(value).__name__}')
    tensors = (abi.Tensor * max(1, len(members)))()
    for member, item in zip(tensors, members):
        encode(member, port.member, item, kept)
    tensor.data, tensor.capacity = ctypes.addressof(tensors), len(members) * ctypes.sizeof(abi.Tensor)
    tensor.type, tensor.rank = 0, 1
    tensor.dims = (ctypes.c_int64 * 1)(len(members))
    kept.append(tensors)


def _encode_array(tensor, port, value, kept):
    array = array_of(port, value)
    kind, shape = port._kind, array.shape
    if len(shape) > abi.MAXIMUM_RANK:
        raise mismatch(f'input "{port.name}": {len(shape)} axes are more than {abi.MAXIMUM_RANK}')
    if kind.is_string:
        array, tensor.data, tensor.capacity = _strings(port, array)
    else:
        if kind.is_packed:
            array = kind.pack(array)
        tensor.data, tensor.capacity = array.ctypes.data, array.nbytes
    tensor.type, tensor.rank = kind.number, len(shape)
    tensor.dims = (ctypes.c_int64 * max(1, len(shape)))(*shape)
    kept.append(array)


def _strings(port, array):
    texts = []
    for text in array.reshape(-1).tolist():
        if not isinstance(text, (str, bytes)):
            raise mismatch(f'input "{port.name}": {text!r} is no text')
        texts.append(text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text)
    block = b"".join(texts)
    buffer = ctypes.create_string_buffer(block, max(1, len(block)))
    place = ctypes.addressof(buffer)
    strings = (abi.String * max(1, len(texts)))()
    for number, text in enumerate(texts):
        strings[number].data, strings[number].length = place, len(text)
        place += len(text)
    return (buffer, strings), ctypes.addressof(strings), len(texts) * ctypes.sizeof(abi.String)


def decode(tensor, port):
    """A copy of what a run has made: an array, a list of what a sequence holds, or None for an optional that is absent."""
    if port.kind == "tensor":
        return _decode_array(tensor)
    count = tensor.dims[0]
    members = (abi.Tensor * count).from_address(tensor.data) if count else ()
    values = [decode(member, port.member) for member in members]
    if port.kind == "sequence":
        return values
    return values[0] if values else None


def _decode_array(tensor):
    kind = BY_NUMBER.get(tensor.type)
    if kind is None or not 0 <= tensor.rank <= abi.MAXIMUM_RANK:
        raise RunError(RunError.INTERNAL, f"a result has the type {tensor.type} and the rank {tensor.rank}")
    shape = tuple(tensor.dims[: tensor.rank])
    count = 1
    for extent in shape:
        count *= extent
    if kind.is_string:
        return _texts(tensor.data, count).reshape(shape)
    size = kind.bytes_of(count)
    if not kind.is_packed:
        result = np.empty(shape, kind.dtype)
        if size:
            ctypes.memmove(result.ctypes.data, tensor.data, size)
        return result
    packed = np.empty(size, np.uint8)
    if size:
        ctypes.memmove(packed.ctypes.data, tensor.data, size)
    return kind.unpack(packed, shape)


def _texts(address, count):
    result = np.empty(count, object)
    if count:
        strings = (abi.String * count).from_address(address)
        for number in range(count):
            data = ctypes.string_at(strings[number].data, strings[number].length) if strings[number].length else b""
            result[number] = data.decode("utf-8", "surrogateescape")
    return result
