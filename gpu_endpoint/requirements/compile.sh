#!/bin/sh
# Rewrites the locks from the .in files. Needs uv on PATH (or UV=path) and a Python 3.13 (or PYTHON=path).
set -eu
cd "$(dirname "$0")"
compile() {
    "${UV:-uv}" pip compile -q --generate-hashes --no-header --no-emit-index-url --python-version 3.13 \
        --python "${PYTHON:-3.13}" "$@"
}
compile cpu.in -o cpu.txt
compile gpu.in -o gpu.txt
compile test.in -o test.txt
compile --no-deps models.in -o models.txt
