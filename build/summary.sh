#!/usr/bin/env bash
# Shows go test's output, then one line: packages passed and failed, and what was skipped and why.
set -uo pipefail
out=$(mktemp); trap 'rm -f "$out"' EXIT
tee "$out"
passed=$(grep -c '^ok ' "$out" || true)
failed=$(grep -c -E '^(FAIL\s|--- FAIL|panic:)' "$out" || true)
grep -E '^\s+.*(SKIP|skipping)' "$out" || true
if [ "$failed" -eq 0 ] && grep -q '^ok ' "$out" && ! grep -q '^FAIL$' "$out"; then
  echo "$passed passed, 0 failed"; exit 0
fi
echo "$passed passed, $failed failed"; exit 1
