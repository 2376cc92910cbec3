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
out        sensor/out/                   base/ dissectors/msg.h dissectors/field.h dissectors/content/ signatures/finding.h signatures/flat.h signatures/rules.h signatures/policy.h signatures/route.h out/
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

# One pass of awk: includes as "file:line:text", against both tables.
judge() {
  awk -v layers="$layers" -v apart="$apart" '
    BEGIN {
      rows = split(layers, line, "\n")
      for (i = 1; i <= rows; i++) {
        n = split(line[i], word, " ")
        if (n < 3) continue
        path[++paths] = word[2]
        for (j = 3; j <= n; j++) may[paths, ++allowed[paths]] = word[j]
      }
      rows = split(apart, line, "\n")
      for (i = 1; i <= rows; i++) {
        n = split(line[i], word, " ")
        for (j = 2; j <= n; j++) { from[++pairs] = word[1]; to[pairs] = word[j] }
      }
    }
    {
      split($0, part, ":")
      file = part[1]
      if (!match($0, /["<][^">]+[">]/)) next
      inc = substr($0, RSTART + 1, RLENGTH - 2)
      if (inc !~ /^(base|net|out|run|dissectors|signatures|pickle)\//) next
      best = 0
      for (i = 1; i <= paths; i++)
        if (index(file, path[i]) == 1 && (!best || length(path[i]) > length(path[best]))) best = i
      ok = 0
      for (j = 1; best && j <= allowed[best]; j++) if (index(inc, may[best, j]) == 1) ok = 1
      for (i = 1; i <= pairs; i++) if (index(file, from[i]) == 1 && index(inc, to[i]) == 1) ok = 0
      if (ok) { passed++; next }
      failed++
      print file ":" part[2] ": may not include " inc
    }
    END {
      print passed + 0 " passed, " failed + 0 " failed"
      exit !(failed + 0 == 0 && passed > 0)
    }'
}

grep -nE '^[[:space:]]*#[[:space:]]*include' -r sensor dissectors signatures --include='*.[ch]' --include='*.inc' | judge
