#!/usr/bin/env bash
# Builds mediasoup-worker from the sources inside the npm package `mediasoup`, against Debian's libraries and with no
# network but apt's. The package's own build downloads these libraries and its build tools from elsewhere. The worker is
# linked with batch/, which sends in one call what one turn of its loop has for a viewer.
#
#   build.sh MEDIASOUP_DIRECTORY OUTPUT_DIRECTORY
#
# Writes OUTPUT_DIRECTORY/mediasoup-worker and OUTPUT_DIRECTORY/packages, the Debian packages that it needs to run.
# ensure.sh calls this; call it yourself to try a change to the recipe.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$here/packages.sh"

# In how many groups the sources are compiled. More would keep more cores busy, but cost more in all.
readonly WORKER_GROUPS=8
readonly LIBWEBRTC_GROUPS=2

# Sources that define a file-local name which another one of their group also defines.
readonly ALONE='
  Feedback.cpp LossBasedController.cpp PlainTransport.cpp RtxStream.cpp Settings.cpp SvcProducerStreamManager.cpp
  TargetRateController.cpp TcpConnectionHandle.cpp TcpServerHandle.cpp TransmissionControlBlock.cpp
  TransportCongestionControlServer.cpp UdpSocketHandle.cpp UnixStreamSocketHandle.cpp WebRtcTransport.cpp
  trendline_estimator.cc'

# dpkg-dev unpacks the source of libsrtp2.
readonly BUILD_PACKAGES=(
  dpkg-dev flatbuffers-compiler g++ libflatbuffers-dev libssl-dev libuv1-dev meson ninja-build pkg-config
)

# The memory that a compiler takes at most, in MiB, rounded up.
readonly JOB_MEMORY=800

require_debian() {
  local ID='' ID_LIKE='' VERSION_CODENAME=''
  if [[ -r /etc/os-release ]]; then
    # shellcheck source=/dev/null
    . /etc/os-release
  fi
  if [[ " $ID $ID_LIKE " != *' debian '* ]]; then
    fail "can only be built on Debian (12 or later) and what derives from it, and this is ${ID:-something else}." \
      $'\n''  Set MEDIASOUP_WORKER_BIN to a mediasoup-worker of the same version, or allow its download from GitHub.'
  fi
  codename=$VERSION_CODENAME
}

# Copies the worker's sources and makes them use what Debian has.
prepare_sources() {
  cp -R "$mediasoup/worker" "$work/worker"
  cd "$work/worker"
  chmod -R u+w .
  rm -rf subprojects out
  cp -R "$here/subprojects" subprojects

  # The callback of a BIO has to pass on the result of the operation. Comparing for equality never does, because the
  # type is BIO_CB_RETURN *or* the operation, so that every BIO_ctrl() answers 1. Debian's OpenSSL has kernel TLS, takes
  # that for "kernel TLS is on", allocates no buffer to write from, and crashes at the first DTLS handshake.
  local dtls=src/RTC/DtlsTransport.cpp
  local wrong='(operationType == BIO_CB_RETURN) ?' right='(operationType \& BIO_CB_RETURN) ?'
  if [[ $(grep -cF "$wrong" "$dtls") != 1 ]]; then
    fail "$dtls of mediasoup $version does not have the expression that is to be patched." \
      $'\n''  Look whether it still tests BIO_CB_RETURN wrongly, and change build.sh.'
  fi
  sed -i "s/$wrong/$right/" "$dtls"

  # libwebrtc keeps what was sent until feedback comes. A viewer that negotiates transport-cc and never sends any costs
  # 2 MB that way, and 5 s are longer than any path takes to answer.
  local history=deps/libwebrtc/libwebrtc/modules/congestion_controller/rtp/transport_feedback_adapter.cc
  wrong='kSendTimeHistoryWindowMs = 60000;' right='kSendTimeHistoryWindowMs = 5000;'
  if [[ $(grep -cF "$wrong" "$history") != 1 ]]; then
    fail "$history of mediasoup $version does not have the line that is to be changed: $wrong" \
      $'\n''  Look for how long it keeps packets without feedback, and change build.sh.'
  fi
  sed -i "s/$wrong/$right/" "$history"

  # Debian 12 has meson 1.0, and nothing in the file needs the 1.1 that it asks for.
  sed -i "s/meson_version: '>= 1\.1\.0'/meson_version: '>= 1.0.0'/" meson.build
}

# Puts the source of Debian's libsrtp2 into subprojects/libsrtp2. Uses lists of its own, so that neither the sources of
# this machine change nor root is needed. Fails when the source cannot be had.
fetch_libsrtp2() {
  local apt="$work/apt" keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"

  # $(...) are apt's own placeholders. Where the lists have been deleted nothing says which mirror to ask.
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
    awk -v codename="$codename" -v keyring="$keyring" '
      $2 ~ "^" codename "(-updates|-security)?$" && $3 == "main" { print "deb-src [signed-by=" keyring "]", $0 }
    ' | sort -u >"$apt/sources.list"
  [[ -s $apt/sources.list ]] || return 1

  local options=(
    -qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache"
    -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20
  )
  # Without this, apt changes to a user who cannot read our directory.
  ((EUID != 0)) || options+=(-o APT::Sandbox::User=root)

  mkdir "$apt/source"
  (
    cd "$apt/source"
    apt-get "${options[@]}" update && apt-get "${options[@]}" source --download-only libsrtp2 &&
      dpkg-source --no-check --extract ./*.dsc "$work/worker/subprojects/libsrtp2"
  ) >"$work/libsrtp2.log" 2>&1
}

group_sources() {
  cd "$work/worker"
  mkdir -p src/groups deps/libwebrtc/groups
  cp meson.build meson.build.ungrouped
  awk -v pattern='^src/' -v groups="$WORKER_GROUPS" -v into=src/groups -v alone="${ALONE//$'\n'/ }" \
    -f "$here/amalgamate.awk" meson.build.ungrouped >meson.build
  cd deps/libwebrtc
  cp meson.build meson.build.ungrouped
  awk -v pattern='^libwebrtc/' -v groups="$LIBWEBRTC_GROUPS" -v into=groups -v alone="${ALONE//$'\n'/ }" \
    -f "$here/amalgamate.awk" meson.build.ungrouped >meson.build
}

ungroup_sources() {
  cd "$work/worker"
  mv meson.build.ungrouped meson.build
  mv deps/libwebrtc/meson.build.ungrouped deps/libwebrtc/meson.build
}

elapsed() {
  local seconds=$((SECONDS - start))
  if ((seconds < 60)); then
    printf '%ds' "$seconds"
  else
    printf '%dm%02ds' $((seconds / 60)) $((seconds % 60))
  fi
}

# How many compilers to run at once: one a core, as far as the memory goes.
parallel_compilers() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
  local fitting=$((memory / JOB_MEMORY))
  ((fitting >= 1)) || fitting=1
  printf '%d' $((cores < fitting ? cores : fitting))
}

# Shows how far ninja is until it ends: in one changing line on a terminal, else in a line every 15 s.
show_progress() {
  local ninja=$1 next=$SECONDS
  while kill -0 "$ninja" 2>/dev/null; do
    local step
    step=$(sed -n 's/^\[\([0-9]*\/[0-9]*\)\].*/\1/p' "$work/build.log" | tail -n 1)
    if [[ -t 2 ]]; then
      printf '\rmediasoup-worker: compiling %s, %s ' "${step:-...}" "$(elapsed)" >&2
    elif ((SECONDS >= next)); then
      say "compiling ${step:-...}, $(elapsed)"
      next=$((SECONDS + 15))
    fi
    sleep 1
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

give_up() {
  # The log stays for whoever has to find out why.
  trap - EXIT
  tail -n 40 "$work/build.log" >&2
  fail "the build failed after $(elapsed), see $work/build.log"
}

compile() {
  rm -rf "$work/out"
  # meson puts LDFLAGS behind the objects, so that the linker finds what they need of the archive.
  local batch
  batch=$("$here/batch/compile.sh" "$work/batch" 2>"$work/build.log") || give_up
  LDFLAGS="${LDFLAGS:-} $batch" \
    meson setup --buildtype release -Db_ndebug=true --wrap-mode nodownload "$work/out" "$work/worker" \
    >>"$work/build.log" 2>&1 || give_up

  ninja -C "$work/out" -j "$(parallel_compilers)" mediasoup-worker >>"$work/build.log" 2>&1 &
  local ninja=$!
  show_progress "$ninja"
  wait "$ninja"
}

# The packages of the libraries that the binary is linked with.
runtime_packages() {
  local library
  ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | while read -r library; do
    # Since /lib is a link to /usr/lib, dpkg may know the library by either name.
    dpkg-query --search "$library" 2>/dev/null || dpkg-query --search "/usr$library"
  done | cut -d: -f1 | sort -u
}

if (($# != 2)); then
  fail 'usage: build.sh MEDIASOUP_DIRECTORY OUTPUT_DIRECTORY'
fi
mkdir -p "$2"
mediasoup=$(cd "$1" && pwd)
output=$(cd "$2" && pwd)
version=$(sed -n 's/^[[:space:]]*"version": "\(.*\)",$/\1/p' "$mediasoup/package.json")
start=$SECONDS

require_debian
require_packages "${BUILD_PACKAGES[@]}"

work=$(mktemp -d "${TMPDIR:-/tmp}/mediasoup-worker.XXXXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'kill -- $(jobs -p) 2>/dev/null; exit 130' INT TERM

say "building mediasoup-worker $version from its sources"
prepare_sources
if ! fetch_libsrtp2; then
  say "the source of libsrtp2 cannot be had, using Debian's binary, which needs more CPU:" \
    "$(tail -n 1 "$work/libsrtp2.log" 2>/dev/null || true)"
  rm -rf "$work/worker/subprojects/libsrtp2"
  require_packages libsrtp2-dev
fi

group_sources
if ! compile; then
  # Another version of mediasoup may have new clashes. They only cost time.
  say 'compiling in groups failed, compiling each source on its own'
  grep -m 3 'error:' "$work/build.log" >&2 || true
  ungroup_sources
  compile || give_up
fi

grep -q mediasoup-batch "$work/out/mediasoup-worker" || fail 'the binary was linked without batch/'
runtime_packages "$work/out/mediasoup-worker" >"$output/packages"
install -m 755 "$work/out/mediasoup-worker" "$output/mediasoup-worker"
say "built in $(elapsed)"
