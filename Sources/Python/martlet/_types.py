"""Element types of martlet.h and what holds them in NumPy."""
import numpy as np

try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None

# Number, name, bits, NumPy's type, that of ml_dtypes, what holds the bits where ml_dtypes is not installed.
_ROWS = [
    (1, "bool", 8, "bool", None),
    (2, "i2", 2, None, "int2"),
    (3, "u2", 2, None, "uint2"),
    (4, "i4", 4, None, "int4"),
    (5, "u4", 4, None, "uint4"),
    (6, "i8", 8, "int8", None),
    (7, "u8", 8, "uint8", None),
    (8, "i16", 16, "int16", None),
    (9, "u16", 16, "uint16", None),
    (10, "i32", 32, "int32", None),
    (11, "u32", 32, "uint32", None),
    (12, "i64", 64, "int64", None),
    (13, "u64", 64, "uint64", None),
    (14, "f8e4m3fn", 8, None, "float8_e4m3fn"),
    (15, "f8e4m3fnuz", 8, None, "float8_e4m3fnuz"),
    (16, "f8e5m2", 8, None, "float8_e5m2"),
    (17, "f8e5m2fnuz", 8, None, "float8_e5m2fnuz"),
    (18, "f8e8m0", 8, None, "float8_e8m0fnu"),
    (19, "f4e2m1", 4, None, "float4_e2m1fn"),
    (20, "f16", 16, "float16", None),
    (21, "bf16", 16, None, "bfloat16"),
    (22, "f32", 32, "float32", None),
    (23, "f64", 64, "float64", None),
    (24, "str", 128, "object", None),
]


class ElementType:
    """One element type: its number in martlet.h, and how arrays hold it.

    `dtype` is the type of arrays; for what NumPy lacks that of ml_dtypes, and without ml_dtypes an integer type with
    the same bits. Types of less than a byte take a byte an element in arrays and are packed on the way.
    """

    def __init__(self, number, name, bits, plain, narrow):
        self.number, self.name, self.bits = number, name, bits
        self.is_string = name == "str"
        self.is_packed = bits < 8
        self.is_signed = name in ("i2", "i4")
        #: What holds the bits: signed where the values are integers with a sign.
        self.raw = np.dtype(("int" if self.is_signed else "uint") + str(max(8, min(bits, 64))))
        known = getattr(ml_dtypes, narrow, None) if narrow and ml_dtypes else None
        self.dtype = np.dtype(plain) if plain else np.dtype(known) if known else self.raw

    def __repr__(self):
        return self.name

    def accepts(self, dtype):
        return dtype == self.dtype or (self.is_packed and dtype == self.raw)

    def bytes_of(self, count):
        return (count * self.bits + 7) // 8

    def pack(self, array):
        """The elements as they lie in memory: low bits first."""
        per_byte = 8 // self.bits
        bits = array.reshape(-1).view(np.uint8) & ((1 << self.bits) - 1)
        padded = np.zeros(self.bytes_of(bits.size) * per_byte, np.uint8)
        padded[: bits.size] = bits
        result = np.zeros(padded.size // per_byte, np.uint8)
        for place in range(per_byte):
            result |= padded[place::per_byte] << (place * self.bits)
        return result

    def unpack(self, packed, shape):
        per_byte, mask = 8 // self.bits, (1 << self.bits) - 1
        spread = np.empty(packed.size * per_byte, np.uint8)
        for place in range(per_byte):
            spread[place::per_byte] = (packed >> (place * self.bits)) & mask
        count = int(np.prod(shape, dtype=np.int64))
        bits = spread[:count]
        if self.is_signed:
            sign = 1 << (self.bits - 1)
            bits = (bits ^ sign).view(np.int8) - np.int8(sign)
        # Through bytes, so that each type finds its own form of the value.
        return bits.view(self.dtype).reshape(shape)


BY_NUMBER = {row[0]: ElementType(*row) for row in _ROWS}
BY_NAME = {kind.name: kind for kind in BY_NUMBER.values()}
