#!/usr/bin/env bash
# Boots a bare Debian 12 with systemd as an instance of the autoscaling group, with stand-ins for what AWS answers: it must
# become a daemon that the control plane commands, take up a renewed certificate, and drain when the group wants it back.
# It prints what was seen and fails where that is wrong.
#
#   prove.sh PACKAGE    the .deb
set -euo pipefail
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
. "$here/../../../../package/bootDebian.sh"
package=$(realpath "$1")

# What the image has, and what the boot script would install.
prepare_debian bookworm-instance ca-certificates,curl,jq,openssl,iproute2,libatomic1
cp "$package" "$root/root/mediasoup-server.deb"
cp "$here/proveInside.sh" "$here/metadata.mjs" "$here"/../files/* "$root/root"
install -m 0755 "$here/aws" "$root/usr/local/bin/aws"
# Nothing can be installed but the package, with what is there.
cat >"$root/usr/local/bin/apt-get" <<'END'
#!/bin/sh
case "$*" in *.deb) for file; do :; done; exec dpkg --install "$file" ;; esac
END
chmod 0755 "$root/usr/local/bin/apt-get"
boot_debian 200
