# shellcheck shell=bash
# What build.sh and ensure.sh share: talking to the user, and seeing to it that Debian packages are installed.

say() {
  printf 'mediasoup-worker: %s\n' "$*" >&2
}

fail() {
  say "$@"
  exit 1
}

# Prints the packages among the arguments that are not installed.
missing_packages() {
  local installed
  # dpkg-query fails when it does not know one of the packages, which only means that it is missing.
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  local package
  for package in "$@"; do
    grep -qxF "installed $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

# Returns once the given packages are installed, by installing them when we may. Leaves with a message otherwise.
require_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0

  local install=(apt-get install --yes --no-install-recommends "${missing[@]}")
  if ((EUID != 0)); then
    fail "these Debian packages are missing: ${missing[*]}" $'\n'"  Install them and try again: sudo ${install[*]}"
  fi

  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  install+=(-qq -o DPkg::Lock::Timeout=300)
  # The package lists may be absent, as in a fresh container, or name versions that the mirror no longer has.
  "${install[@]}" >/dev/null 2>&1 && return 0
  apt-get update -qq >&2 || say 'apt-get update failed, going on with the package lists there are'
  local output
  if ! output=$("${install[@]}" 2>&1); then
    fail "apt-get could not install ${missing[*]}:" $'\n'"$output"
  fi
}
