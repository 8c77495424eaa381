#!/usr/bin/env bash
# Packs both servers and the operators' command line, with the Node and the mediasoup worker that they run on, for machines
# with systemd: as a Debian package, and as a tar archive of the same tree, to be unpacked at / or, to run by hand, anywhere.
#
#   build.sh [FOLDER]
#
# It prints the paths of both. What they need of the system is in the package's control file.
set -euo pipefail
cd "$(dirname "$(realpath "$0")")/../.."
out=${1:-deploy/package/dist}
worker=$(tools/worker-build/ensure.sh)
version=$(node --print "require('./package.json').version")
architecture=$(dpkg --print-architecture)
name=mediasoup-server_${version}_$architecture

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tree=$scratch/tree
program=$tree/usr/lib/mediasoup-server
documents=$tree/usr/share/doc/mediasoup-server
units=$tree/usr/lib/systemd/system
umask 022
mkdir -p "$program/bin" "$documents/examples" "$units" "$tree/usr/bin" "$tree/DEBIAN"
install -d -m 0750 "$tree/etc/mediasoup-server" "$tree/etc/mediasoup-server/tls"

node tools/package/copyProgram.ts "$program"
chmod -R u=rwX,go=rX "$program"
install "$(node --print process.execPath)" "$program/bin/node"
install "$worker" "$program/bin/mediasoup-worker"
install deploy/package/mediasoup-server "$program/bin/mediasoup-server"
ln -s ../lib/mediasoup-server/bin/mediasoup-server "$tree/usr/bin/mediasoup-server"
install -m 0644 deploy/systemd/*.service "$units"
install -m 0644 deploy/systemd/*.{env,conf} "$documents/examples"
install -m 0644 README.md CHANGELOG.md "$documents"
find docs \( -name '*.md' -o -name '*.png' \) -not -path 'docs/node_modules/*' -not -path 'docs/dist/*' -exec install -D -m 0644 {} "$documents/{}" \;
install -m 0644 LICENSE "$documents/copyright"

# The worker's own libraries, which the builder noted beside it; one of mediasoup's authors brings most with it.
libraries=$(paste -sd, "${worker%/*}/packages" 2>/dev/null || echo libc6,libgcc-s1,libstdc++6)
install -m 0755 deploy/package/{postinst,prerm,postrm} "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<END
Package: mediasoup-server
Version: $version
Architecture: $architecture
Maintainer: Mediasoup Server contributors <mediasoup-server@example.com>
Installed-Size: $(du -sk "$tree" | cut -f1)
Depends: ${libraries//,/, }, libatomic1, passwd
Recommends: ca-certificates
Section: net
Priority: optional
Description: WebRTC conferencing on mediasoup
 A media daemon that carries the media of conferences, a control plane that assigns each peer to one, and the operators'
 command line. One daemon alone is a complete server too.
END

mkdir -p "$out"
dpkg-deb --root-owner-group -Zgzip -z6 --build "$tree" "$out/$name.deb" >/dev/null
dpkg-deb --fsys-tarfile "$out/$name.deb" | gzip -6 >"$out/$name.tar.gz"
printf '%s\n' "$out/$name.deb" "$out/$name.tar.gz"
