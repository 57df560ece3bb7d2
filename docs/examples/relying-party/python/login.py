#!/usr/bin/python3
"""A service that people log in to, in Python: the standard library and python3-cryptography.

    set -a; . ./warifu-rp/.env; set +a
    /usr/bin/python3 login.py

Open the address it prints. After the first login it prints the claims and stops.
"""
import base64, hashlib, hmac, html, json, os, secrets, sys, time
import urllib.error, urllib.parse, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

ISSUER, CLIENT_ID = os.environ["WARIFU_ISSUER"], os.environ["WARIFU_CLIENT_ID"]
REDIRECT_URI, SCOPES = os.environ["WARIFU_REDIRECT_URI"], os.environ["WARIFU_SCOPES"]
with open(os.environ["WARIFU_KEY_FILE"], "rb") as f:
    KEY = serialization.load_pem_private_key(f.read(), None)
SKEW = 60  # seconds that the provider's clock may differ
COOKIE = "login"


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def fetch(address, form=None, bearer=None):
    request = urllib.request.Request(address, urllib.parse.urlencode(form).encode() if form else None)
    if bearer:
        request.add_header("Authorization", "Bearer " + bearer)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        raise ValueError(e.read().decode()) from e


def provider():
    found = fetch(ISSUER + "/.well-known/openid-configuration")
    if found["issuer"] != ISSUER:
        raise ValueError("another issuer answers there")
    return found


def authenticated(form, audience):
    """Adds who is asking (private_key_jwt): a JWT of one minute, signed with our key, good once."""
    now = int(time.time())
    head = {"alg": "ES256", "typ": "JWT", "kid": os.environ["WARIFU_KEY_ID"]}
    claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": audience, "jti": secrets.token_urlsafe(32), "iat": now, "exp": now + 60}
    signed = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
    r, s = decode_dss_signature(KEY.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return {
        **form, "client_id": CLIENT_ID,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": signed + "." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big")),
    }


def begin():
    """Returns where to send the browser, and what to remember of it until it comes back."""
    op = provider()
    kept = {"state": secrets.token_urlsafe(32), "nonce": secrets.token_urlsafe(32), "verifier": secrets.token_urlsafe(32)}
    pushed = fetch(op["pushed_authorization_request_endpoint"], authenticated({
        "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": SCOPES, "state": kept["state"], "nonce": kept["nonce"],
        "code_challenge": b64(hashlib.sha256(kept["verifier"].encode()).digest()), "code_challenge_method": "S256",
    }, op["token_endpoint"]))
    return op["authorization_endpoint"] + "?" + urllib.parse.urlencode({"client_id": CLIENT_ID, "request_uri": pushed["request_uri"]}), kept


def check(id_token, op, kept, access_token):
    """Returns the claims of an ID token that is for us and of this login; else ValueError."""
    head, body, signature = id_token.split(".")
    header = json.loads(unb64(head))
    if header.get("alg") != "ES256":  # pinned: neither "none" nor an HMAC gets further
        raise ValueError("alg")
    keys = [k for k in fetch(op["jwks_uri"])["keys"] if k.get("kid") == header.get("kid") and k.get("crv") == "P-256"]
    if len(keys) != 1 or len(unb64(signature)) != 64:
        raise ValueError("kid")
    x, y = (int.from_bytes(unb64(keys[0][n]), "big") for n in "xy")
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(der, (head + "." + body).encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as e:
        raise ValueError("signature") from e
    claims, now = json.loads(unb64(body)), time.time()
    half = b64(hashlib.sha256(access_token.encode()).digest()[:16])
    for name, fits in {
        "iss": claims.get("iss") == ISSUER, "aud": claims.get("aud") in (CLIENT_ID, [CLIENT_ID]), "azp": claims.get("azp", CLIENT_ID) == CLIENT_ID,
        "exp": claims["exp"] > now - SKEW, "iat": claims["iat"] < now + SKEW, "nonce": hmac.compare_digest(claims.get("nonce", ""), kept["nonce"]),
        "at_hash": claims.get("at_hash", half) == half, "sub": bool(claims.get("sub")),
    }.items():
        if not fits:
            raise ValueError(name)
    return claims


def finish(query, kept):
    """Returns the claims and attributes of who logged in; else ValueError."""
    op = provider()
    one = {k: v[0] for k, v in query.items() if len(v) == 1}
    if not kept or not hmac.compare_digest(one.get("state", ""), kept["state"]):
        raise ValueError("this is not a login that was begun here")
    if one.get("iss") != ISSUER:
        raise ValueError("another provider answers (RFC 9207)")
    if "error" in one:
        raise ValueError(one["error"])
    tokens = fetch(op["token_endpoint"], authenticated({
        "grant_type": "authorization_code", "code": one["code"], "redirect_uri": REDIRECT_URI, "code_verifier": kept["verifier"],
    }, op["token_endpoint"]))
    claims = check(tokens["id_token"], op, kept, tokens["access_token"])
    told = fetch(op["userinfo_endpoint"], bearer=tokens["access_token"])
    if told["sub"] != claims["sub"]:
        raise ValueError("somebody else's attributes")
    return {**claims, **told}


class Service(BaseHTTPRequestHandler):
    under_way = {}  # by cookie; a real service has them expire
    ended = None

    def do_GET(self):
        path, _, query = self.path.partition("?")
        try:
            if path == "/":
                url, kept = begin()
                name = secrets.token_urlsafe(32)
                self.under_way[name] = kept
                self.answer(303, "", {"Location": url, "Set-Cookie": f"{COOKIE}={name}; Path=/; HttpOnly; SameSite=Lax"})
            elif path == urllib.parse.urlparse(REDIRECT_URI).path:
                name = next((v for n, _, v in (c.strip().partition("=") for c in self.headers.get("Cookie", "").split(";")) if n == COOKIE), "")
                claims = finish(urllib.parse.parse_qs(query), self.under_way.pop(name, None))
                print(json.dumps(claims, ensure_ascii=False), flush=True)
                self.answer(200, "Logged in: " + claims["sub"])
                Service.ended = 0
            else:
                self.answer(404, "no such page")
        except (ValueError, KeyError, urllib.error.URLError) as e:
            print("login.py:", e, file=sys.stderr, flush=True)
            self.answer(400, f"No login: {e}")
            Service.ended = 1

    def answer(self, status, text, headers=None):
        body = html.escape(text).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    here = urllib.parse.urlparse(REDIRECT_URI)
    server = HTTPServer((here.hostname, here.port), Service)
    print(f"Open http://{here.netloc}/", file=sys.stderr, flush=True)
    while Service.ended is None:
        server.handle_request()
    sys.exit(Service.ended)
