#!/usr/bin/env bash
# Installs ipvsload into an environment of its own, and what the lab needs of the machine.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
checkout=$(readlink -f "$here/../..")
environment=$RUNNER_TEMP/ipvsload

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

missing() {
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            echo "$package"
    done
}

install_packages() {
    local wanted
    mapfile -t wanted < <(missing "$@")
    [ ${#wanted[@]} = 0 ] ||
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
            "${wanted[@]}"
}

if [ "$IPVSLOAD_KERNEL" != model ]; then
    [ -z "$(missing user-mode-linux kmod iproute2 iptables nftables ipvsadm)" ] ||
        as_root apt-get update -qq
    install_packages kmod iproute2 iptables nftables ipvsadm
    # Not every distribution has it; a host kernel with ip_vs does as well.
    install_packages user-mode-linux ||
        echo "::notice::no package user-mode-linux here: the lab needs this machine's ip_vs"
fi

"$IPVSLOAD_PYTHON" -m venv "$environment"
pip=("$environment/bin/python" -m pip install --quiet --disable-pip-version-check)
if [ -n "$IPVSLOAD_REQUIREMENT" ]; then
    "${pip[@]}" -- "$IPVSLOAD_REQUIREMENT"
else
    "${pip[@]}" -c "$checkout/constraints.txt" -- "$checkout"
fi
"$environment/bin/ipvsload" --version
