#!/bin/sh
# Records what the load tool sends: two seconds of moving pictures in VP8, 30 frames a second at about 500 kbps, the first
# of them a key frame, and two of sound in Opus, 50 packets a second at about 32 kbps. Debian: vpx-tools, opus-tools.
set -eu
cd "$(dirname "$0")"
node recordings/source.ts video |
  vpxenc --codec=vp8 --ivf --passes=1 --rt --cpu-used=4 --end-usage=cbr --target-bitrate=500 --lag-in-frames=0 \
    --error-resilient=1 --kf-max-dist=9999 --quiet --output=recordings/video.ivf -
node recordings/source.ts audio |
  opusenc --quiet --raw --raw-rate 48000 --raw-chan 2 --raw-bits 16 --bitrate 32 --framesize 20 --padding 0 --discard-comments \
    - recordings/audio.opus
