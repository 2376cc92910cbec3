#!/usr/bin/env bash
# tests/learn.sh PROGRAM - --learn on the lab's captures: what is written, merged, refused, left out.
set -u
celeriac=$(realpath "$1")
pcaps=$(cd "$(dirname "$0")/../pcaps" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
passed=0 failed=0

ok() { # name, then a command that has to succeed
  local name=$1
  shift
  if "$@" >out 2>&1; then passed=$((passed + 1)); else
    echo "FAIL $name"
    head -n 5 out
    failed=$((failed + 1))
  fi
}
not() { ! "$@"; }
exits() { # status, then arguments
  local want=$1
  shift
  "$celeriac" -q "$@" -o file:/dev/null >out 2>err </dev/null
  local got=$?
  [[ $got -eq $want ]] || { echo "exit $got, not $want"; cat err; return 1; }
}
capture() { ls "$pcaps/$1".pcap* | grep -v '\.md$' | head -n 1; }
[[ -n $(capture benign-amqp-new) ]] || { echo "SKIP: no captures"; exit 77; }

benign=(benign-amqp-new benign-redis-new benign-amqp-big benign-redis-big)
one=$(capture benign-amqp-new) two=$(capture benign-redis-new)

ok 'learns' exits 0 -r "$one" --learn a.yaml
ok 'mode' [ "$(stat -c %a a.yaml)" = 640 ]
ok 'nothing else is left' [ "$(ls | grep -c yaml)" -eq 1 ]
ok 'origin' grep -qF -- '- { origin: web1, addresses: [10.77.0.21], tasks: [' a.yaml
ok 'worker' grep -qF -- '- { node: "celery@app1", addresses: [10.77.0.31], queues: [celery], user: shop }' a.yaml
ok 'controller' grep -qF -- '- { addresses: [10.77.0.51], commands: [ping] }' a.yaml
ok 'task' grep -qxF -- '  - shop.add' a.yaml
ok 'nothing of the clock' not grep -qE '20[0-9][0-9]-' a.yaml
ok 'reads back' exits 0 -b a.yaml -T
cp a.yaml a.before
ok 'twice' exits 0 -r "$one" --learn a.yaml
ok 'twice changes nothing' cmp a.yaml a.before
for j in 1 2; do
  ok "-j $j" exits 0 -r "$one" -j $j --learn "j$j.yaml"
  ok "-j $j: the same" cmp a.yaml "j$j.yaml"
done

# What is known by another baseline is not learnt again.
ok 'known' exits 0 -r "$one" -b a.yaml --learn new.yaml
printf 'version: 1\n' >empty.yaml
ok 'known: nothing is new' cmp new.yaml empty.yaml
ok 'known: other capture' exits 0 -r "$two" -b a.yaml --learn new.yaml
ok 'known: what is new' grep -qxF -- '  - shop.total' new.yaml
ok 'known: what is not' not grep -qxF -- '  - shop.add' new.yaml

# In whatever order, and all at once: the same.
for order in "0 1 2 3" "3 2 1 0" "2 0 3 1"; do
  rm -f merged.yaml
  for i in $order; do ok "merge $i" exits 0 -r "$(capture "${benign[$i]}")" --learn merged.yaml; done
  [[ -f first.yaml ]] || cp merged.yaml first.yaml
  ok "order $order" cmp first.yaml merged.yaml
done
for b in "${benign[@]}"; do
  cp first.yaml again.yaml
  ok "merged: $b again" exits 0 -r "$(capture "$b")" --learn again.yaml
  ok "merged: $b is in it" cmp first.yaml again.yaml
done

# What a person wrote stays, and swallows what it covers.
cat >hand.yaml <<'Y'
version: 1
producers:
  - { origin: "web*", addresses: [10.77.0.0/16], tasks: ["shop.*"] }
tasks: [ "shop.*" ]
relays:
  - { addresses: [10.9.9.9] }
Y
ok 'by hand' exits 0 -r "$one" --learn hand.yaml
ok 'by hand: the entry stays' grep -qxF -- '  - { origin: "web*", addresses: [10.77.0.0/16], tasks: ["shop.*"] }' hand.yaml
ok 'by hand: one producer' [ "$(grep -c 'origin:' hand.yaml)" -eq 1 ]
ok 'by hand: one task' grep -qxF -- '  - "shop.*"' hand.yaml
ok 'by hand: no other task' not grep -qxF -- '  - shop.add' hand.yaml
ok 'by hand: the relay stays' grep -qxF -- '  - { addresses: [10.9.9.9] }' hand.yaml

# Refused.
printf 'version: 1\nproducers:\n  - { addresses: [10.0.0.1] }\n' >bad.yaml
cp bad.yaml bad.before
ok 'damaged' exits 78 -r "$one" --learn bad.yaml
ok 'damaged: where' grep -qF 'bad.yaml:3:5' err
ok 'damaged: stays as it is' cmp bad.yaml bad.before
ok 'no directory' exits 74 -r "$one" --learn no/such/file
ok 'a directory' exits 78 -r "$one" --learn .
ok 'no input: nothing is written' exits 66 -r absent.pcap --learn absent.yaml
ok 'no input: no file' [ ! -e absent.yaml ]

# Attackers are left out, and named.
for attack in attack-control-amqp attack-pickles-redis attack-takeover-redis attack-rogue-amqp; do
  "$celeriac" -r "$(capture $attack)" -o file:/dev/null --learn $attack.yaml 2>err
  ok "$attack: said" grep -qF 'nothing is learnt of 10.77.0.66: it raised' err
  ok "$attack: left out" not grep -qF '10.77.0.66' $attack.yaml
done
ok 'a worker that keeps an attack in unacked' grep -qF '"celery@app1"' attack-pickles-redis.yaml
ok 'imports' exits 0 -r "$(capture neighbours-redis)" --learn imports.yaml
ok 'imports: by queue' grep -qxF -- '  - { queue: mailer, modules: [huey.registry] }' imports.yaml
ok 'imports: two workers' exits 0 -j 2 -r "$(capture neighbours-redis)" --learn imports2.yaml
ok 'imports: the same' cmp imports.yaml imports2.yaml
"$celeriac" -r "$(capture guest-amqp)" -o file:/dev/null --learn guest.yaml 2>err
ok 'default credential: said' grep -qF 'default credential' err
ok 'default credential: left out' not grep -qF 'guest' guest.yaml

# Stopped by a signal, what was seen until then is written.
mkfifo pipe
"$celeriac" -q -r pipe -o file:/dev/null --learn stopped.yaml 2>err &
pid=$!
case $one in *.zst) zstd -qdc "$one" ;; *) cat "$one" ;; esac >whole.pcap
exec 9>pipe
head -c $(($(stat -c %s whole.pcap) - 7)) whole.pcap >&9
for _ in $(seq 50); do sleep 0.1; [[ -s /proc/$pid/io ]] && break; done
sleep 1
kill -TERM $pid
wait $pid
status=$?
exec 9>&-
ok 'stopped' [ $status -eq 0 ]
ok 'stopped: written' grep -qF 'origin: web1' stopped.yaml

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
