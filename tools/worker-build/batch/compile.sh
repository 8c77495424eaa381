#!/usr/bin/env bash
# Compiles the batch into an archive that the worker is linked with.
#
#   compile.sh OUTPUT_DIRECTORY
#
# Writes OUTPUT_DIRECTORY/libbatch.a, and prints the linker's options that put it into use.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
output=$(cd "$1" && pwd)

for source in "$here"/*.c; do
  cc -std=gnu11 -O2 -Wall -Wextra -c "$source" -o "$output/$(basename "$source" .c).o"
done
rm -f "$output/libbatch.a"
ar rcs "$output/libbatch.a" "$output"/*.o
printf '%s' "-Wl,--wrap=uv_udp_try_send,--wrap=uv_close $output/libbatch.a"
