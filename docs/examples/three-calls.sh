#!/bin/sh
# Three calls: have a signature checked, have it judged once more from the evidence that
# was kept, ask when its certificate was not good.
# usage: WARIFU_KEY=… three-calls.sh SERVICE SIGNATURE.p7s DOCUMENT
set -eu
encoded() { base64 <"$1" | tr -d '\n'; }
call() { curl --silent --show-error --fail --header "Authorization: Bearer $WARIFU_KEY" --header 'Content-Type: application/json' "$@"; }

printf '{"form":"cms","signature":"%s","document":"%s","policy":{"attributes":["name"]},"purpose":"opening an account"}' \
  "$(encoded "$2")" "$(encoded "$3")" | call --data-binary @- "$1/api/v1/verifications" >answer.json
cat answer.json

id=$(sed -n 's/^{"id":"\([0-9a-f]*\)".*/\1/p' answer.json)
call "$1/api/v1/verifications/$id"
call "$1/api/v1/verifications/$id/status-history"
