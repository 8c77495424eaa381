#!/usr/bin/env bash
# Prints the absolute path of a mediasoup-worker that runs on this machine, and nothing else, on standard output.
#
#   ensure.sh [MEDIASOUP_DIRECTORY]
#
# MEDIASOUP_DIRECTORY is the npm package, by default the one installed in this repository. The worker is, in this order:
#   1. $MEDIASOUP_WORKER_BIN, if set;
#   2. one that this script has put into ${XDG_CACHE_HOME:-~/.cache}/mediasoup-server/worker before;
#   3. the one that mediasoup's authors have built, from GitHub;
#   4. one built here from the package's sources, see build.sh.
# MEDIASOUP_SERVER_WORKER=build leaves out what came or would come from GitHub.
#
# mediasoup's own install script does 3, then builds with downloads from half a dozen more sites. Where GitHub cannot be
# reached, that takes most of a minute and then fails the whole `npm ci`.
set -euo pipefail

# Whatever runs below must not write on standard output.
exec 3>&1 1>&2

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$here/packages.sh"

# How long the download may take in all once the server has answered, in seconds.
readonly DOWNLOAD_TIMEOUT=60

answer() {
  printf '%s\n' "$1" >&3
  exit 0
}

# Whether a binary runs here. Without the version that the Node side passes to it, a worker that has found all its
# shared libraries exits with 41 at once.
runs() {
  [[ -x $1 ]] || return 1
  local status=0
  env -i "$1" >/dev/null 2>&1 || status=$?
  ((status == 41))
}

find_mediasoup() {
  local directory
  for directory in "${1:-}" "$here/../../media-daemon/node_modules/mediasoup" "$here/../../node_modules/mediasoup"; do
    if [[ -n $directory && -f $directory/worker/meson.build ]]; then
      (cd "$directory" && pwd)
      return
    fi
    # A directory that was asked for is not replaced by another.
    [[ -z ${1:-} ]] || break
  done
  fail "the npm package mediasoup is not in ${1:-$(cd "$here/../.." && pwd)/node_modules}, run npm ci first"
}

# What a built binary depends on: the recipe, the libraries of the release, and the architecture.
recipe_hash() {
  local VERSION_ID='' ID=''
  if [[ -r /etc/os-release ]]; then
    # shellcheck source=/dev/null
    . /etc/os-release
  fi
  {
    (cd "$here" && find build.sh amalgamate.awk packages.sh subprojects batch/compile.sh batch/*.[ch] -type f -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum)
    printf '%s %s %s\n' "$ID" "$VERSION_ID" "$(uname -m)"
  } | sha256sum | cut -c 1-16
}

# Gives a cached build the libraries that it lacks here, as when the cache was filled by another container of the same
# release. Fails when that is not what is wrong with it.
repair() {
  local directory=$1 packages missing
  [[ -x $directory/mediasoup-worker && -s $directory/packages ]] || return 1
  mapfile -t packages <"$directory/packages"
  missing=$(missing_packages "${packages[@]}")
  [[ -n $missing ]] || return 1
  require_packages "${packages[@]}"
  runs "$directory/mediasoup-worker"
}

# Moves a finished directory to its place in the cache in one step, so that nobody sees half of it.
publish() {
  chmod 755 "$1"
  rm -rf "$2"
  mv -T "$1" "$2"
}

download() {
  local node=node reason
  command -v node >/dev/null || node="$mediasoup/../.bin/node"
  if ! command -v "$node" >/dev/null; then
    say 'there is no node to download with'
    return 1
  fi
  say 'asking GitHub for the binary of mediasoup'
  # A newer Node then respects the usual proxy variables.
  if ! reason=$(NODE_USE_ENV_PROXY=1 timeout "$DOWNLOAD_TIMEOUT" \
    "$node" "$here/download.mjs" "$mediasoup" "$1/worker.tgz" 2>/dev/null); then
    say "not available: ${reason:-the download takes too long}"
    return 1
  fi
  tar -xzf "$1/worker.tgz" -C "$1" mediasoup-worker && rm "$1/worker.tgz" && chmod 755 "$1/mediasoup-worker" || return 1
  if ! runs "$1/mediasoup-worker"; then
    say 'the binary of mediasoup does not run on this machine'
    return 1
  fi
}

# The authors' binary sends each packet in a call of its own, and keeps more for viewers that send no feedback.
answer_downloaded() {
  say "using the binary of mediasoup's authors, which forwards with more CPU than ours: it sends every packet on its own." \
    'Where Debian is, MEDIASOUP_SERVER_WORKER=build gets ours, in some minutes'
  answer "$downloaded/mediasoup-worker"
}

# The path of a cached binary that runs, if there is one.
cached() {
  if runs "$built/mediasoup-worker"; then
    answer "$built/mediasoup-worker"
  fi
  if [[ $from != build ]] && runs "$downloaded/mediasoup-worker"; then
    answer_downloaded
  fi
}

obtain() {
  # Another process may have done it while this one waited for the lock.
  cached
  if repair "$built"; then
    answer "$built/mediasoup-worker"
  fi

  scratch=$(mktemp -d "$cache/tmp.XXXXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  trap 'exit 130' INT TERM

  if [[ $from != build ]] && download "$scratch"; then
    publish "$scratch" "$downloaded"
    answer_downloaded
  fi

  rm -rf "${scratch:?}"/*
  "$here/build.sh" "$mediasoup" "$scratch"
  runs "$scratch/mediasoup-worker" || fail 'the binary that was built does not run'
  publish "$scratch" "$built"
  answer "$built/mediasoup-worker"
}

if [[ -n ${MEDIASOUP_WORKER_BIN:-} ]]; then
  [[ -f $MEDIASOUP_WORKER_BIN && -x $MEDIASOUP_WORKER_BIN ]] ||
    fail "MEDIASOUP_WORKER_BIN is $MEDIASOUP_WORKER_BIN, which is not an executable file"
  answer "$(cd "$(dirname "$MEDIASOUP_WORKER_BIN")" && pwd)/$(basename "$MEDIASOUP_WORKER_BIN")"
fi

from=${MEDIASOUP_SERVER_WORKER:-any}
case $from in
  any | build) ;;
  *) fail "MEDIASOUP_SERVER_WORKER is '$from', and can only be 'build' or 'any'" ;;
esac
# This is mediasoup's own variable for the same wish.
[[ -z ${MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD:-} ]] || from=build

mediasoup=$(find_mediasoup "${1:-}")
version=$(sed -n 's/^[[:space:]]*"version": "\(.*\)",$/\1/p' "$mediasoup/package.json")
cache=${XDG_CACHE_HOME:-${HOME:?is not set, and neither is XDG_CACHE_HOME}/.cache}/mediasoup-server/worker
built="$cache/$version-$(recipe_hash)"
downloaded="$cache/$version-github-$(uname -m)"

cached

# One process at a time obtains a binary, and the others then find it in the cache. What it starts does not inherit the
# lock, since a package's installation may leave a service running.
mkdir -p "$cache"
exec 9>"$cache/lock"
if ! flock --nonblock 9; then
  say 'waiting for another process that is getting it'
  flock 9
fi
obtain 9>&-
