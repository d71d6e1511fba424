# SPDX-License-Identifier: GPL-3.0-or-later
# Which Debian 12 packages each job needs, and how they get onto the machine.
# shellcheck shell=bash disable=SC2034  # the lists are for whoever reads this file

# Debian 12 has Boost in two versions; the program needs the newer one. Debian 13's only one is newer still.
boost_package=libboost-dev
if grep -qs '^VERSION_ID="12"' /etc/os-release; then boost_package=libboost1.81-dev; fi

build_packages=(g++ cmake ninja-build pkg-config "$boost_package" libssl-dev libknot-dev libtomlplusplus-dev
                libcli11-dev libspdlog-dev libfmt-dev libsystemd-dev libseccomp-dev libcap-ng-dev libargon2-dev libidn2-dev libqrencode-dev
                libpython3-dev pybind11-dev libsqlite3-dev)
package_packages=(dpkg-dev debhelper fakeroot lintian)
demo_packages=(knot bind9-dnsutils curl)
test_packages=(libgtest-dev libgmock-dev knot bind9 bind9-utils bind9-dnsutils pdns-server pdns-backend-sqlite3
               python3 python3-pytest python3-pytest-xdist python3-pytest-timeout python3-dnspython curl openssl nginx-light haproxy fail2ban
               systemd testssl.sh ddclient inadyn wget busybox iproute2 util-linux
               mmdebstrap sqlite3 prometheus groff bash-completion zsh fish faketime)
vm_packages=(mmdebstrap qemu-system-x86 e2fsprogs util-linux python3 python3-pytest)
lint_packages=(git clang-format-16 shellcheck doxygen)
tidy_packages=(clang-tidy-16 clang-16)
fuzz_packages=(clang-16 libclang-rt-16-dev)
bench_packages=(libbenchmark-dev bind9 bind9-utils bind9-dnsutils curl dnsperf wrk nginx-light slowhttptest python3 python3-dnspython)

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -n "$@" || sudo "$@"
    else
        echo "$0: packages must be installed (see above): run it as root, or install sudo" >&2
        return 1
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Debian starts and enables the services of the packages it installs. Here nothing is to run: what came along is kept
# from starting, and disabled.
install_quietly() {
    local policy=/usr/sbin/policy-rc.d made_policy=
    if [ ! -e "$policy" ]; then
        made_policy=1
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    local status=0
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >/dev/null || status=$?
    if [ -n "$made_policy" ]; then as_root rm -f "$policy"; fi
    return $status
}

disable_services_of() {
    local package unit
    for package in "$@"; do
        for unit in $(dpkg -L "$package" 2>/dev/null | sed -n 's,^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\)\)$,\2,p'); do
            if [ -n "$(find /etc/systemd/system -name "$unit" -type l 2>/dev/null)" ]; then
                as_root systemctl disable -q "$unit" 2>/dev/null || as_root find /etc/systemd/system -name "$unit" -type l -delete
            fi
        done
        for unit in $(dpkg -L "$package" 2>/dev/null | sed -n 's,^/etc/init.d/\([^/]*\)$,\1,p'); do
            as_root update-rc.d "$unit" disable >/dev/null 2>&1 || echo "note: the start script $unit could not be disabled" >&2
        done
    done
}

# Installs those of the named packages that are missing, and says which.
need_packages() {
    local package missing=() before after new
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}"
    before=$(mktemp)
    after=$(mktemp)
    dpkg-query -W -f='${Package}\n' | sort > "$before"
    install_quietly "${missing[@]}" || {
        as_root apt-get update -q >/dev/null
        install_quietly "${missing[@]}"
    }
    dpkg-query -W -f='${Package}\n' | sort > "$after"
    mapfile -t new < <(comm -13 "$before" "$after")
    rm -f "$before" "$after"
    disable_services_of "${new[@]}"
}
