#!/usr/bin/env bash
# tests/check_layers.sh [ROOT] - every #include of ours against the layers of the map: a file has the layer of its
# longest matching path, and may include what its row allows. Ends with "N passed, N failed".
set -u
cd "${1:-$(dirname "$0")/..}" || exit 2

# layer  paths (prefixes)                what it may include (prefixes, longest match decides)
layers='
base       sensor/base/                  base/
net        sensor/net/                   base/ net/
content    dissectors/content/           base/ dissectors/content/
msg        dissectors/msg.h              base/ dissectors/content/ dissectors/
msg        dissectors/field              base/ dissectors/content/ dissectors/
msg        dissectors/headers.h          base/ dissectors/content/ dissectors/
dissectors dissectors/                   base/ dissectors/
pickle     signatures/pickle/            base/ dissectors/content/ signatures/pickle/ pickle/
policy     signatures/policy.h           base/
signatures signatures/                   base/ dissectors/msg.h dissectors/field.h dissectors/headers.h dissectors/content/ signatures/
out        sensor/out/                   base/ dissectors/msg.h dissectors/field.h dissectors/content/ signatures/finding.h signatures/flat.h signatures/rules.h signatures/policy.h out/
run        sensor/run/                   base/ net/ dissectors/ signatures/ out/ run/
'
# Siblings of one layer that do not know each other.
apart='
dissectors/amqp/     dissectors/resp/ dissectors/apps/
dissectors/resp/     dissectors/amqp/ dissectors/apps/
dissectors/apps/     dissectors/amqp/ dissectors/resp/
signatures/message/  signatures/cluster/
signatures/cluster/  signatures/message/
'

row_of() { # path -> the allowed prefixes of its longest matching row
  awk -v f="$1" 'NF > 2 && index(f, $2) == 1 && length($2) > best { best = length($2); $1 = $2 = ""; row = $0 } END { print row }' <<<"$layers"
}

passed=0 failed=0
while IFS=: read -r file line text; do
  inc=$(sed -E 's/^[^"<]*["<]([^">]+)[">].*/\1/' <<<"$text")
  [[ $inc == */* ]] || continue
  case "$inc" in base/* | net/* | out/* | run/* | dissectors/* | signatures/* | pickle/*) ;; *) continue ;; esac
  ok=no
  for p in $(row_of "$file"); do [[ $inc == "$p"* ]] && ok=yes; done
  while read -r from to; do
    [[ -n $from && $file == "$from"* ]] || continue
    for p in $to; do [[ $inc == "$p"* ]] && ok=no; done
  done <<<"$apart"
  if [[ $ok == yes ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$file:$line: may not include $inc"
  fi
done < <(grep -nE '^[[:space:]]*#[[:space:]]*include' -r sensor dissectors signatures --include='*.[ch]' --include='*.inc')

echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
