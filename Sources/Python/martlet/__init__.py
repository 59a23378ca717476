"""Martlet: compile trained models ahead of time, and run them on NumPy arrays.

    import martlet

    model = martlet.compile("digits.onnx")
    scores = model.run({"image": images})["scores"]
"""
from .compiler import compile
from .error import CompileError, Error, RunError
from .model import Entry, Model, Port, load

__version__ = "0.1.0"
__all__ = ["CompileError", "Entry", "Error", "Model", "Port", "RunError", "compile", "load"]
