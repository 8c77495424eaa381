# shellcheck shell=bash
# Sourced by what proves an installation: a bare Debian 12 that systemd boots in a container of its own, which has no network
# but loopback. It needs root, debootstrap and systemd-nspawn (the packages debootstrap and systemd-container).

# Copies a bare Debian into a scratch folder that goes when the script ends, and sets `root` to it. The system is
# bootstrapped once, into the cache.
#
#   prepare_debian NAME [PACKAGES]    the name of the system in the cache; what else it has, separated by commas
prepare_debian() {
  local program base=${XDG_CACHE_HOME:-$HOME/.cache}/mediasoup-server/$1
  for program in debootstrap systemd-nspawn; do
    command -v "$program" >/dev/null || {
      echo "$program is missing: apt-get install debootstrap systemd-container" >&2
      exit 1
    }
  done
  mkdir -p "${base%/*}"
  exec 9>"$base.lock"
  flock 9
  if [[ ! -d $base ]]; then
    rm -rf "$base.partial"
    debootstrap --variant=minbase --include="systemd,systemd-sysv,dbus${2:+,$2}" \
      bookworm "$base.partial" >&2
    mv "$base.partial" "$base"
  fi
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  root=$scratch/root
  cp -a "$base" "$root"
}

# Boots the system, which runs /root/proveInside.sh, and prints what that has seen. It fails where that did.
#
#   boot_debian SECONDS    how long proveInside.sh may take
boot_debian() {
  cat >"${root:?}/etc/systemd/system/prove.service" <<UNIT
[Service]
Type=oneshot
ExecStart=/bin/bash -c 'timeout $1 /root/proveInside.sh >/root/seen 2>&1; echo \$? >/root/result'
ExecStopPost=-/bin/bash -c '{ journalctl --no-pager --output=cat -n 80 -u "mediasoup-*"; systemctl list-jobs; } >/root/journal 2>&1'
ExecStopPost=/bin/systemctl --no-block poweroff
UNIT
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
  ln -s ../prove.service "$root/etc/systemd/system/multi-user.target.wants/prove.service"
  timeout $(($1 + 80)) systemd-nspawn --quiet --directory="$root" --private-network --register=no --keep-unit --boot \
    >"$scratch/console" 2>&1 || { tail -30 "$scratch/console" >&2; echo 'the system did not end well' >&2; }
  cat "$root/root/seen"
  if [[ $(cat "$root/root/result") != 0 ]]; then
    cat "$root/root/journal" >&2
    return 1
  fi
}
