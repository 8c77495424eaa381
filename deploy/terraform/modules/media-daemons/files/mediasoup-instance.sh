#!/usr/bin/env bash
# Makes an EC2 instance a media daemon of its autoscaling group, with the rights of the instance's role: the daemon itself
# has none. `boot` installs and starts it, `certificate` renews its certificate, `watch` waits until the group or AWS wants
# the instance back and then drains it.
set -euo pipefail

# What Terraform knows: NAME, REGION, ZONE_ID, PRIVATE_ZONE_ID, DOMAIN, PACKAGE, CERTIFICATE_ARN, PORT, GRPC_PORT, RTC_PORT,
# WORKERS, DAEMON_KEY_SECRET, CONTROL_PLANE, DRAIN_SECONDS, LAUNCH_HOOK, TERMINATION_HOOK.
# shellcheck source=/dev/null
. /etc/mediasoup-server/instance.env

readonly METADATA=http://169.254.169.254/latest
readonly SETTINGS=/etc/mediasoup-server/media-daemon.env
readonly TLS=/etc/mediasoup-server/tls
readonly UNIT=mediasoup-media-daemon.service

# Asks the instance metadata service, version 2.
metadata() {
  local token
  token=$(curl -fsS -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/api/token")
  curl -fsS -m 5 -H "X-aws-ec2-metadata-token: $token" "$METADATA/$1"
}

identify() {
  INSTANCE_ID=$(metadata meta-data/instance-id)
  PRIVATE_IP=$(metadata meta-data/local-ipv4)
  PUBLIC_IP=$(metadata meta-data/public-ipv4)
  AVAILABILITY_ZONE=$(metadata meta-data/placement/availability-zone)
  HOST=$INSTANCE_ID.$DOMAIN
  AWS_REGION=$(metadata meta-data/placement/region)
  # The AWS command line finds the region there.
  export AWS_REGION AWS_DEFAULT_REGION=$AWS_REGION
}

# Writes (UPSERT) or removes (DELETE) the instance's name: the public address for browsers, and in the VPC the private one
# for the control plane.
change_names() {
  local action=$1 zone address
  while read -r zone address; do
    aws route53 change-resource-record-sets --hosted-zone-id "$zone" --output text --change-batch "$(
      jq -n --arg action "$action" --arg name "$HOST" --arg address "$address" '{Changes: [{Action: $action,
        ResourceRecordSet: {Name: $name, Type: "A", TTL: 60, ResourceRecords: [{Value: $address}]}}]}'
    )" >/dev/null
  done <<<"$ZONE_ID $PUBLIC_IP
$PRIVATE_ZONE_ID $PRIVATE_IP"
}

# Gets the certificate and its key, from a secret {"certificate": PEM chain, "privateKey": PEM} or from ACM, which encrypts
# the key on its way. The daemon takes them up when they change.
fetch_certificate() (
  umask 077
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  if [[ $CERTIFICATE_ARN == *:secretsmanager:* ]]; then
    aws secretsmanager get-secret-value --secret-id "$CERTIFICATE_ARN" --query SecretString --output text >"$scratch/secret"
    jq -er .certificate "$scratch/secret" >"$scratch/cert.pem"
    jq -er .privateKey "$scratch/secret" >"$scratch/key.pem"
  else
    openssl rand -hex 32 | tr -d '\n' >"$scratch/passphrase"
    aws acm export-certificate --certificate-arn "$CERTIFICATE_ARN" --passphrase "fileb://$scratch/passphrase" \
      --output json >"$scratch/exported"
    jq -er '.Certificate + "\n" + .CertificateChain' "$scratch/exported" >"$scratch/cert.pem"
    jq -er .PrivateKey "$scratch/exported" |
      openssl pkey -passin "file:$scratch/passphrase" -out "$scratch/key.pem"
  fi
  # Half a renewal would be worse than none.
  if [[ $(openssl x509 -in "$scratch/cert.pem" -noout -pubkey) != $(openssl pkey -in "$scratch/key.pem" -pubout) ]]; then
    echo 'the certificate and its key do not belong together' >&2
    return 1
  fi
  install -d -m 0750 -g mediasoup-server "$TLS"
  for file in key.pem cert.pem; do
    if ! cmp -s "$scratch/$file" "$TLS/$file"; then
      install -m 0640 -g mediasoup-server "$scratch/$file" "$TLS/.$file"
      mv "$TLS/.$file" "$TLS/$file"
    fi
  done
)

install_package() {
  local file=/var/cache/mediasoup-server/${PACKAGE##*/}
  mkdir -p "${file%/*}"
  aws s3 cp --only-show-errors "$PACKAGE" "$file"
  case $file in
    *.deb) apt-get install -y --no-install-recommends "$file" ;;
    *) tar -xf "$file" -C / --no-same-owner ;;
  esac
  # The Debian package has done this already.
  getent group mediasoup-server >/dev/null || groupadd --system mediasoup-server
  chgrp mediasoup-server /etc/mediasoup-server
}

# The settings of the instance, before those that Terraform was given, which win.
write_settings() {
  local daemon_key url
  daemon_key=$(aws secretsmanager get-secret-value --secret-id "$DAEMON_KEY_SECRET" --query SecretString --output text)
  url=wss://$HOST
  [[ $PORT == 443 ]] || url+=:$PORT
  install -m 0640 -g mediasoup-server /dev/null "$SETTINGS"
  cat >"$SETTINGS" <<END
MEDIA_DAEMON_DAEMON_ID=$INSTANCE_ID
MEDIA_DAEMON_REGION=$REGION
MEDIA_DAEMON_ZONE=$AVAILABILITY_ZONE
MEDIA_DAEMON_MODE=jwt
MEDIA_DAEMON_LISTEN_IP=0.0.0.0
MEDIA_DAEMON_LISTEN_PORT=$PORT
MEDIA_DAEMON_PUBLIC_URL=$url
MEDIA_DAEMON_TLS_CERT_FILE=$TLS/cert.pem
MEDIA_DAEMON_TLS_KEY_FILE=$TLS/key.pem
MEDIA_DAEMON_GRPC_IP=$PRIVATE_IP
MEDIA_DAEMON_GRPC_PORT=$GRPC_PORT
MEDIA_DAEMON_GRPC_ADDRESS=$HOST:$GRPC_PORT
MEDIA_DAEMON_GRPC_TLS_CERT_FILE=$TLS/cert.pem
MEDIA_DAEMON_GRPC_TLS_KEY_FILE=$TLS/key.pem
MEDIA_DAEMON_RTC_IP=$PRIVATE_IP
MEDIA_DAEMON_RTC_ANNOUNCED_ADDRESS=$PUBLIC_IP
MEDIA_DAEMON_RTC_PORT=$RTC_PORT
MEDIA_DAEMON_WORKERS=$WORKERS
MEDIA_DAEMON_CONTROL_PLANE_URL=$CONTROL_PLANE
MEDIA_DAEMON_DAEMON_KEY=$daemon_key
MEDIA_DAEMON_DRAIN_DEADLINE_MS=$((DRAIN_SECONDS * 1000))
END
  cat /etc/mediasoup-server/further.env >>"$SETTINGS"
}

# Lets the service stop for as long as its drain takes, and listen on the port although it has no rights; keeps it from the
# metadata, which give whoever asks the role's rights; and makes the kernel's buffers as large as the package advises.
prepare_system() {
  mkdir -p "/etc/systemd/system/$UNIT.d"
  printf '[Service]\nTimeoutStopSec=%d\nIPAddressDeny=169.254.169.254 fd00:ec2::254\n' $((DRAIN_SECONDS + 30)) \
    >"/etc/systemd/system/$UNIT.d/instance.conf"
  local advice=/usr/share/doc/mediasoup-server/examples/sysctl.conf
  if [[ -e $advice ]]; then install -m 0644 "$advice" /etc/sysctl.d/60-mediasoup-server.conf; fi
  if ((PORT < 1024)); then
    echo "net.ipv4.ip_unprivileged_port_start=$PORT" >/etc/sysctl.d/61-mediasoup-port.conf
  fi
  systemctl restart systemd-sysctl.service
  systemctl daemon-reload
}

# Waits until the daemon takes peers: it has registered at the control plane then.
await_ready() {
  local attempt
  for ((attempt = 0; attempt < 60; attempt++)); do
    if curl -fsS -m 5 -o /dev/null --resolve "$HOST:$PORT:$PRIVATE_IP" "https://$HOST:$PORT/ready"; then return; fi
    sleep 5
  done
  echo 'the media daemon did not become ready' >&2
  return 1
}

complete() {
  aws autoscaling complete-lifecycle-action --auto-scaling-group-name "$NAME" --instance-id "$INSTANCE_ID" \
    --lifecycle-hook-name "$1" --lifecycle-action-result "$2"
}

boot() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update
  apt-get install -y --no-install-recommends awscli ca-certificates curl jq openssl
  identify
  # An instance that cannot be made a daemon is replaced.
  trap 'complete "$LAUNCH_HOOK" ABANDON' ERR
  set -E
  install_package
  change_names UPSERT
  fetch_certificate
  write_settings
  prepare_system
  systemctl enable --now "$UNIT"
  await_ready
  systemctl enable --now mediasoup-watch.service mediasoup-certificate.timer
  complete "$LAUNCH_HOOK" CONTINUE
}

# Drains the daemon, which takes until its last peer has moved or the deadline, and gives the instance back.
leave() {
  local heartbeats
  while sleep 60; do
    aws autoscaling record-lifecycle-action-heartbeat --auto-scaling-group-name "$NAME" --instance-id "$INSTANCE_ID" \
      --lifecycle-hook-name "$TERMINATION_HOOK" || true
  done &
  heartbeats=$!
  systemctl stop "$UNIT"
  kill "$heartbeats"
  change_names DELETE || true
  complete "$TERMINATION_HOOK" CONTINUE || true
}

watch_group() {
  identify
  while sleep 5; do
    if [[ $(metadata meta-data/autoscaling/target-lifecycle-state || true) == Terminated ]]; then break; fi
    # Two minutes' notice of a spot instance.
    if metadata meta-data/spot/instance-action >/dev/null 2>&1; then break; fi
    # One that systemd has given up on, which the group would think well.
    if systemctl is-failed --quiet "$UNIT"; then
      aws autoscaling set-instance-health --instance-id "$INSTANCE_ID" --health-status Unhealthy || true
    fi
  done
  leave
}

case ${1:-} in
  boot) boot ;;
  certificate) identify && fetch_certificate ;;
  watch) watch_group ;;
  *)
    echo 'usage: mediasoup-instance boot|certificate|watch' >&2
    exit 2
    ;;
esac
