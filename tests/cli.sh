#!/usr/bin/env bash
# tests/cli.sh PROGRAM - options, files and exit codes of the contract.
set -u
celeriac=$(realpath "$1")
pcaps=$(cd "$(dirname "$0")/../pcaps" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
passed=0 failed=0

check() { # name expected-status [text that standard error or output has to hold] -- arguments...
  local name=$1 want=$2 text=$3
  shift 4
  timeout 60 "$celeriac" "$@" >out 2>err </dev/null
  local got=$?
  if [[ $got -ne $want ]] || { [[ -n $text ]] && ! grep -qF -- "$text" out err; }; then
    echo "FAIL $name: exit $got, expected $want${text:+ and '$text'}"
    head -n 3 out err
    failed=$((failed + 1))
  else
    passed=$((passed + 1))
  fi
}

sample=$(ls "$pcaps"/benign-redis*.pcap* 2>/dev/null | head -n 1)
[[ -n $sample ]] || { echo "SKIP: no captures"; exit 77; }
case $sample in *.zst) zstd -qdc "$sample" >whole.pcap ;; *.xz) xz -dc "$sample" >whole.pcap ;; *) cp "$sample" whole.pcap ;; esac

check version 0 "celeriac " -- -V
check help 0 "usage:" -- --help
check rules 0 "pickle-malicious" -- --list-rules
check 'nothing to read' 64 "nothing to read" -- -q
check 'both inputs' 64 "do not go together" -- -r whole.pcap -i lo
check 'unknown option' 64 "unknown option" -- --frobnicate
check 'needs an argument' 64 "needs an argument" -- -r
check 'bad filter' 64 "" -- -r whole.pcap 'tcp port port'
check 'bad url' 64 "" -- -r whole.pcap -o 'ftp:x'
check 'bad kind' 64 "" -- -r whole.pcap --emit 'alarms'
check 'not built: eve' 64 "not built" -- -r whole.pcap --format eve
check 'not built: signatures' 64 "not built" -- -r whole.pcap -S x
check 'workers out of range' 64 "" -- -r whole.pcap -j 1000
check 'no such file' 66 "absent.pcap" -- -r absent.pcap
check 'no such interface' 66 "" -- -i no-such-interface0
check 'no such config' 66 "absent.yaml" -- -c absent.yaml -T
echo 'not a capture' >text.pcap
check 'not a capture' 65 "" -- -r text.pcap
check 'replay' 0 '"event"' -- -r whole.pcap --emit tasks
check 'inventory' 0 '"celeriac.inventory"' -- -r whole.pcap --emit inventory
check 'replay with a filter' 0 "" -- -r whole.pcap port 1
[[ ! -s out ]] || { echo "FAIL: a filter that lets nothing through"; failed=$((failed + 1)); }
size=$(stat -c %s whole.pcap)
head -c $((size - 7)) whole.pcap >cut.pcap
check 'damaged' 65 '"event"' -- -r cut.pcap --emit tasks
check 'output cannot be written' 74 "" -- -r whole.pcap --emit tasks -o file:/dev/full
(trap '' XFSZ; ulimit -f 8; "$celeriac" -q -r whole.pcap --emit commands,tasks -o file:cut.jsonl 2>err)
if [[ $? -eq 74 && -s cut.jsonl && -z $(tail -c 1 cut.jsonl) ]]; then passed=$((passed + 1)); else echo "FAIL: a disk that is full leaves half a line"; failed=$((failed + 1)); fi
check 'output in no directory' 74 "" -- -r whole.pcap -o file:no/such/dir/x
check 'kafka unreachable' 69 "" -- -r whole.pcap -o kafka:127.0.0.1:1
[[ $(id -u) -ne 0 ]] || check 'no such user' 66 "no-such-user" -- -r whole.pcap -u no-such-user
if [[ $(id -u) -eq 0 ]]; then # a file in root's folder: the user's own, and a warning that a new one cannot be made there
  mkdir roots && chmod 755 . roots
  check 'file in a folder of root' 0 "" -- -r whole.pcap -u nobody -o "file:$PWD/roots/a.jsonl"
  if [[ $(stat -c %U roots/a.jsonl) == nobody ]] && grep -q 'SIGHUP' err; then passed=$((passed + 1)); else echo "FAIL: a file in a folder of root"; failed=$((failed + 1)); fi
  mkdir nobodys && chown nobody nobodys
  check 'file in a folder of its own' 0 "" -- -r whole.pcap -u nobody -o "file:$PWD/nobodys/a.jsonl"
  if ! grep -q 'SIGHUP' err; then passed=$((passed + 1)); else echo "FAIL: a warning without need"; failed=$((failed + 1)); fi
fi

printf 'policy:\n  signing: { required: maybe }\n' >bad-type.yaml
check 'config: type' 78 "bad-type.yaml:2:24" -- -c bad-type.yaml -T
printf 'policy:\n  colour: red\n' >bad-key.yaml
check 'config: key' 78 "bad-key.yaml:2:3" -- -c bad-key.yaml -T
printf 'workers: 65\n' >bad-range.yaml
check 'config: range' 78 "out of range" -- -c bad-range.yaml -T
printf 'policy: [\n' >bad-yaml.yaml
check 'config: not YAML' 78 "bad-yaml.yaml:" -- -c bad-yaml.yaml -T
printf 'policy: { signing: { certificates: /no/such/place } }\n' >no-certificates.yaml
check 'config: no certificates' 78 "/no/such/place" -- -c no-certificates.yaml -T
check 'config: no certificates, run' 78 "/no/such/place" -- -c no-certificates.yaml -r whole.pcap
printf 'policy: { signing: { digest: sha255 } }\n' >no-digest.yaml
check 'config: no digest' 78 "sha255" -- -c no-digest.yaml -T
printf 'suppress: [ { source: 10.0.0.9/32 } ]\n' >bad-suppress.yaml
check 'config: suppress without rule' 78 "needs a rule" -- -c bad-suppress.yaml -T
printf 'fold: true\nfold: false\n' >twice.yaml
check 'config: twice' 78 "twice.yaml:2:1" -- -c twice.yaml -T
cat >good.yaml <<'Y'
policy:
  signing: { required: false, certificates: /etc/ssl/certs, digest: sha256 }
  serializers: { allowed: [json] }
  pickle: { allow_imports: ["myapp.*"] }
  decompression: { max_ratio: 200, max_total: 1073741824 }
  logins: { bruteforce: { failures: 5, window: 60s } }
suppress: [ { rule: "control-*", source: 10.0.0.9/32, task: "shop.*", until: 2027-01-01, reason: "flower" } ]
learn: { prefix_v4: 24, prefix_v6: 64, glob_after: 3 }
limits: { body_bytes: 1M, flow_idle: 10m }
Y
check 'config: of the contract' 0 "well formed" -- -c good.yaml -T
"$celeriac" -q -c good.yaml -r whole.pcap --dump-config >dumped.yaml || failed=$((failed + 1))
"$celeriac" -q -c dumped.yaml --dump-config >again.yaml || failed=$((failed + 1))
if cmp -s dumped.yaml again.yaml; then passed=$((passed + 1)); else echo "FAIL: --dump-config does not reproduce itself"; diff dumped.yaml again.yaml; failed=$((failed + 1)); fi
"$celeriac" --dump-schema >schema.json
if cmp -s schema.json "$pcaps/../docs/config.schema.json"; then passed=$((passed + 1)); else echo "FAIL: docs/config.schema.json is not what --dump-schema prints"; failed=$((failed + 1)); fi

cat >baseline.yaml <<'Y'
version: 1
producers:   [ { origin: web1, addresses: [10.0.0.10], tasks: ["shop.*"], user: shop } ]
workers:     [ { node: "celery@app1", addresses: [10.0.0.20], queues: [celery], user: shop } ]
controllers: [ { addresses: [10.0.0.12], commands: ["*"] } ]
tasks:       [ "shop.*" ]
imports:     [ { queue: celery, modules: ["shop.models"] } ]
relays:      [ { addresses: [10.0.0.30] } ]
monitors:    [ { addresses: [10.0.0.13] } ]
schedulers:  [ { addresses: [10.0.0.14] } ]
Y
check 'baseline of the contract' 0 "not judged, being absent: nothing" -- -b baseline.yaml -T
printf 'version: 1\nworkers: [ { addresses: [10.0.0.20] } ]\n' >bad-baseline.yaml
check 'baseline: no node' 78 "bad-baseline.yaml:2:12" -- -b bad-baseline.yaml -T
printf 'version: 1\nrelays: [ { addresses: [10.0.0.300] } ]\n' >bad-address.yaml
check 'baseline: address' 78 "bad-address.yaml:2:25" -- -b bad-address.yaml -T
printf 'producers: []\n' >no-version.yaml
check 'baseline: version' 78 "version" -- -b no-version.yaml -T
printf 'version: 1\ntasks: []\n' >part-baseline.yaml
check 'baseline: absent sections' 0 "judging by tasks (0); not judged, being absent: producers, workers, controllers, imports, relays, monitors, schedulers" -- -b part-baseline.yaml -T
check 'baseline: no such file' 66 "no-such.yaml" -- -b no-such.yaml -T
"$celeriac" --dump-schema=baseline >schema.json
if cmp -s schema.json "$pcaps/../docs/baseline.schema.json"; then passed=$((passed + 1)); else echo "FAIL: docs/baseline.schema.json is not what --dump-schema=baseline prints"; failed=$((failed + 1)); fi

printf 'short' >key
printf 'redaction: { hash_key_file: key }\n' >key.yaml
check 'key too short' 78 "16" -- -c key.yaml -T
printf 'suppress: [ { rule: "*" } ]\n' >all.yaml
check 'everything suppressed' 0 "" -- -q -c all.yaml -r whole.pcap
[[ ! -s out ]] || { echo "FAIL: suppressed findings were written"; failed=$((failed + 1)); }

# Several inputs, standard input, a directory, compression: the same records.
"$celeriac" -q -r whole.pcap --emit tasks >one
mkdir several && cp whole.pcap several/a.pcap
gzip -k whole.pcap
records() { sed -E 's/"capture":"[^"]*",?//' "$1"; }
"$celeriac" -q -r several --emit tasks >directory
"$celeriac" -q -r whole.pcap.gz --emit tasks >compressed
"$celeriac" -q -r - --emit tasks <whole.pcap >stdin
for other in directory compressed stdin; do
  if cmp -s <(records one) <(records $other); then passed=$((passed + 1)); else echo "FAIL: $other differs"; failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
