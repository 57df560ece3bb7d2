// A service that people log in to, with Express, Passport and the strategy that comes with
// openid-client 6.
//
//   npm ci
//   set -a; . ./warifu-rp/.env; set +a
//   node login.mjs
//
// Open the address it prints. After the first login it prints the claims and stops.
import { randomBytes, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import express from "express";
import session from "express-session";
import * as client from "openid-client";
import { Strategy } from "openid-client/passport";
import passport from "passport";

const env = process.env;
const callback = new URL(env.WARIFU_REDIRECT_URI);

const pem = readFileSync(env.WARIFU_KEY_FILE, "latin1").replace(/-----[^-]+-----|\s/g, "");
const key = await webcrypto.subtle.importKey("pkcs8", Buffer.from(pem, "base64"), { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const config = await client.discovery(
  new URL(env.WARIFU_ISSUER),
  env.WARIFU_CLIENT_ID,
  { id_token_signed_response_alg: "ES256" },
  client.PrivateKeyJwt({ key, kid: env.WARIFU_KEY_ID }),
  { execute: env.WARIFU_ISSUER.startsWith("http://127.0.0.1:") ? [client.allowInsecureRequests] : [] },
);

// The strategy relies on PKCE alone; state and nonce cost a method.
class Warifu extends Strategy {
  authorizationRequestParams(request, options) {
    const parameters = super.authorizationRequestParams(request, options);
    parameters.set("state", client.randomState());
    parameters.set("nonce", client.randomNonce());
    return parameters;
  }
}

passport.use(
  new Warifu(
    { name: "warifu", config, callbackURL: callback.href, scope: env.WARIFU_SCOPES, usePAR: true },
    async (tokens, verified) => {
      const claims = tokens.claims();
      const told = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
      verified(null, { ...claims, ...told });
    },
  ),
);

const app = express();
app.use(session({ secret: randomBytes(32).toString("hex"), resave: false, saveUninitialized: false, cookie: { httpOnly: true, sameSite: "lax" } }));
app.get("/", passport.authenticate("warifu"));
app.get(callback.pathname, (request, response, next) => {
  passport.authenticate("warifu", { session: false }, (error, who, refusal) => {
    if (error || !who) return next(error ?? refusal);
    // A real service keeps who it is: request.login(who, …), and leaves the session on.
    console.log(JSON.stringify(who));
    response.set("Connection", "close").type("text").send(`Logged in: ${who.sub}\n`);
    server.close();
  })(request, response, next);
});
app.use((error, _request, response, _next) => {
  console.error("login.mjs:", error.error ?? error.code ?? "", error.message);
  response.set("Connection", "close").status(400).type("text").send("No login\n");
  process.exitCode = 1;
  server.close();
});
const server = app.listen(Number(callback.port), callback.hostname, () => console.error(`Open ${callback.origin}/`));
