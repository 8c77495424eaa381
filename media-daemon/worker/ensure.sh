#!/usr/bin/env bash
# Prints the path of a mediasoup worker that runs here, and gets one where there is none:
#
#   1. MEDIASOUP_WORKER_BIN, where it is set
#   2. the cache, ${XDG_CACHE_HOME:-~/.cache}/mediasoup-server/worker
#   3. mediasoup's own prebuilt binary (MEDIASOUP_SERVER_WORKER=build leaves this step out)
#   4. a build from source, see build.sh
#
# Only the path goes to standard output. The npm packages must be installed.
set -euo pipefail

recipe=$(dirname "$(realpath "$0")")
package=$(realpath "$recipe/../../node_modules/mediasoup")

say() { printf 'mediasoup-worker: %s\n' "$*" >&2; }

# A binary runs here when every library that it names is found.
runs() { [[ -x $1 ]] && ! ldd "$1" 2>&1 | grep -q 'not found'; }

if [[ -n ${MEDIASOUP_WORKER_BIN:-} ]]; then
  runs "$MEDIASOUP_WORKER_BIN" || { say "MEDIASOUP_WORKER_BIN=$MEDIASOUP_WORKER_BIN does not run here"; exit 1; }
  printf '%s\n' "$MEDIASOUP_WORKER_BIN"
  exit
fi

# The key says what the binary was built from: mediasoup's version, this recipe, the system's libraries, the machine.
version=$(sed -n 's/^\t"version": "\(.*\)",$/\1/p' "$package/package.json")
system=$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-linux}${VERSION_ID:-}")
key=$(cd "$recipe" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mediasoup-server/worker
binary=$cache/$version-$system-$(uname -m)-$key/mediasoup-worker

# Two set-ups at once make one binary.
mkdir -p "$(dirname "$binary")"
exec 9>"$cache/lock"
flock 9

# mediasoup's own script downloads the binary and tries it. Its folder is a copy, since it writes beside itself, and the
# time is bounded, since it goes on for 40 s where its host cannot be reached.
download() {
  local copy
  copy=$(mktemp -d)
  mkdir "$copy/node_modules"
  cp -r "$package" "$copy/node_modules/mediasoup"
  ln -s "$package"/../* "$copy/node_modules/" 2>/dev/null || true
  # Without a compiler in sight the script cannot go on to a build of its own.
  (cd "$copy/node_modules/mediasoup" && timeout 10 env PYTHON=/bin/false MAKE=/bin/false node npm-scripts.mjs postinstall) >/dev/null 2>&1 || true
  local found="$copy/node_modules/mediasoup/worker/out/Release/mediasoup-worker"
  if runs "$found"; then mv "$found" "$binary"; fi
  rm -rf "$copy"
}

if ! runs "$binary" && [[ ${MEDIASOUP_SERVER_WORKER:-} != build ]]; then
  say 'looking for a prebuilt binary'
  download
fi
runs "$binary" || "$recipe/build.sh" "$package" "$binary"
runs "$binary" || { say "$binary does not run here: $(ldd "$binary" | grep 'not found')"; exit 1; }
printf '%s\n' "$binary"
