"""The backend of ONNX, as programs use it."""
import importlib.util
import unittest

import support
import numpy as np

HAS_ONNX = importlib.util.find_spec("onnx") is not None


@unittest.skipUnless(HAS_ONNX, "onnx is not installed")
class BackendTests(unittest.TestCase):
    def test_models(self):
        import onnx

        import martlet.backend

        model = onnx.load(support.DIGITS / "digits.onnx")
        image = np.zeros((2, 1, 8, 8), np.float32)
        self.assertTrue(martlet.backend.is_compatible(model))
        prepared = martlet.backend.prepare(model, "CPU", threads=1, shape={"image": [2, 1, 8, 8]})
        result = prepared.run([image])
        self.assertEqual(result.scores.shape, (2, 10))
        np.testing.assert_array_equal(result[0], result["scores"])
        np.testing.assert_array_equal(martlet.backend.run_model(model, [image])[0], result[0])

    def test_nodes(self):
        import onnx.helper

        import martlet.backend

        a, b = np.array([1, 2], np.float32), np.array([[3], [4]], np.float32)
        node = onnx.helper.make_node("Add", ["a", "b"], ["c"])
        np.testing.assert_array_equal(martlet.backend.run_node(node, [a, b])[0], a + b)
        split = onnx.helper.make_node("Split", ["a"], ["left", "right"], num_outputs=2)
        self.assertEqual([part.tolist() for part in martlet.backend.run_node(split, [a])], [[1], [2]])

    def test_devices(self):
        import martlet.backend

        self.assertTrue(martlet.backend.supports_device("CPU"))
        self.assertFalse(martlet.backend.supports_device("CUDA"))


if __name__ == "__main__":
    unittest.main()
