#!/usr/bin/env bash
# Installs what this repository needs and is missing: a Node and an npm that are recent enough, the npm packages (a
# current Node is one of them), and the mediasoup worker. With `--tests` also what tests run: Chromium, coturn, promtool,
# nft, ip, tcpdump, systemd-analyze; with `--checks` shellcheck and the packages of docs/. Running it again costs next to nothing.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."

# Two of them at once, as of `make run` beside `make test`, would install over each other.
exec {lock}<tools/dev/setup.sh
flock "$lock"

# The machine's own Node and npm do the installing: those among the packages are about to be replaced.
PATH=${PATH//"$PWD/node_modules/.bin:"/}

# The npm that installs where the machine's Node is too old.
readonly NPM_VERSION=12.2.0

install_packages() {
  if [[ $(id -u) != 0 ]]; then
    echo "setup: missing Debian packages. Run: sudo apt-get install $*" >&2
    exit 1
  fi
  echo "setup: installing $*" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null
  apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install "$@" >/dev/null
}

# Puts a Node and an npm of our choice first on the path, where those of the machine are older than package.json's
# "engines" asks. An older npm run by an older Node leaves out what others need: it skips optional packages, most native
# ones, that name a later Node than the one it runs on, and with the Node of the other processor architecture Debian 12's
# takes this one's link away too (https://github.com/npm/cli/issues/4362).
use_recent_npm() {
  if node --eval 'process.exit(parseInt(process.versions.node) < 24 ? 1 : 0)'; then return; fi
  local package version directory
  package=node-linux-$(node --print process.arch)
  version=$(node --print "require('./package.json').optionalDependencies['$package'] || ''")
  if [[ -z $version ]]; then
    echo "setup: this is Node $(node --version) for $(uname -sm); please install Node 24 or later" >&2
    exit 1
  fi
  directory=${XDG_CACHE_HOME:-$HOME/.cache}/mediasoup-server/node-$version-npm-$NPM_VERSION
  if [[ ! -d $directory ]]; then
    echo "setup: getting Node $version, since $(node --version) is too old to run npm with" >&2
    mkdir -p "${directory%/*}"
    scratch=$(mktemp -d "${directory%/*}/tmp.XXXXXXXX")
    trap 'rm -rf "$scratch"' EXIT
    npm install --prefix "$scratch" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
      "$package@$version" "npm@$NPM_VERSION" >&2
    # Another run may have been faster, and then its result is as good.
    mv -T "$scratch" "$directory" 2>/dev/null || [[ -d $directory ]]
  fi
  export PATH="$directory/node_modules/.bin:$PATH"
}

# Takes promtool, which tests the alert rules, out of Debian's package: installing that would start a Prometheus, on the
# port of the control plane's metrics.
get_promtool() {
  local cache=${XDG_CACHE_HOME:-$HOME/.cache}/mediasoup-server scratch
  if [[ ! -x $cache/promtool ]]; then
    echo 'setup: getting promtool' >&2
    mkdir -p "$cache"
    scratch=$(mktemp -d "$cache/tmp.XXXXXXXX")
    (
      cd "$scratch"
      # As root apt would have another user write here.
      download() { apt-get -qq -o APT::Sandbox::User=root download prometheus 2>/dev/null; }
      download || { [[ $(id -u) != 0 ]] || apt-get -qq -o DPkg::Lock::Timeout=300 update >/dev/null; download; } || {
        echo 'setup: cannot get the Debian package prometheus. Run: sudo apt-get update, or install promtool' >&2
        exit 1
      }
      dpkg-deb --extract prometheus_*.deb .
    )
    mv -T "$scratch/usr/bin/promtool" "$cache/promtool"
    rm -rf "$scratch"
  fi
  ln -sf "$cache/promtool" node_modules/.bin/promtool
}

command -v npm >/dev/null || install_packages nodejs npm
# A current Node needs it, and a small Debian lacks it.
/sbin/ldconfig -p | grep libatomic.so.1 >/dev/null || install_packages libatomic1

# Runs `npm ci` in a folder whose lockfile is another than the one that was installed.
install_npm() {
  local lock
  lock=$(sha256sum "$1/package-lock.json" | cut -d' ' -f1)
  if [[ $(cat "$1/node_modules/.installed-from" 2>/dev/null) == "$lock" ]]; then return; fi
  use_recent_npm
  echo "setup: installing npm packages${2:-}" >&2
  npm ci --prefix "$1" --loglevel=error >&2
  printf '%s' "$lock" >"$1/node_modules/.installed-from"
}

install_npm .
export PATH="$PWD/node_modules/.bin:$PATH"

# Installs what tests run, without its starting as a service of this machine.
install_programs() {
  local policy=/usr/sbin/policy-rc.d
  if [[ $(id -u) == 0 && ! -e $policy ]]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
  fi
  install_packages "$@"
}

if [[ ${1:-} == --checks ]]; then
  command -v shellcheck >/dev/null || install_packages shellcheck
  install_npm docs ' of the documentation'
fi
if [[ ${1:-} == --tests ]]; then
  programs=()
  command -v chromium >/dev/null || programs+=(chromium fonts-dejavu-core)
  command -v turnserver >/dev/null || programs+=(coturn)
  command -v systemd-analyze >/dev/null || programs+=(systemd)
  PATH=$PATH:/usr/sbin command -v nft >/dev/null || programs+=(nftables)
  PATH=$PATH:/usr/sbin command -v ip >/dev/null || programs+=(iproute2)
  command -v tcpdump >/dev/null || programs+=(tcpdump)
  ((${#programs[@]} == 0)) || install_programs "${programs[@]}"
  command -v promtool >/dev/null || get_promtool
fi

mkdir -p node_modules/.cache
tools/worker-build/ensure.sh >node_modules/.cache/worker-path
