// A developer's first program: registers a service, asks the verification service about a
// signature with the key that came with it, and ends the registration.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { warifu, WarifuProblem } from "./dist/index.js";

const server = process.env.WARIFU_SERVER;
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const jwk = { ...publicKey.export({ format: "jwk" }), use: "sig", kid: "one" };

const { data: made } = await warifu({ server }).POST("/api/v1/clients", {
  body: { name: { en: "From node" }, redirectUris: ["http://127.0.0.1:3000/callback"], scopes: ["name"], jwks: { keys: [jwk] } },
});

const base64 = (file) => readFileSync(file).toString("base64");
const { data: answer } = await warifu({ server, key: made.apiKey }).POST("/api/v1/verifications", {
  body: { form: "cms", signature: base64("contract.p7s"), document: base64("contract.txt"), policy: { accept: ["phone"] }, purpose: "A contract" },
});

let refused = "";
try {
  await warifu({ server, key: "wrong" }).GET("/api/v1/verifications/{id}", { params: { path: { id: answer.id } } });
} catch (e) {
  if (!(e instanceof WarifuProblem)) throw e;
  refused = e.slug;
}

const own = warifu({ server, key: made.registrationToken });
const { response } = await own.DELETE("/api/v1/clients/{id}", { params: { path: { id: made.id } } });
console.log(JSON.stringify({ id: made.id, verdict: answer.verdict, class: answer.class, refused, removed: response.status === 204 }));
