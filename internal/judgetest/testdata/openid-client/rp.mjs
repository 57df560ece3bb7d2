// A relying party on openid-client with its strictest options: issuer and state checked,
// nonce, PKCE S256, private_key_jwt with ES256, pushed authorization requests, max_age, and
// signatures of ID tokens checked although TLS would do. ISSUER, CLIENT_ID, KEY (a private
// JWK), PORT and ACR come in the environment.
import http from 'node:http'
import crypto from 'node:crypto'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, KEY, PORT, ACR, MAX_AGE, PAR } = process.env
const jwk = JSON.parse(KEY)
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const origin = `http://127.0.0.1:${PORT}`
const redirect_uri = `${origin}/callback`
const sessions = new Map()

let discovered
async function configuration() {
  if (!discovered) {
    const found = await client.discovery(
      new URL(ISSUER),
      CLIENT_ID,
      { redirect_uris: [redirect_uri], id_token_signed_response_alg: 'ES256', authorization_signed_response_alg: 'ES256' },
      client.PrivateKeyJwt({ key, kid: jwk.kid }),
      { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks], timeout: 8 },
    )
    discovered = found
  }
  return discovered
}

function sessionOf(request) {
  const sid = /(?:^|; )sid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
  return [sid, sessions.get(sid)]
}

async function begin(request, response) {
  const config = await configuration()
  const verifier = client.randomPKCECodeVerifier()
  const session = { verifier, state: client.randomState(), nonce: client.randomNonce() }
  const parameters = {
    redirect_uri, scope: 'openid', state: session.state, nonce: session.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }
  if (ACR) parameters.acr_values = ACR
  if (MAX_AGE) parameters.max_age = MAX_AGE
  const to = PAR === 'no'
    ? client.buildAuthorizationUrl(config, parameters)
    : await client.buildAuthorizationUrlWithPAR(config, parameters)
  const sid = crypto.randomUUID()
  sessions.set(sid, session)
  response.writeHead(303, { location: to.href, 'set-cookie': `sid=${sid}; HttpOnly; SameSite=Lax; Path=/`, 'cache-control': 'no-store' })
  response.end()
}

async function finish(request, response) {
  const [sid, session] = sessionOf(request)
  if (!session?.state) {
    response.writeHead(400, { 'content-type': 'text/plain' })
    response.end('refused: no login was begun here')
    return
  }
  sessions.delete(sid)
  const config = await configuration()
  const checks = { pkceCodeVerifier: session.verifier, expectedState: session.state, expectedNonce: session.nonce, idTokenExpected: true }
  if (MAX_AGE) checks.maxAge = Number(MAX_AGE)
  const tokens = await client.authorizationCodeGrant(config, new URL(request.url, origin), checks)
  const claims = tokens.claims()
  if (ACR && !ACR.split(' ').includes(claims.acr)) throw new Error(`acr ${claims.acr}`)
  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const fresh = crypto.randomUUID()
  sessions.set(fresh, { sub: info.sub })
  response.writeHead(303, { location: '/me', 'set-cookie': `sid=${fresh}; HttpOnly; SameSite=Lax; Path=/`, 'cache-control': 'no-store' })
  response.end()
}

const routes = {
  '/login': begin,
  '/callback': finish,
  '/me': async (request, response) => {
    const [, session] = sessionOf(request)
    response.writeHead(session?.sub ? 200 : 401, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify(session?.sub ? { sub: session.sub } : {}))
  },
  '/logout': async (request, response) => {
    sessions.delete(sessionOf(request)[0])
    response.writeHead(303, { location: '/me' })
    response.end()
  },
}

http.createServer(async (request, response) => {
  try {
    const route = routes[new URL(request.url, origin).pathname]
    if (!route) throw new Error('no such page')
    await route(request, response)
  } catch (problem) {
    console.error(problem.name, problem.code ?? '', problem.message, problem.cause ?? '')
    response.writeHead(problem.status === undefined && problem.name === 'TypeError' ? 502 : 403, { 'content-type': 'text/plain' })
    response.end(`refused: ${problem.code ?? problem.message}`)
  }
}).listen(Number(PORT), '127.0.0.1', () => console.log('ready'))
