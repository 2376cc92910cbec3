#!/usr/bin/env bash
# tests/golden/write.sh PROGRAM - makes all goldens anew. Read `git diff` of them before you commit: each change is a change
# of what the sensor says.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1")
rm -f "$here"/*.jsonl
for capture in "$here"/../../pcaps/*.pcap "$here"/../../pcaps/*.pcap.* "$here"/../../pcaps/*.pcapng "$here"/../../pcaps/*.pcapng.*; do
  case $capture in *'*'* | */bench-*) continue ;; esac
  "$here/run.sh" "$program" "$capture" --write
done
