// A service that people log in to, in JavaScript with openid-client 6.
//
//   npm ci
//   set -a; . ./warifu-rp/.env; set +a
//   node login.mjs
//
// Open the address it prints. After the first login it prints the claims and stops.
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import * as client from "openid-client";

const env = process.env;
const callback = new URL(env.WARIFU_REDIRECT_URI);

const pem = readFileSync(env.WARIFU_KEY_FILE, "latin1").replace(/-----[^-]+-----|\s/g, "");
const key = await webcrypto.subtle.importKey("pkcs8", Buffer.from(pem, "base64"), { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);

const config = await client.discovery(
  new URL(env.WARIFU_ISSUER),
  env.WARIFU_CLIENT_ID,
  { id_token_signed_response_alg: "ES256" },
  client.PrivateKeyJwt({ key, kid: env.WARIFU_KEY_ID }),
  // Plain HTTP only where the provider is on this machine.
  { execute: env.WARIFU_ISSUER.startsWith("http://127.0.0.1:") ? [client.allowInsecureRequests] : [] },
);

const underWay = new Map(); // by cookie; a real service has them expire

const server = createServer(async (request, response) => {
  const url = new URL(request.url, callback.origin);
  try {
    if (url.pathname === "/") {
      const kept = { state: client.randomState(), nonce: client.randomNonce(), verifier: client.randomPKCECodeVerifier() };
      const to = await client.buildAuthorizationUrlWithPAR(config, {
        redirect_uri: callback.href,
        scope: env.WARIFU_SCOPES,
        state: kept.state,
        nonce: kept.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: "S256",
      });
      const name = client.randomState();
      underWay.set(name, kept);
      response.writeHead(303, { Location: to.href, "Set-Cookie": `login=${name}; Path=/; HttpOnly; SameSite=Lax` }).end();
    } else if (url.pathname === callback.pathname) {
      const name = /(?:^|; )login=([^;]*)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
      const kept = underWay.get(name);
      underWay.delete(name);
      if (!kept) throw new Error("this is not a login that was begun here");
      const tokens = await client.authorizationCodeGrant(config, url, {
        expectedState: kept.state,
        expectedNonce: kept.nonce,
        pkceCodeVerifier: kept.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      const told = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
      console.log(JSON.stringify({ ...claims, ...told }));
      response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" }).end(`Logged in: ${claims.sub}\n`);
      server.close();
    } else {
      response.writeHead(404).end();
    }
  } catch (e) {
    console.error("login.mjs:", e.error ?? e.code ?? "", e.message);
    response.writeHead(400, { "Content-Type": "text/plain; charset=utf-8", Connection: "close" }).end("No login\n");
    process.exitCode = 1;
    server.close();
  }
});
server.listen(Number(callback.port), callback.hostname, () => console.error(`Open ${callback.origin}/`));
