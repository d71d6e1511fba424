# Builds a preset of CMakePresets.json.
# shellcheck shell=bash

# build PRESET [cmake options…]: configures when need be, and builds what changed.
build() {
    local preset=$1
    shift
    echo "building: $preset"
    cmake --preset "$preset" "$@" > "/tmp/sftdyn-build.$$" 2>&1 || { cat "/tmp/sftdyn-build.$$"; rm -f "/tmp/sftdyn-build.$$"; return 1; }
    rm -f "/tmp/sftdyn-build.$$"
    cmake --build --preset "$preset"
}
