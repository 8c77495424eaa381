#!/usr/bin/env bash
# Builds the mediasoup worker from the sources inside the npm package, against Debian's libraries.
#
#   build.sh <folder of the npm package mediasoup> <where the binary goes>
#
# Needs a network for nothing but Debian's packages. Progress goes to standard error.
set -euo pipefail

package=$(realpath "$1")
target=$2
recipe=$(dirname "$(realpath "$0")")
started=$SECONDS

say() { printf 'mediasoup-worker: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

required=(meson ninja-build g++ pkg-config libuv1-dev libssl-dev libsrtp2-dev libflatbuffers-dev flatbuffers-compiler
  python3 patch dpkg-dev)

# Installs what is missing, or says what to install to someone who may not.
install_packages() {
  command -v dpkg-query >/dev/null || fail 'only Debian is known here; build a worker yourself and set MEDIASOUP_WORKER_BIN.'
  local missing=() name
  for name in "${required[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  ((${#missing[@]})) || return 0
  [[ $(id -u) == 0 ]] || fail "missing Debian packages. Run: sudo apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -qq -y --no-install-recommends -o 'DPkg::Lock::Timeout=300')
  "${apt[@]}" install "${missing[@]}" >&2 2>/dev/null ||
    { apt-get -qq -o 'DPkg::Lock::Timeout=300' update >&2 && "${apt[@]}" install "${missing[@]}" >&2; } ||
    fail "apt-get could not install ${missing[*]}"
}

# Debian's libsrtp2 uses NSS. The same source with OpenSSL costs the worker a fifth less CPU, so it is built along where
# a source package can be had; a list of sources of our own leaves the machine's as they are.
fetch_libsrtp() {
  local into=$1 list="$work/sources.list" codename
  codename=$(. /etc/os-release && printf %s "$VERSION_CODENAME")
  local mirror
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m1 '/debian$') || return 1
  printf 'deb-src %s %s main\n' "$mirror" "$codename" >"$list"
  mkdir -p "$work/lists/partial"
  (cd "$work" &&
    options=(-qq -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root) &&
    apt-get "${options[@]}" update && apt-get "${options[@]}" source libsrtp2) >"$work/libsrtp.log" 2>&1 || return 1
  mv "$work"/libsrtp2-*/ "$into"
}

# Sources that define the same file-local names as others; see amalgamate.awk.
alone='main.cpp Settings.cpp TcpServerHandle.cpp UdpSocketHandle.cpp UnixStreamSocketHandle.cpp TcpConnectionHandle.cpp
  PlainTransport.cpp WebRtcTransport.cpp PipeTransport.cpp RtxStream.cpp SvcProducerStreamManager.cpp
  TargetRateController.cpp LossBasedController.cpp TransportCongestionControlServer.cpp Feedback.cpp trendline_estimator.cc'

# Groups the sources of one meson.build.
amalgamate() {
  local dir=$1 pattern=$2 groups=$3
  (cd "$dir" && mkdir -p unity && awk -v pattern="$pattern" -v groups="$groups" -v into=unity -v alone="$alone" \
    -f "$recipe/amalgamate.awk" meson.build >meson.new && mv meson.new meson.build)
}

prepare_sources() {
  cp -r "$package/worker/." "$work/src"
  rm -f "$work/src/subprojects"/*.wrap
  cp -r "$recipe/subprojects/." "$work/src/subprojects"
  fetch_libsrtp "$work/src/subprojects/libsrtp2" || say 'no source of libsrtp2; Debian'"'"'s own binary does, a little slower'

  # The callback answers 1 to every BIO_ctrl, because it compares where it should test a bit. Debian's OpenSSL takes the
  # 1 for "kernel TLS is on", allocates no write buffer and crashes at the first DTLS handshake.
  local dtls="$work/src/src/RTC/DtlsTransport.cpp"
  grep -q 'operationType == BIO_CB_RETURN' "$dtls" || fail 'DtlsTransport.cpp has changed: look whether its BIO callback still needs the patch'
  sed -i 's/operationType == BIO_CB_RETURN/operationType \& BIO_CB_RETURN/' "$dtls"

  # It asks for meson 1.1 and uses nothing that Debian 12's 1.0 lacks.
  sed -i "s/'>= *1\.1\.0'/'>= 1.0.0'/" "$work/src/meson.build"

  amalgamate "$work/src" '^src/' 12
  amalgamate "$work/src/deps/libwebrtc" '^libwebrtc/' 4
}

# Turns ninja's "[37/120]" lines into one line that moves on a terminal, and into one every 15 s elsewhere.
show_progress() {
  local line last=-15
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$work/build.log"
    [[ $line =~ ^\[([0-9]+/[0-9]+)\] ]] || continue
    if [[ -t 2 ]]; then
      printf '\rmediasoup-worker: compiling %s, %d s ' "${BASH_REMATCH[1]}" $((SECONDS - started)) >&2
    elif ((SECONDS - last >= 15)); then
      last=$SECONDS
      say "compiling ${BASH_REMATCH[1]}, $((SECONDS - started)) s"
    fi
  done
  [[ ! -t 2 ]] || printf '\n' >&2
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say 'building from source; this takes some minutes, once'
install_packages
prepare_sources
meson setup --buildtype release -Db_ndebug=true --wrap-mode nodownload "$work/out" "$work/src" >"$work/setup.log" 2>&1 ||
  { tail -n 30 "$work/setup.log" >&2; fail 'meson setup failed'; }
ninja -k 0 -C "$work/out" mediasoup-worker 2>&1 | show_progress ||
  { grep -m 20 -E 'error|FAILED' "$work/build.log" >&2; fail 'the compilation failed'; }
strip -o "$work/mediasoup-worker" "$work/out/mediasoup-worker"
mkdir -p "$(dirname "$target")"
# A rename is atomic, so nobody ever starts half a binary.
mv "$work/mediasoup-worker" "$target.new.$$"
mv "$target.new.$$" "$target"
say "built in $((SECONDS - started)) s"
