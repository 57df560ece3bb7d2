#!/usr/bin/env bash
# A login with nothing but bash, curl, openssl and jq: to see every step, not to run a service.
#
#   set -a; . ./warifu-rp/.env; set +a
#   bash login.sh
#
# It prints an address to open. After the login the browser ends at the redirect URI, where
# nothing answers: paste that address back here.
set -euo pipefail

b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
random() { openssl rand 32 | b64url; }
unb64url() { local s; s=$(tr -- '-_' '+/'); while (( ${#s} % 4 )); do s+='='; done; printf %s "$s" | openssl base64 -d -A; }
fail() { echo "login.sh: $1" >&2; exit 1; }

# ECDSA signatures of JWTs are r and s, 32 octets each (RFC 7518 3.4); openssl writes them in DER.
der_to_raw() {
  local n hex=
  while read -r n; do n="0000000000000000000000000000000000000000000000000000000000000000$n"; hex+=${n: -64}; done \
    < <(openssl asn1parse -inform DER | sed -n 's/.*INTEGER *:\(.*\)/\1/p')
  # shellcheck disable=SC2059 # the octets are the format: printf writes zeros only there
  printf "$(sed 's/../\\x&/g' <<<"$hex")"
}

# assertion AUDIENCE says who is asking (private_key_jwt, RFC 7523): a JWT of one minute,
# signed with our key, good once.
assertion() {
  local now head claims
  now=$(date +%s)
  head=$(jq -cn --arg kid "$WARIFU_KEY_ID" '{alg:"ES256",typ:"JWT",kid:$kid}' | tr -d '\n' | b64url)
  claims=$(jq -cn --arg id "$WARIFU_CLIENT_ID" --arg aud "$1" --arg jti "$(random)" --argjson now "$now" \
    '{iss:$id,sub:$id,aud:$aud,jti:$jti,iat:$now,exp:($now+60)}' | tr -d '\n' | b64url)
  echo "$head.$claims.$(printf %s "$head.$claims" | openssl dgst -sha256 -sign "$WARIFU_KEY_FILE" | der_to_raw | b64url)"
}

# ask ADDRESS FIELD… posts a form as this client.
ask() {
  local to=$1; shift
  curl -sS "$to" --data-urlencode "client_id=$WARIFU_CLIENT_ID" \
    --data-urlencode 'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer' \
    --data-urlencode "client_assertion=$(assertion "$token")" "$@"
}

discovery=$(curl -sSf "$WARIFU_ISSUER/.well-known/openid-configuration")
at() { jq -er ".$1" <<<"$discovery"; }
[ "$(at issuer)" = "$WARIFU_ISSUER" ] || fail 'another issuer answers there'
token=$(at token_endpoint)

# 1. Push what is asked for (RFC 9126). PKCE: the verifier stays here, its SHA-256 goes ahead.
state=$(random) nonce=$(random) verifier=$(random)
challenge=$(printf %s "$verifier" | openssl dgst -sha256 -binary | b64url)
pushed=$(ask "$(at pushed_authorization_request_endpoint)" -d response_type=code --data-urlencode "redirect_uri=$WARIFU_REDIRECT_URI" \
  --data-urlencode "scope=$WARIFU_SCOPES" -d "state=$state" -d "nonce=$nonce" -d "code_challenge=$challenge" -d code_challenge_method=S256)
uri=$(jq -er .request_uri <<<"$pushed") || fail "$pushed"

# 2. The person, in a browser.
echo "Open: $(at authorization_endpoint)?client_id=$WARIFU_CLIENT_ID&request_uri=$(jq -rn --arg u "$uri" '$u|@uri')" >&2
echo 'Paste the address that the browser ends at:' >&2
IFS= read -r back
parameter() { printf '%b' "$(sed -n "s/.*[?&]$1=\([^&#]*\).*/\1/p" <<<"$back" | sed 's/+/ /g;s/%/\\x/g')"; }
[ "$(parameter state)" = "$state" ] || fail 'this is not the login that was begun'
[ "$(parameter iss)" = "$WARIFU_ISSUER" ] || fail 'another provider answers (RFC 9207)'
[ -z "$(parameter error)" ] || fail "$(parameter error)"

# 3. Code against tokens.
tokens=$(ask "$token" -d grant_type=authorization_code --data-urlencode "code=$(parameter code)" \
  --data-urlencode "redirect_uri=$WARIFU_REDIRECT_URI" --data-urlencode "code_verifier=$verifier")
id_token=$(jq -er .id_token <<<"$tokens") || fail "$tokens"

# 4. The ID token comes straight from the provider's token endpoint, over the connection that
# authenticates it, so its claims are looked at and its signature is not (Core 3.1.3.7 6).
# Every other example here checks the signature too.
claims=$(cut -d. -f2 <<<"$id_token" | tr -d '\n' | unb64url)
jq -e --arg iss "$WARIFU_ISSUER" --arg aud "$WARIFU_CLIENT_ID" --arg nonce "$nonce" --argjson now "$(date +%s)" \
  '.iss==$iss and .aud==$aud and .nonce==$nonce and .exp>$now' <<<"$claims" >/dev/null || fail "an ID token that is not for us: $claims"

# 5. What the person agreed to tell.
told=$(curl -sSf "$(at userinfo_endpoint)" -H "Authorization: Bearer $(jq -er .access_token <<<"$tokens")")
[ "$(jq -r .sub <<<"$told")" = "$(jq -r .sub <<<"$claims")" ] || fail "somebody else's attributes"
jq -c -s '.[0] * .[1]' <<<"$claims$told"
