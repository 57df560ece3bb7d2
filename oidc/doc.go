// Package oidc is the OpenID provider: a relying party sends a browser here, the claimant
// proves presence with a phone's credential or with the card at a reader, says which
// attributes the relying party may be told, and the browser goes back with a code.
//
// It speaks the API of デジタル認証アプリ as publicly documented (requirements B.9), so that a
// relying party that works here moves to the real one by another address and another key:
// code flow and nothing else, PKCE with S256, private_key_jwt, ES256. The standards are OpenID
// Connect Core 1.0 and Discovery 1.0, RFC 6749, 6750, 7009, 7523, 7636, 8252, 8414, 9126, 9207,
// and of the FAPI 2.0 security profile what does not need a sender-constrained token.
//
// # A login
//
//	browser              provider                         claimant
//	  GET auth ─────────▶ Begin: a row, a cookie
//	  GET /login/{login}  View: number, link, QR
//	                      Question ◀───────────────────── phone or reader
//	                      Answer   ◀── presence, consent ─
//	  GET …/done ───────▶ Finish: code, once
//	  (relying party)     token, userinfo
//
// The doors in the middle are methods of Provider; package web gives them addresses. There is
// no session at the provider: every login is a proof of presence of its own, so that
// prompt=none never succeeds and max_age always holds.
//
// What ties an answer to the browser is one of two things. On another device the browser
// shows a number and the person picks it among three; a wrong one ends the login. On the same
// device nothing is picked, and the code is released only to the browser that has both the
// login's cookie and the address that the answer was told (Answered.Return).
//
// Nothing secret is kept: salts, numbers, codes and tokens are MACs over the login's
// identifier, so that who reads the database can use none of them.
package oidc
