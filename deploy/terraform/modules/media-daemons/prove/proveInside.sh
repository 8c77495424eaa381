#!/usr/bin/env bash
# What the system of prove.sh does once it has booted.
set -euo pipefail
cd /root
readonly INSTANCE=i-0123456789abcdef0
readonly HOST=$INSTANCE.media.example.com
readonly API=https://rtc.example.com:8443
readonly UNIT=mediasoup-media-daemon.service

say() { printf '== %s\n' "$*"; }
is() { [[ $2 == "$3" ]] || { echo "$1: $2 instead of $3"; exit 1; }; }
await() {
  local attempt
  for ((attempt = 0; attempt < 100; attempt++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.3
  done
  echo "in vain: $*"
  return 1
}

# The network, the authority of the certificates, and the control plane, run from the package's own files.
ip link set lo up
for address in 169.254.169.254 10.40.0.7 192.0.2.7; do ip address add "$address/32" dev lo; done
echo '127.0.0.1 rtc.example.com' >>/etc/hosts
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=authority -days 2 -keyout ca.key -out ca.pem 2>/dev/null
certify() {
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$2.key" -out "$2.csr" 2>/dev/null
  openssl x509 -req -in "$2.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out "$2.pem" \
    -extfile <(echo "subjectAltName=DNS:$1") 2>/dev/null
}
certify rtc.example.com api
certify '*.media.example.com' first
certify '*.media.example.com' second
cp ca.pem /usr/local/share/ca-certificates/prove.crt
update-ca-certificates >/dev/null 2>&1
ln -s first.pem acm.pem && ln -s first.key acm.key
dpkg-deb --extract mediasoup-server.deb tree
program=/root/tree/usr/lib/mediasoup-server
mkdir -p state && echo InService >state/lifecycle
STATE=/root/state "$program/bin/node" metadata.mjs "$INSTANCE" &
env CONTROL_PLANE_MODE=jwt CONTROL_PLANE_ACCESS_TOKEN_SECRET=a-secret-of-the-application-of-32-characters \
  CONTROL_PLANE_CORS_ORIGINS=https://app.example.com CONTROL_PLANE_DAEMON_KEY=the-key-of-all-daemons \
  CONTROL_PLANE_DAEMON_TLS=true CONTROL_PLANE_DAEMON_CA_FILE=/root/ca.pem CONTROL_PLANE_LISTEN_PORT=8443 \
  CONTROL_PLANE_TLS_CERT_FILE=/root/api.pem CONTROL_PLANE_TLS_KEY_FILE=/root/api.key CONTROL_PLANE_DATA_DIR=/root/data \
  "$program/bin/node" "$program/control-plane/src/main.ts" >control-plane.log &
await curl -fsS "$API/ready"

# The user data, filled in as Terraform does.
settings="NAME='fleet'
REGION='eu-central-1'
ZONE_ID='ZPUBLIC'
PRIVATE_ZONE_ID='ZPRIVATE'
DOMAIN='media.example.com'
PACKAGE='s3://packages/mediasoup-server.deb'
CERTIFICATE_ARN='arn:aws:acm:eu-central-1:123456789012:certificate/1'
PORT='443'
GRPC_PORT='50051'
RTC_PORT='40000'
WORKERS='2'
DAEMON_KEY_SECRET='arn:aws:secretsmanager:eu-central-1:123456789012:secret:daemon-key'
CONTROL_PLANE='$API'
DRAIN_SECONDS='60'
LAUNCH_HOOK='start'
TERMINATION_HOOK='drain'"
# A certificate of an authority of ours is not known to Node, as public ones are.
further="MEDIA_DAEMON_MAX_PEERS=50
MEDIA_DAEMON_CERTIFICATE_POLL_MS=500
NODE_EXTRA_CA_CERTS=/usr/local/share/ca-certificates/prove.crt"
template=$(cat user-data.sh.tftpl)
template=${template/\$\{instance_settings\}/$(base64 <<<"$settings")}
template=${template/\$\{daemon_settings\}/$(base64 <<<"$further")}
template=${template/\$\{script\}/$(gzip -c mediasoup-instance.sh | base64)}
is 'user data that Terraform would fill further' "$(grep -c '^[$]{' <<<"$template" || true)" 0
printf '%s\n' "$template" >user-data.sh
bash user-data.sh >boot.log 2>&1 || { cat boot.log; journalctl --no-pager -n 30 -u "$UNIT"; exit 1; }

say 'the instance has booted'
is 'the launch hook' "$(grep -c 'complete-lifecycle-action.*--lifecycle-hook-name start --lifecycle-action-result CONTINUE' aws.log)" 1
is 'the names' "$(grep -o 'Z[A-Z]* UPSERT.*' aws.log | sort | paste -sd,)" "ZPRIVATE UPSERT $HOST 10.40.0.7,ZPUBLIC UPSERT $HOST 192.0.2.7"
is 'the unit' "$(systemctl is-active "$UNIT")" active
is 'who reads the key' "$(stat -c '%a %U %G' /etc/mediasoup-server/tls/key.pem)" '640 root mediasoup-server'
is 'the time to stop' "$(systemctl show -P TimeoutStopUSec "$UNIT")" '1min 30s'
is 'what the unit is kept from' "$(systemctl show -P IPAddressDeny "$UNIT" | tr ' ' '\n' | sort | paste -sd,)" \
  169.254.169.254/32,fd00:ec2::254/128
# A dynamic user of systemd's.
user=$(stat -c %u "/proc/$(systemctl show -P MainPID "$UNIT")")
is 'whether the daemon has no rights' "$((user >= 61184 && user <= 65519))" 1

# The control plane reaches the daemon by its name, over TLS, with a token.
encode() { openssl base64 -A | tr '+/' '-_' | tr -d =; }
claims="{\"aud\":\"mediasoup-server\",\"sub\":\"peer\",\"room\":\"room\",\"exp\":$(($(date +%s) + 600)),\"grants\":{\"publish\":true}}"
unsigned="$(printf '{"alg":"HS256","typ":"access+jwt"}' | encode).$(printf '%s' "$claims" | encode)"
token=$unsigned.$(printf '%s' "$unsigned" | openssl dgst -sha256 -hmac a-secret-of-the-application-of-32-characters -binary | encode)
curl -fsS -H "authorization: Bearer $token" -H 'content-type: application/json' -d '{"peerId":"peer"}' \
  "$API/rooms/room/assignments" >assignment
is 'where the peer goes' "$(jq -r '.url | split("/?")[0]' assignment)" "wss://$HOST"
curl -fsS -m 10 "https://$HOST/health" >/dev/null
say "a peer is sent to $(jq -r '.url | split("/?")[0]' assignment)"

# A renewed certificate is taken up, without a restart.
served() { openssl s_client -connect "$HOST:443" -servername "$HOST" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
main=$(systemctl show -P MainPID "$UNIT")
ln -sf second.pem acm.pem && ln -sf second.key acm.key
systemctl start mediasoup-certificate.service
is_second() { [[ $(served) == "$(openssl x509 -in second.pem -noout -serial)" ]]; }
await is_second
is 'the process' "$(systemctl show -P MainPID "$UNIT")" "$main"
is 'the timer' "$(systemctl is-active mediasoup-certificate.timer)" active
say 'a renewed certificate is served by the same process'

# The group wants the instance back.
echo Terminated >state/lifecycle
is_gone() { ! systemctl --quiet is-active mediasoup-watch.service; }
await is_gone
is 'the unit' "$(systemctl is-active "$UNIT" || true)" inactive
is 'how it ended' "$(systemctl show -P Result "$UNIT")" success
is 'the names that are gone' "$(grep -c "DELETE $HOST" aws.log)" 2
is 'the termination hook' "$(tail -1 aws.log | grep -c 'complete-lifecycle-action.*--lifecycle-hook-name drain --lifecycle-action-result CONTINUE')" 1
say 'the instance has drained its daemon and given itself back'
