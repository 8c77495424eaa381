#!/usr/bin/env bash
# Installs the package on a bare Debian 12 that systemd boots in a container of its own, and has proveInside.sh use it as an
# operator would: settings, start, a peer, drain, upgrade, removal. It prints what was seen and fails where that is wrong.
# The system is bootstrapped once, into the cache; it has no network but loopback.
#
#   prove.sh FOLDER    the folder has the package
#
# It needs root, debootstrap and systemd-nspawn (the packages debootstrap and systemd-container).
set -euo pipefail
here=$(cd "$(dirname "$(realpath "$0")")" && pwd)
package=$(realpath "$(ls "$1"/*.deb)")
for program in debootstrap systemd-nspawn; do
  command -v "$program" >/dev/null || {
    echo "$program is missing: apt-get install debootstrap systemd-container" >&2
    exit 1
  }
done

cache=${XDG_CACHE_HOME:-$HOME/.cache}/mediasoup-server
base=$cache/bookworm-systemd
exec 9>"$cache/bookworm-systemd.lock"
flock 9
if [[ ! -d $base ]]; then
  rm -rf "$base.partial"
  # What the package depends on, and what bootstrapping leaves out of a system that boots.
  debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,libatomic1,libssl3 bookworm "$base.partial" >&2
  mv "$base.partial" "$base"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -a "$base" "$scratch/root"
root=$scratch/root
cp "$package" "$root/root/mediasoup-server.deb"
cp "$here/proveInside.sh" "$here/provePeer.mjs" "$root/root"
cat >"$root/etc/systemd/system/prove.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'timeout 120 /root/proveInside.sh >/root/seen 2>&1; echo $? >/root/result'
ExecStopPost=/bin/bash -c 'journalctl --no-pager --output=cat -n 60 -u "mediasoup-*" >/root/journal 2>&1; systemctl list-jobs >>/root/journal'
ExecStopPost=/bin/systemctl --no-block poweroff
[Install]
WantedBy=graphical.target
END
ln -s ../prove.service "$root/etc/systemd/system/multi-user.target.wants/prove.service"
sed -i '/^After=/d' "$root/etc/systemd/system/prove.service"

timeout 280 systemd-nspawn --quiet --directory="$root" --private-network --register=no --keep-unit --boot \
  >"$scratch/console" 2>&1 || { tail -30 "$scratch/console" >&2; echo 'the system did not end well' >&2; }
cat "$root/root/seen"
[[ $(cat "$root/root/result") == 0 ]] || cat "$root/root/journal" >&2
[[ $(cat "$root/root/result") == 0 ]]
