#!/usr/bin/env bash
# tests/check_layers_test.sh - the layer check has to fail when a wrong include is planted.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/sensor/net" "$scratch/dissectors/amqp" "$scratch/signatures"
echo '#include "base/bytes.h"' >"$scratch/sensor/net/fine.c"
"$top/tests/check_layers.sh" "$scratch" >/dev/null || { echo "a right include was refused"; exit 1; }
for wrong in 'sensor/net/a.c:#include "dissectors/msg.h"' 'dissectors/amqp/a.c:#include <dissectors/resp/value.h>' \
             'signatures/a.c:#  include "out/encode.h"'; do
  echo "${wrong#*:}" >"$scratch/${wrong%%:*}"
  "$top/tests/check_layers.sh" "$scratch" >/dev/null && { echo "not seen: $wrong"; exit 1; }
  rm "$scratch/${wrong%%:*}"
done
echo "4 passed, 0 failed"
