#!/usr/bin/env bash
# Runs run.py with the Python of this machine, or with one of its own where that lacks onnx.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=python3
if ! python3 -c 'import ml_dtypes, numpy, onnx' 2> /dev/null; then
  venv=$root/.build/tools/conformance
  python=$venv/bin/python
  if [[ ! -x $python ]]; then python3 -m venv "$venv"; fi
  if ! "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"; then
    echo "conformance: onnx could not be installed from PyPI" >&2
    exit 1
  fi
fi
exec "$python" "$here/run.py" "$@"
