"""Arrays to and from the tensors of martlet.h, without a model."""
import unittest

import support  # noqa: F401
import numpy as np

from martlet import RunError
from martlet import _interface as abi
from martlet._types import BY_NAME, BY_NUMBER, ml_dtypes
from martlet._values import decode, encode


class Port:
    def __init__(self, type, kind="tensor", member=None):
        self.name, self.kind, self.member, self._kind = "x", kind, member, BY_NAME[type]


def there_and_back(port, value):
    tensor, kept = abi.Tensor(), []
    encode(tensor, port, value, kept)
    return decode(tensor, port)


class ValueTests(unittest.TestCase):
    def test_numbers_are_those_of_the_header(self):
        header = (support.ROOT / "Sources" / "Runtime" / "martlet.h").read_text()
        for kind in BY_NUMBER.values():
            name = "STRING" if kind.is_string else kind.name.upper()
            self.assertIn(f"MARTLET_{name} = {kind.number}", header)

    def test_plain_types(self):
        for kind in BY_NUMBER.values():
            if kind.is_string or kind.is_packed:
                continue
            bits = np.arange(24, dtype=np.uint8).reshape(2, 3, 4) % 2
            array = bits.astype(kind.raw).view(kind.dtype)
            back = there_and_back(Port(kind.name), array)
            self.assertEqual((back.dtype, back.shape), (kind.dtype, (2, 3, 4)))
            np.testing.assert_array_equal(back.view(kind.raw), array.view(kind.raw))

    def test_packed_types(self):
        for kind in BY_NUMBER.values():
            if not kind.is_packed:
                continue
            low = -(1 << (kind.bits - 1)) if kind.is_signed else 0
            every = np.arange(low, low + (1 << kind.bits), dtype=kind.raw)
            for count in (0, 1, 3, every.size):
                array = every[:count].view(kind.dtype)
                packed = kind.pack(array)
                self.assertEqual(packed.size, kind.bytes_of(count))
                back = there_and_back(Port(kind.name), array)
                self.assertEqual(back.dtype, kind.dtype)
                np.testing.assert_array_equal(back.view(kind.raw), every[:count])
        self.assertEqual(BY_NAME["i4"].pack(np.array([1, -1, 2], np.int8)).tolist(), [0xF1, 0x02])

    @unittest.skipIf(ml_dtypes is None, "ml_dtypes is not installed")
    def test_values_of_narrow_types(self):
        for name, dtype in (("i4", ml_dtypes.int4), ("u4", ml_dtypes.uint4), ("f4e2m1", ml_dtypes.float4_e2m1fn)):
            array = np.array([1, 2, 3, 0], dtype)
            self.assertEqual(there_and_back(Port(name), array).astype(int).tolist(), [1, 2, 3, 0])
        self.assertEqual(there_and_back(Port("i4"), np.array([-8, -1], ml_dtypes.int4)).astype(int).tolist(), [-8, -1])

    def test_nothing_is_copied_that_lies_right(self):
        array = np.ones((3, 4), np.float32)
        tensor = abi.Tensor()
        encode(tensor, Port("f32"), array, [])
        self.assertEqual(tensor.data, array.ctypes.data)
        self.assertEqual((tensor.rank, tensor.dims[:2], tensor.capacity), (2, [3, 4], 48))

    def test_scalars_stay_scalars(self):
        self.assertEqual(there_and_back(Port("f32"), 2.5).shape, ())
        self.assertEqual(there_and_back(Port("f32"), np.float32(2.5)).shape, ())

    def test_complex_numbers_are_pairs(self):
        back = there_and_back(Port("f32"), np.array([1 + 2j, 3 - 4j], np.complex64))
        np.testing.assert_array_equal(back, [[1, 2], [3, -4]])

    def test_texts(self):
        texts = [["", "a"], ["zoë", "\udcff"]]
        for array in (np.array(texts, object), texts):
            self.assertEqual(there_and_back(Port("str"), array).tolist(), texts)
        self.assertEqual(there_and_back(Port("str"), np.array(["b", "cd"])).tolist(), ["b", "cd"])
        self.assertEqual(there_and_back(Port("str"), np.array([b"b", b"cd"])).tolist(), ["b", "cd"])
        self.assertEqual(there_and_back(Port("str"), np.array([], object)).shape, (0,))

    def test_sequences_and_optionals(self):
        floats = Port("f32", "sequence", Port("f32"))
        for count in (0, 1, 3):
            value = [np.full(number, number, np.float32) for number in range(count)]
            back = there_and_back(floats, value)
            self.assertEqual([item.tolist() for item in back], [item.tolist() for item in value])
        maybe = Port("f32", "optional", floats)
        self.assertIsNone(there_and_back(maybe, None))
        self.assertEqual(there_and_back(maybe, []), [])
        self.assertEqual(there_and_back(Port("i64", "optional", Port("i64")), 3), 3)

    def test_other_types_are_refused(self):
        for port, value in (
            (Port("f32"), np.ones(2)),
            (Port("i8"), np.ones(2, np.uint8)),
            (Port("i4"), np.ones(2, np.uint8)),
            (Port("str"), np.ones(2)),
            (Port("str"), np.array([1, 2], object)),
            (Port("i8"), [1000]),
            (Port("f32", "sequence", Port("f32")), np.ones(2, np.float32)),
        ):
            with self.assertRaises(RunError) as caught:
                encode(abi.Tensor(), port, value, [])
            self.assertIn('input "x"', caught.exception.message)


if __name__ == "__main__":
    unittest.main()
