"""What documents show of Python is what it prints."""
import doctest
import importlib.util
import os
import re
import shutil
import tempfile
import unittest

import support


class DocumentTests(unittest.TestCase):
    def test_python_page(self):
        self.check("Docs/Python.md")

    def test_readme(self):
        self.check("README.md")

    def check(self, document):
        text = (support.ROOT / document).read_text()
        blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))
        self.assertTrue(blocks, "there is nothing to run")
        parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
        report, names, back = [], {}, os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(shutil.copytree(support.DIGITS, os.path.join(folder, "digits")))
            try:
                for block in blocks:
                    if "onnx." in block[1] and not importlib.util.find_spec("onnx"):
                        print("skipped: onnx is not installed")
                        continue
                    line = text[: block.start()].count("\n") + 1
                    test = parser.get_doctest(block[1], names, document, document, line)
                    self.assertTrue(test.examples, f"{document}, line {line} has no example")
                    runner.run(test, out=report.append, clear_globs=False)
                    names.update(test.globs)
            finally:
                os.chdir(back)
        self.assertEqual(runner.failures, 0, "".join(report))


if __name__ == "__main__":
    unittest.main()
