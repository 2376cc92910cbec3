#!/bin/sh
# run.sh ANSWER WHAT [SEED [COUNT]]: differential.py under the system's Python, whose json and binascii
# are the measure; skipped where there is none.
python=/usr/bin/python3
test -x "$python" || python=$(command -v python3) || { echo "SKIP: no python3"; exit 77; }
exec "$python" "$(dirname "$0")/differential.py" "$@"
