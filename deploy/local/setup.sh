#!/usr/bin/env bash
# Installs what this repository needs and is missing: a Node to run npm with, the npm packages (a current Node is one
# of them), and the mediasoup worker. With `--tests` also Chromium. Running it again costs next to nothing.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."

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

command -v npm >/dev/null || install_packages nodejs npm

# `npm ci` is run again when the lockfile is another than the one that was installed.
lock=$(sha256sum package-lock.json | cut -d' ' -f1)
if [[ $(cat node_modules/.installed-from 2>/dev/null) != "$lock" ]]; then
  echo 'setup: installing npm packages' >&2
  npm ci --loglevel=error >&2
  printf '%s' "$lock" >node_modules/.installed-from
fi
export PATH="$PWD/node_modules/.bin:$PATH"

if [[ ${1:-} == --tests ]] && ! command -v chromium >/dev/null; then install_packages chromium fonts-dejavu-core; fi

mkdir -p node_modules/.cache
media-daemon/worker/ensure.sh >node_modules/.cache/worker-path
