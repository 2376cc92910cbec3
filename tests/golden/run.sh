#!/usr/bin/env bash
# tests/golden/run.sh PROGRAM CAPTURE [--write] - the whole output of a capture against tests/golden/<name>.jsonl, with 0, 1,
# 2 and 4 workers. --write makes it anew: read the difference before you commit it.
set -u
program=$1 capture=$2
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$capture" | sed -E 's/\.(pcapng|pcap)(\.(gz|xz|zst|lz4))?$//')
golden=$here/$name.jsonl
kinds=alerts,tasks,results,control
[[ $name == day-* || $name == attack-who-* ]] && kinds=alerts,control # thousands of tasks: compare.py counts them against their own account
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

replay() { # workers -> output in $scratch/N; a damaged capture may say so (65) after all that could be read
  "$program" -q -r "$capture" -j "$1" --emit "$kinds" >"$scratch/$1" 2>"$scratch/errors"
  local status=$?
  [[ $status -eq 0 || $status -eq 65 ]] || { echo "exit $status:" && cat "$scratch/errors" && exit 1; }
}

replay 0
[[ ${3:-} == --write ]] && cp "$scratch/0" "$golden"
[[ -f $golden ]] || { echo "no $golden"; exit 1; }
diff -u "$golden" "$scratch/0" | head -n 40
cmp -s "$golden" "$scratch/0" || { echo "$name: not the golden output"; exit 1; }
for workers in 0 1 2 4; do
  replay $workers
  cmp "$golden" "$scratch/$workers" || { echo "$name: differs with $workers workers"; exit 1; }
done
