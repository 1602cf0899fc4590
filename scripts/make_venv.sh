#!/bin/sh
# Make a virtual environment: make_venv.sh PYTHON FOLDER
set -eu
python=$1
folder=$2

command -v "$python" >/dev/null || {
    echo "No command '$python' here. Install Python 3.10 or newer, or name it: make PYTHON=/path/to/python" >&2
    exit 1
}
"$python" -c '
import sys
if sys.version_info < (3, 10):
    sys.exit("weight-widgets needs Python 3.10 or newer, and %s is %s. Name a newer one: make PYTHON=python3.12"
             % (sys.argv[1], sys.version.split()[0]))
' "$python"

# Debian ships Python without the part that puts pip into a virtual environment.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$version"
    else
        echo "'$python' cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install $version" >&2
        exit 1
    fi
fi

echo "Making $folder with $("$python" --version)"
"$python" -m venv --clear "$folder"
