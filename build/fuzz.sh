#!/usr/bin/env bash
# Runs every fuzz target in turn for FUZZTIME (default 30s).
set -euo pipefail
for f in $(git ls-files '*_test.go' | xargs grep -l '^func Fuzz'); do
  for name in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$f"); do
    echo "==> $name ($(dirname "$f"), ${FUZZTIME:-30s})"
    go test -run '^$' -fuzz "^${name}\$" -fuzztime "${FUZZTIME:-30s}" -fuzzminimizetime 10x "./$(dirname "$f")"
  done
done
