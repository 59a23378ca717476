"""martlet.h as ctypes sees it."""
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int32, c_int64, c_uint32, c_void_p

ABI_VERSION = 1
MAGIC = 0x544C524D
MAXIMUM_RANK = 16

OK, WORKSPACE_TOO_SMALL = 0, 3
TENSOR, SEQUENCE, OPTIONAL = 0, 1, 2
CONSTANT, SYMBOL, EXPRESSION = 0, 1, 2

Status = c_int32
Context = c_void_p


class String(Structure):
    _fields_ = [("data", c_void_p), ("length", c_int64)]


class Tensor(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("capacity", c_int64),
        ("type", c_int32),
        ("rank", c_int32),
        ("dims", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
    ]


class Dim(Structure):
    _fields_ = [("kind", c_int32), ("reserved", c_int32), ("value", c_int64)]


class TensorInfo(Structure):
    pass


TensorInfo._fields_ = [
    ("struct_size", c_uint32),
    ("kind", c_int32),
    ("name", c_char_p),
    ("type", c_int32),
    ("rank", c_int32),
    ("dims", POINTER(Dim)),
    ("integer_minimum", c_int64),
    ("integer_limit", c_int64),
    # Not there in artifacts of older compilers: struct_size tells.
    ("member", POINTER(TensorInfo)),
]


class SymbolInfo(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("name", c_char_p),
        ("minimum", c_int64),
        ("maximum", c_int64),
    ]


class ExpressionInfo(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("reserved", c_uint32),
        ("text", c_char_p),
        ("value", CFUNCTYPE(c_int64, POINTER(c_int64))),
    ]


class EntryInfo(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("input_count", c_int32),
        ("output_count", c_int32),
        ("symbol_count", c_int32),
        ("expression_count", c_int32),
        ("reserved", c_uint32),
        ("name", c_char_p),
        ("inputs", POINTER(POINTER(TensorInfo))),
        ("outputs", POINTER(POINTER(TensorInfo))),
        ("symbols", POINTER(POINTER(SymbolInfo))),
        ("expressions", POINTER(POINTER(ExpressionInfo))),
        ("workspace_size", CFUNCTYPE(c_int64, POINTER(c_int64))),
        ("bind", CFUNCTYPE(Status, Context, POINTER(Tensor), POINTER(c_int64))),
        (
            "run",
            CFUNCTYPE(Status, Context, POINTER(Tensor), POINTER(Tensor), c_void_p, c_int64, POINTER(c_int64)),
        ),
    ]


class Options(Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("threads", c_int32),
        ("pool", c_void_p),
        ("parallel_for", c_void_p),
        ("user", c_void_p),
        ("weights_path", c_char_p),
        ("weights", c_void_p),
        ("weights_size", c_int64),
        ("message", c_void_p),
        ("message_capacity", c_int64),
        ("memory", c_void_p),
        ("memory_size", c_int64),
    ]


class Table(Structure):
    """`martlet_model`."""

    _fields_ = [
        ("magic", c_uint32),
        ("abi_version", c_uint32),
        ("struct_size", c_uint32),
        ("entry_count", c_int32),
        ("name", c_char_p),
        ("target", c_char_p),
        ("options", c_char_p),
        ("source_hash", c_char_p),
        ("metadata", c_char_p),
        ("weights_size", c_int64),
        ("state_size", c_int64),
        ("entries", POINTER(POINTER(EntryInfo))),
        ("create", CFUNCTYPE(Status, POINTER(Options), POINTER(Context))),
        ("destroy", CFUNCTYPE(None, Context)),
        ("context_size", CFUNCTYPE(c_int64)),
        ("reserve", CFUNCTYPE(Status, Context, c_int32, POINTER(c_int64))),
        ("grow", CFUNCTYPE(Status, Context, c_int64)),
        ("reset", CFUNCTYPE(Status, Context)),
        ("last_error", CFUNCTYPE(c_char_p, Context)),
        ("status_text", CFUNCTYPE(c_char_p, Status)),
        ("thread_count", CFUNCTYPE(c_int32, Context)),
        ("workspace_bytes", CFUNCTYPE(c_int64, Context)),
        ("pool_create", CFUNCTYPE(c_void_p, c_int32)),
        ("pool_destroy", CFUNCTYPE(None, c_void_p)),
    ]
