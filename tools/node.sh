#!/bin/sh
# Puts a Node that can build the page beside Python's programs ($1), unless the machine has one (Vite 8: >= 20.19).
set -eu
if node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a == 20 && +b >= 19) ? 0 : 1)' 2>/dev/null &&
    npm --version >/dev/null 2>&1; then
    exit 0
fi
exec "$1/uv" pip install --quiet --python "$1/python" --require-hashes -r requirements/node.lock
