#!/usr/bin/env bash
# tests/signed.sh PROGRAM - the signed captures of the lab against their certificates: with their own all verifies, with those of
# another recording every signer is unknown; two workers say the same; and SIGHUP reads them again.
set -u
program=$(realpath "$1")
pcaps=$(cd "$(dirname "$0")/../pcaps" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

expect() { # what, expected, got
  if [[ $2 == "$3" ]]; then
    passed=$((passed + 1))
  else
    echo "FAIL $1: expected $2, got $3"
    failed=$((failed + 1))
  fi
}

replay() { # capture certificates workers -> $scratch/out
  printf 'policy: { signing: { certificates: "%s" } }\n' "$2" >"$scratch/conf.yaml"
  "$program" -q -c "$scratch/conf.yaml" -r "$1" -j "$3" --no-fold --emit alerts,tasks >"$scratch/out" || failed=$((failed + 1))
}

count() { grep -c -- "$1" "$scratch/out"; }

other=$(ls -d "$pcaps"/signed-redis-debian.certs)
for certificates in "$pcaps"/signed-*.certs; do
  name=$(basename "$certificates" .certs)
  capture=$(ls "$pcaps/$name".pcap* | head -n 1)
  replay "$capture" "$certificates" 0
  cp "$scratch/out" "$scratch/one"
  tasks=$(count '"dataset":"celeriac.task"')
  expect "$name: tasks" yes "$([[ $tasks -gt 10 ]] && echo yes)"
  expect "$name: all verify" "$tasks" "$(grep '"dataset":"celeriac.task"' "$scratch/out" | grep -c '"signature":"valid","signature_scheme":"rsa-pss"')"
  expect "$name: no finding" 0 "$(count '"rule":{"id":"task-')"
  replay "$capture" "$certificates" 2
  expect "$name: two workers" same "$(cmp -s "$scratch/out" "$scratch/one" && echo same)"
  [[ $certificates == "$other" ]] && continue
  replay "$capture" "$other" 0
  expect "$name: by strangers" "$tasks" "$(grep '"dataset":"celeriac.task"' "$scratch/out" | grep -c '"signature":"unknown signer"')"
  ids=$(grep '"dataset":"celeriac.task"' "$scratch/out" | grep -o '"task":{"id":"[^"]*"' | sort -u | wc -l)
  # a finding for each task, and one for the signed hello of a worker that joins (published, and what its own node reads)
  expect "$name: unknown signers" "$ids" "$(grep '"rule":{"id":"task-signer-unknown"' "$scratch/out" | grep -c '"task":{"id"')"
done
# The attacks of the lab: each once, whatever the layout.
for kind in amqp redis; do
  replay "$(ls "$pcaps/attack-signed-$kind".pcap* | head -n 1)" "$pcaps/attack-signed-$kind.certs" 0
  for pair in task-signature-invalid:5 task-signer-unknown:2 task-signature-replayed:3 task-unsigned:1 pickle-malicious:1 \
    pickle-disguised:1; do
    expect "$kind: ${pair%:*}" "${pair#*:}" "$(count "\"rule\":{\"id\":\"${pair%:*}\"")"
    expect "$kind: ${pair%:*} of the stranger" "${pair#*:}" \
      "$(grep "\"rule\":{\"id\":\"${pair%:*}\"" "$scratch/out" | grep -c '"source":{"ip":"10.77.0.66"')"
  done
done

# The same traffic three times, a hundred seconds apart. After the first the right certificates take the place of others; a
# replay's workers may be through with the second before the collector's next tick.
replaced() { # workers
  local capture=$pcaps/signed-amqp-new.pcap
  rm -rf "$scratch/certs" "$scratch/pipe" && cp -r "$other" "$scratch/certs"
  printf 'policy: { signing: { certificates: "%s" } }\n' "$scratch/certs" >"$scratch/conf.yaml"
  editcap -F pcap -t 100 "$capture" "$scratch/2.pcap" && editcap -F pcap -t 200 "$capture" "$scratch/3.pcap" || return
  mkfifo "$scratch/pipe"
  "$program" -q -c "$scratch/conf.yaml" -r - -j "$1" --emit tasks <"$scratch/pipe" >"$scratch/out" &
  local sensor=$!
  exec 3>"$scratch/pipe"
  cat "$capture" >&3
  sleep 1
  rm "$scratch/certs"/* && cp "$pcaps"/signed-amqp-new.certs/* "$scratch/certs"
  kill -HUP $sensor
  tail -c +25 "$scratch/2.pcap" >&3
  sleep 1
  tail -c +25 "$scratch/3.pcap" >&3
  exec 3>&-
  wait $sensor || failed=$((failed + 1))
  expect "before SIGHUP, $1 workers" "$tasks" "$(head -n "$tasks" "$scratch/out" | grep -c '"signature":"unknown signer"')"
  expect "after SIGHUP, $1 workers" "$tasks" "$(tail -n "$tasks" "$scratch/out" | grep -c '"signature":"valid"')"
}
if command -v editcap >/dev/null; then
  tasks=$("$program" -q -r "$pcaps/signed-amqp-new.pcap" --emit tasks | wc -l)
  replaced 0
  replaced 2
fi
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
