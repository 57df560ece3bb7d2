// Opens a JWE in compact form with nothing but node:crypto, step by step as RFC 7516 §5.2,
// RFC 7518 §4.3, §4.4, §4.6 and §5.3 say: a second reader of what the provider seals.
// stdin: {"jwe": "…", "key": private JWK}; stdout: the content.
import { createDecipheriv, createHash, createPrivateKey, createPublicKey, diffieHellman, constants, privateDecrypt } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { jwe, key } = JSON.parse(readFileSync(0, 'utf8'))
const [head, wrapped, iv, content, tag] = jwe.split('.')
const octets = (text) => Buffer.from(text, 'base64url')
const header = JSON.parse(octets(head))
const secret = createPrivateKey({ key, format: 'jwk' })
const length = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b }
const named = (b) => Buffer.concat([length(b.length), b])

function contentKey () {
  if (header.alg === 'RSA-OAEP-256') {
    return privateDecrypt({ key: secret, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, octets(wrapped))
  }
  if (header.alg !== 'ECDH-ES+A256KW') throw new Error(header.alg)
  const shared = diffieHellman({ privateKey: secret, publicKey: createPublicKey({ key: header.epk, format: 'jwk' }) })
  const info = [named(Buffer.from(header.alg)), named(octets(header.apu ?? '')), named(octets(header.apv ?? '')), length(256)]
  const wrapping = createHash('sha256').update(Buffer.concat([length(1), shared, ...info])).digest()
  const unwrap = createDecipheriv('id-aes256-wrap', wrapping, Buffer.alloc(8, 0xa6))
  return Buffer.concat([unwrap.update(octets(wrapped)), unwrap.final()])
}

if (header.enc !== 'A256GCM') throw new Error(header.enc)
const open = createDecipheriv('aes-256-gcm', contentKey(), octets(iv))
open.setAAD(Buffer.from(head, 'ascii'))
open.setAuthTag(octets(tag))
process.stdout.write(Buffer.concat([open.update(octets(content)), open.final()]))
