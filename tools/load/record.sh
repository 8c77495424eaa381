#!/bin/sh
# Records what the load tool sends: two seconds of moving pictures in VP8, 30 frames a second at about 500 kbps, the first
# of them a key frame, and twelve of a voice in Opus, 50 packets a second at about 32 kbps, with how loud each of them is.
# Debian: vpx-tools, opus-tools, espeak-ng.
set -eu
cd "$(dirname "$0")"
node recordings/source.ts video |
  vpxenc --codec=vp8 --ivf --passes=1 --rt --cpu-used=4 --end-usage=cbr --target-bitrate=500 --lag-in-frames=0 \
    --error-resilient=1 --kf-max-dist=9999 --quiet --output=recordings/video.ivf -
voice=$(mktemp)
trap 'rm "$voice"' EXIT
espeak-ng -w "$voice" -s 150 'Good morning everybody. Before we begin, could someone tell me whether the picture is clear?
  I had some trouble with it yesterday, and I would rather not lose another ten minutes.'
opusenc --quiet --bitrate 32 --framesize 20 --padding 0 --discard-comments "$voice" recordings/audio.opus
node recordings/source.ts levels <"$voice" >recordings/audio.levels
