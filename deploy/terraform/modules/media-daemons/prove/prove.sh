#!/usr/bin/env bash
# Boots a bare Debian 12 with systemd as an instance of the autoscaling group, with stand-ins for what AWS answers: it must
# become a daemon that the control plane commands, take up a renewed certificate, and drain when the group wants it back.
# It prints what was seen and fails where that is wrong.
#
#   prove.sh PACKAGE    the .deb
#
# It needs root, debootstrap and systemd-nspawn (the packages debootstrap and systemd-container).
set -euo pipefail
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
package=$(realpath "$1")
for program in debootstrap systemd-nspawn; do
  command -v "$program" >/dev/null || {
    echo "$program is missing: apt-get install debootstrap systemd-container" >&2
    exit 1
  }
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/mediasoup-server
base=$cache/bookworm-instance
mkdir -p "$cache"
exec 9>"$base.lock"
flock 9
if [[ ! -d $base ]]; then
  rm -rf "$base.partial"
  # What the image has, and what the boot script would install: the system has no network.
  debootstrap --variant=minbase \
    --include=systemd,systemd-sysv,dbus,libatomic1,libssl3,ca-certificates,curl,jq,openssl,iproute2 \
    bookworm "$base.partial" >&2
  mv "$base.partial" "$base"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -a "$base" "$scratch/root"
root=$scratch/root
cp "$package" "$root/root/mediasoup-server.deb"
cp "$here/proveInside.sh" "$here/metadata.mjs" "$here"/../files/* "$root/root"
install -m 0755 "$here/aws" "$root/usr/local/bin/aws"
# Nothing can be installed but the package, with what is there.
cat >"$root/usr/local/bin/apt-get" <<'END'
#!/bin/sh
case "$*" in *.deb) for file; do :; done; exec dpkg --install "$file" ;; esac
END
chmod 0755 "$root/usr/local/bin/apt-get"
cat >"$root/etc/systemd/system/prove.service" <<'END'
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'timeout 200 /root/proveInside.sh >/root/seen 2>&1; echo $? >/root/result'
ExecStopPost=-/bin/bash -c 'journalctl --no-pager --output=cat -n 80 -u "mediasoup-*" >/root/journal 2>&1'
ExecStopPost=/bin/systemctl --no-block poweroff
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../prove.service "$root/etc/systemd/system/multi-user.target.wants/prove.service"

timeout 280 systemd-nspawn --quiet --directory="$root" --private-network --register=no --keep-unit --boot \
  >"$scratch/console" 2>&1 || { tail -30 "$scratch/console" >&2; echo 'the system did not end well' >&2; }
cat "$root/root/seen"
[[ $(cat "$root/root/result") == 0 ]] || cat "$root/root/journal" >&2
[[ $(cat "$root/root/result") == 0 ]]
