#!/usr/bin/env bash
# Installs the package on a bare Debian 12 that systemd boots, and has proveInside.sh use it as an operator would: settings,
# start, a peer, drain, upgrade, removal. It prints what was seen and fails where that is wrong.
#
#   prove.sh FOLDER    the folder has the package
set -euo pipefail
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
. "$here/bootDebian.sh"
package=$(realpath "$(ls "$1"/*.deb)")

prepare_debian bookworm-systemd
cp "$package" "$root/root/mediasoup-server.deb"
cp "$here/proveInside.sh" "$here/provePeer.mjs" "$root/root"
boot_debian 120
