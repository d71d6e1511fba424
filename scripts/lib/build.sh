# SPDX-License-Identifier: GPL-3.0-or-later
# Builds a preset of CMakePresets.json.
# shellcheck shell=bash

# build PRESET [cmake options… | --target TARGETS…]: configures when need be, and builds what changed.
build() {
    local preset=$1 log
    shift
    local options=() targets=()
    while [ $# -gt 0 ]; do
        if [ "$1" = --target ]; then
            targets=("$@")
            break
        fi
        options+=("$1")
        shift
    done
    echo "building: $preset"
    log=$(mktemp)
    cmake --preset "$preset" "${options[@]}" > "$log" 2>&1 || { cat "$log"; rm -f "$log"; return 1; }
    rm -f "$log"
    cmake --build --preset "$preset" "${targets[@]}"
}
