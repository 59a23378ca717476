"""What the tests share. `MARTLET_LIBRARY` says which build they are of."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DIGITS = ROOT / "Examples" / "digits"
sys.path.insert(0, str(ROOT / "Sources" / "Python"))
