"""Writes down the checkout that the package is installed from, whose build has the compiler's library."""
import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCheckout(build_py):
    def run(self):
        super().run()
        if getattr(self, "editable_mode", False):
            return
        checkout = pathlib.Path(__file__).resolve().parents[2]
        place = pathlib.Path(self.build_lib) / "martlet" / "_checkout.py"
        place.write_text(f"PATH = {str(checkout)!r}\n")


setup(cmdclass={"build_py": BuildWithCheckout})
