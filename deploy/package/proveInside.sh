#!/usr/bin/env bash
# What prove.sh runs in the system that has just booted.
set -euo pipefail
trap 'echo "failed in line $LINENO"' ERR
cd /root

note() { printf '%s\n' "- $*"; }
node=/usr/lib/mediasoup-server/bin/node
daemon=mediasoup-media-daemon.service
control=mediasoup-control-plane.service
pid_of() { systemctl show --property=MainPID --value "$1"; }
await_ready() {
  for half in control-plane media-daemon; do
    until mediasoup-server health "$half" --ready --env-file "/etc/mediasoup-server/$half.env" >/dev/null 2>&1; do
      systemctl --quiet is-failed "mediasoup-$half.service" && return 1
      sleep 0.2
    done
  done
  until mediasoup-server daemons list | grep '  ready  ' >/dev/null; do sleep 0.2; done
}

install() { apt-get --quiet=2 --yes --no-install-recommends install "$1" >apt.log 2>&1 || { cat apt.log; return 1; }; }
version() { dpkg-query --show --showformat='${Version}' mediasoup-server; }

install ./former.deb
note "installed: $(dpkg-query --show mediasoup-server | tr '\t' ' '), command line $(mediasoup-server --version)"
systemd-analyze verify $daemon $control
note "systemd-analyze verify: nothing wrong"

key=$(mediasoup-server keys secret)
echo "CONTROL_PLANE_DAEMON_KEY=$key" >>/etc/mediasoup-server/control-plane.env
printf '%s\n' "MEDIA_DAEMON_DAEMON_KEY=$key" MEDIA_DAEMON_CONTROL_PLANE_URL=http://127.0.0.1:3000 \
  >>/etc/mediasoup-server/media-daemon.env
for half in control-plane media-daemon; do
  note "$(mediasoup-server config check "$half" --env-file "/etc/mediasoup-server/$half.env")"
done

systemctl enable --quiet --now $control $daemon
await_ready
for unit in $control $daemon; do
  exposure=$(systemd-analyze --no-pager security --threshold=15 "$unit" | tail -1)
  status=/proc/$(pid_of "$unit")/status
  note "$unit runs as user $(stat -c %u "/proc/$(pid_of "$unit")"), $(grep -E '^(NoNewPrivs|Seccomp):' "$status" | tr '\t\n' ' ')" \
    "CapBnd $(awk '/^CapBnd/{print $2}' "$status"), exposure level ${exposure##*: }"
  [[ $(stat -c %u "/proc/$(pid_of "$unit")") != 0 ]]
done

note "its log says where media is sent: $(journalctl --quiet --unit $daemon --grep 'media daemon ready' --output cat \
  | grep --only-matching '"rtcAddress":"[^"]*"')"

journalctl --quiet --unit $daemon | grep '"the workers send several packets in one call"' >/dev/null
note "its log says that the packaged mediasoup-worker batches"

# A worker that dies is replaced, under the unit's rules too.
for process in /proc/[0-9]*; do
  if [[ $(readlink "$process/exe") == */mediasoup-worker ]]; then worker=${process#/proc/}; fi
done
kill -KILL "$worker"
until journalctl --quiet --unit $daemon | grep '"worker replaced"' >/dev/null; do sleep 0.1; done
await_ready
note "a media worker that was killed was replaced"

# A peer that follows `reconnect` ends the drain; without it the unit would wait for ten minutes.
$node provePeer.mjs >peer.log &
until grep -q joined peer.log; do sleep 0.1; done
note "a peer joined: $(cat peer.log)"
note "$(mediasoup-server rooms explain lobby | head -1)"
started=$SECONDS
systemctl stop $daemon
wait $!
note "systemctl stop drained in $((SECONDS - started)) s: the peer was told '$(tail -1 peer.log)'," \
  "and the unit ended with $(systemctl show --property=Result --value $daemon), status $(systemctl show --property=ExecMainStatus --value $daemon)"
[[ $(systemctl show --property=Result --value $daemon) == success ]]
systemctl start $daemon
await_ready

before=$(pid_of "$daemon")
former=$(version)
install ./mediasoup-server.deb
await_ready
[[ $(pid_of "$daemon") != "$before" ]]
grep -q "$key" /etc/mediasoup-server/media-daemon.env
note "apt-get install of $(version) over $former stopped both, started both again, and left the settings alone"

mediasoup-server daemons drain "$(hostname)" | sed 's/^/- /'
for ((attempt = 0; attempt < 50; attempt++)); do systemctl --quiet is-active $daemon || break; sleep 0.1; done
[[ $(systemctl show --property=ActiveState --value $daemon) == inactive ]]
note "an operator's drain ends the unit, which stays ended"

apt-get --quiet=2 --yes remove mediasoup-server >apt.log 2>&1
[[ ! -e /usr/lib/mediasoup-server && ! -e /usr/lib/systemd/system/$daemon ]]
! systemctl --quiet is-active $control || exit 1
grep -q "$key" /etc/mediasoup-server/media-daemon.env
note "removed: the settings stay"
install ./mediasoup-server.deb
grep -q "$key" /etc/mediasoup-server/media-daemon.env
note "installed again: the settings are those of before"

apt-get --quiet=2 --yes purge mediasoup-server >apt.log 2>&1
[[ ! -e /etc/mediasoup-server && ! -e /usr/lib/mediasoup-server && ! -e /var/lib/private/mediasoup-control-plane ]]
note "purged: nothing is left"
