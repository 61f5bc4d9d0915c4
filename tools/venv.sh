#!/bin/sh
# Makes the virtual environment with the first Python >= 3.11 that really runs, and puts uv into it.
set -eu
for python in python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        "$python" -m venv "$1" || {
            echo "the module venv is missing; on Debian: apt-get install python3-venv" >&2
            exit 1
        }
        exec "$1/bin/python" -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
    fi
done
echo "no Python 3.11 or newer was found; install one (Debian 12: apt-get install python3 python3-venv)" >&2
exit 1
