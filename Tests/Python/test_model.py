"""Compiling, loading and running."""
import gc
import pathlib
import shutil
import tempfile
import threading
import unittest

import support
import numpy as np

import martlet
from martlet import _library
from martlet._types import ml_dtypes


class ModelTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.folder.name) / "model.mir"
        shutil.copy(support.HERE / "model.mir", cls.path)
        cls.model = martlet.compile(cls.path, cache_dir=None)

    @classmethod
    def tearDownClass(cls):
        cls.model.close()
        cls.folder.cleanup()

    def fails(self, status, text, body):
        with self.assertRaises(martlet.Error) as caught:
            body()
        self.assertEqual(caught.exception.status, status, caught.exception.message)
        self.assertIn(text, caught.exception.message)
        self.assertNotIn("\n", caught.exception.message)

    def test_versions_agree(self):
        self.assertEqual(martlet.__version__, _library.version())

    def test_describes_ports(self):
        x, y = self.model.inputs
        self.assertEqual((x.name, x.kind, x.type, x.dtype, x.shape), ("x", "tensor", "f32", np.float32, ("n", 3)))
        self.assertEqual([port.shape for port in self.model.outputs], [("n", 3), ("2 * n", 3)])
        self.assertEqual(list(self.model.entries), ["main", "where", "step", "narrow", "wide"])
        self.assertEqual(repr(y), "y: f32[n, 3]")

    def test_runs_lists_and_dicts(self):
        x = np.arange(12, dtype=np.float32).reshape(4, 3)
        y = x * 10
        for inputs in ([x, y], {"y": y, "x": x}, [x.tolist(), y.tolist()]):
            result = self.model.run(inputs)
            np.testing.assert_array_equal(result["sum"], x + y)
            np.testing.assert_array_equal(result["pair"], np.concatenate([x, y]))

    def test_takes_what_is_not_dense(self):
        x = np.arange(48, dtype=np.float32).reshape(8, 6)
        swapped = x.astype(">f4")
        unaligned = np.frombuffer(b"-" + x.tobytes(), np.float32, offset=1).reshape(x.shape)
        for array in (x, x.T.copy().T, swapped, unaligned):
            result = self.model.run([array[::2, ::-2], array[1::2, :3]])
            np.testing.assert_array_equal(result["sum"], x[::2, ::-2] + x[1::2, :3])

    def test_results_are_the_callers(self):
        x = np.ones((4, 3), np.float32)
        first = self.model.run([x, x])
        places = self.model.run([[0, 1, 1]], entry="where")["places"]
        self.model.run([x * 2, x * 2])
        self.model.run([[1, 0, 0]], entry="where")
        self.assertEqual(first["sum"].max(), 2)
        np.testing.assert_array_equal(places, [[1, 2]])
        self.assertTrue(first["sum"].flags.owndata and first["sum"].flags.writeable)

    def test_sizes_that_data_tells(self):
        x = np.zeros(4096, np.float32)
        self.assertEqual(self.model.run([x], entry="where")["places"].shape, (1, 0))
        x[::3] = 1
        np.testing.assert_array_equal(self.model.run([x], entry="where")["places"][0], np.flatnonzero(x))

    def test_narrow_types(self):
        x = [-8, -1, 0, 1, 2, 3, 7]
        result = self.model.run([x], entry="narrow")
        np.testing.assert_array_equal(result["nibbles"].astype(np.int32), x)
        np.testing.assert_array_equal(result["crumbs"].astype(np.int32)[2:6], [0, 1, 2, 3])
        np.testing.assert_array_equal(result["half"], np.array(x, np.float16))
        brain = result["brain"]
        self.assertEqual(brain.dtype, ml_dtypes.bfloat16 if ml_dtypes else np.uint16)
        inputs = {"nibbles": np.array(x, np.int8), "brain": brain, "flags": [True, False] * 3 + [True]}
        back = self.model.run(inputs, entry="wide")
        np.testing.assert_array_equal(back["sum"], 2 * np.array(x))
        np.testing.assert_array_equal(back["flags_out"], [False, True] * 3 + [False])
        again = self.model.run({**inputs, "nibbles": result["nibbles"]}, entry="wide")
        np.testing.assert_array_equal(again["sum"], back["sum"])

    def test_state_stays_between_runs(self):
        self.model.reset()
        for number in (1, 2, 3):
            self.assertEqual(self.model.run([[2.0]], entry="step")["total"][0], 2 * number)
        self.model.reset()
        self.assertEqual(self.model.run([[5.0]], entry="step")["total"][0], 5)

    def test_state_is_safe_from_threads(self):
        self.model.reset()
        threads = [
            threading.Thread(target=lambda: [self.model.run([[1.0]], entry="step") for _ in range(50)])
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.model.run([[0.0]], entry="step")["total"][0], 200)

    def test_many_threads_share_a_model(self):
        images = np.load(support.DIGITS / "images.npy")
        faults = []
        with martlet.compile(support.DIGITS / "digits.onnx", cache_dir=None) as model:
            expected = model.run([images])["scores"]

            def work(threads):
                for _ in range(20):
                    if not np.array_equal(model.run([images], threads=threads)["scores"], expected):
                        faults.append(threads)

            workers = [threading.Thread(target=work, args=(threads,)) for threads in (None, 1, 2, 2)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        self.assertEqual(faults, [])

    def test_faults_of_inputs(self):
        x = np.ones((4, 3), np.float32)
        run, codes = self.model.run, martlet.RunError
        self.fails(codes.SHAPE_MISMATCH, 'input "x": wants float32, got float64', lambda: run([x.astype(float), x]))
        self.fails(codes.SHAPE_MISMATCH, '"y"', lambda: run([x, x[:2]]))
        self.fails(codes.SHAPE_MISMATCH, '"x"', lambda: run([x[0], x]))
        self.fails(codes.SHAPE_MISMATCH, '"x"', lambda: run([[["a"]], x]))
        self.fails(codes.SHAPE_MISMATCH, "17 axes", lambda: run([np.ones((1,) * 17, np.float32), x]))
        self.fails(codes.INVALID_ARGUMENT, 'there is no input "z", the model has x, y', lambda: run({"x": x, "z": x}))
        self.fails(codes.INVALID_ARGUMENT, 'input "y" is missing', lambda: run({"x": x}))
        self.fails(codes.INVALID_ARGUMENT, "1 inputs are given", lambda: run([x]))
        self.fails(codes.INVALID_ARGUMENT, 'there is no entry "b"', lambda: run([x, x], entry="b"))

    def test_faults_of_models(self):
        codes = martlet.CompileError
        self.fails(codes.INVALID, "no such file", lambda: martlet.compile("nowhere.onnx"))
        self.fails(codes.INVALID, "model.onnx: byte", lambda: martlet.compile(b"\x66"))
        self.fails(codes.USAGE, "a int is no model", lambda: martlet.compile(3))
        self.fails(codes.USAGE, "unknown option", lambda: martlet.compile(self.path, colour="red"))
        self.fails(codes.USAGE, "unknown target", lambda: martlet.compile(self.path, "a.o", target="z80"))
        self.fails(codes.UNSUPPORTED, "another machine", lambda: martlet.compile(self.path, target="aarch64"))
        self.fails(codes.USAGE, "shape wants", lambda: martlet.compile(self.path, shape=[1, 2]))
        self.fails(codes.UNSUPPORTED, "precision", lambda: martlet.compile(self.path, precision="bf16"))

    def test_writes_and_loads(self):
        folder = pathlib.Path(self.folder.name)
        martlet.compile(self.path, folder / "a.so", cache_dir=None, name="first", weights="file").close()
        self.assertTrue((folder / "a.h").exists())
        with martlet.load(folder / "a.so") as model:
            self.assertEqual(model.name, "first")
            self.assertEqual(model.run([[1.0]], entry="step")["total"][0], 1)
        self.assertIsNone(martlet.compile(self.path, folder / "a.o", target="aarch64", cache_dir=None))
        self.assertTrue((folder / "a.o").exists())

    def test_loads_what_was_replaced(self):
        folder = pathlib.Path(self.folder.name)
        digits = support.DIGITS / "digits.onnx"
        with martlet.compile(digits, folder / "b.so", cache_dir=None) as open_ended:
            with martlet.compile(digits, folder / "b.so", shape={"image": [1, 1, 8, 8]}, cache_dir=None) as fixed:
                self.assertEqual(open_ended.inputs[0].shape[0], "n")
                self.assertEqual(fixed.inputs[0].shape[0], 1)

    def test_faults_of_files(self):
        folder, codes = pathlib.Path(self.folder.name), martlet.RunError
        (folder / "empty.so").write_bytes(b"")
        (folder / "cut.so").write_bytes(b"\x7fELF\x02" + bytes(100))
        for name in ("empty.so", "cut.so", "none.so", "model.mir"):
            self.fails(codes.INVALID_ARGUMENT, name, lambda: martlet.load(folder / name))
        library = _library.find()
        self.fails(codes.INVALID_ARGUMENT, "no model that Martlet compiled", lambda: martlet.load(library))

    def test_closed_models_refuse(self):
        model = martlet.compile(support.DIGITS / "digits.onnx", cache_dir=None)
        model.run([np.zeros((1, 1, 8, 8), np.float32)])
        model.close()
        model.close()
        self.fails(martlet.RunError.INVALID_ARGUMENT, "closed", lambda: model.run([np.zeros((1, 1, 8, 8), np.float32)]))
        del model
        gc.collect()


if __name__ == "__main__":
    unittest.main()
