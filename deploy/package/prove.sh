#!/usr/bin/env bash
# Installs the package on a bare Debian 12 that systemd boots, and has proveInside.sh use it as an operator would: apt-get,
# settings, start, a peer, drain, upgrade, removal. It prints what was seen and fails where that is wrong.
#
#   prove.sh FOLDER    the folder has the package
set -euo pipefail
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
. "$here/bootDebian.sh"
package=$(realpath "$(ls "$1"/*.deb)")

prepare_debian bookworm-systemd
cp "$package" "$root/root/mediasoup-server.deb"
# The same of the release before, to be upgraded.
dpkg-deb --raw-extract "$package" "$scratch/former"
sed -i 's/^Version: .*/Version: 0.0.1/' "$scratch/former/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$scratch/former" "$root/root/former.deb" >/dev/null
# The container has no network: what the package depends on is fetched from Debian before.
export DEBIAN_FRONTEND=noninteractive
chroot "$root" apt-get clean
chroot "$root" apt-get --quiet=2 update
chroot "$root" apt-get --quiet=2 --yes --no-install-recommends --download-only install /root/mediasoup-server.deb >&2
fetched=$(find "$root/var/cache/apt/archives" -name '*.deb' -printf '%f ')
echo "- apt-get found what the package depends on: ${fetched:-nothing that was missing}"
cp "$here/proveInside.sh" "$here/provePeer.mjs" "$root/root"
boot_debian 300
