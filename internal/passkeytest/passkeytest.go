// Package passkeytest is an authenticator in memory, for tests of the operators' console: it
// makes passkeys and proves them as a browser would hand the answers on (W3C Web Authentication
// level 3, §5.1, §6), and can be told to do it wrongly.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
)

// TB is what of testing.TB is used.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// Authenticator holds one passkey.
type Authenticator struct {
	Origin     string // what the browser says where it is
	Unverified bool   // the person is not verified
	Counter    uint32 // of signatures; goes up by itself

	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	rp     string
}

// options is what of the server's options is used; both ceremonies'.
type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
}

func decoded(t TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func word(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (a *Authenticator) clientData(t TB, kind, challenge string) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Flags of the authenticator data (§6.1).
const (
	userPresent  = 0x01
	userVerified = 0x04
	attested     = 0x40
)

func (a *Authenticator) data(flags byte) []byte {
	hash := sha256.Sum256([]byte(a.rp))
	flags |= userPresent
	if !a.Unverified {
		flags |= userVerified
	}
	a.Counter++
	return binary.BigEndian.AppendUint32(append(hash[:], flags), a.Counter)
}

// Create answers a server's wish for a passkey.
func (a *Authenticator) Create(t TB, wish []byte) []byte {
	t.Helper()
	var o options
	if err := json.Unmarshal(wish, &o); err != nil {
		t.Fatal(err)
	}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.id = make([]byte, 16)
	_, _ = rand.Read(a.id)
	a.handle, a.rp = decoded(t, o.User.ID), o.RP.ID
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	data := a.data(attested)
	data = append(data, make([]byte, 16)...) // AAGUID: none
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(data, a.id...)
	// COSE_Key (RFC 9053 §7.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}
	data = append(data, 0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20)
	data = append(data, point[1:33]...)
	data = append(append(data, 0x22, 0x58, 0x20), point[33:]...)
	object := []byte{0xA3, 0x63, 'f', 'm', 't', 0x64, 'n', 'o', 'n', 'e', 0x67, 'a', 't', 't', 'S', 't', 'm', 't', 0xA0, 0x68, 'a', 'u', 't', 'h', 'D', 'a', 't', 'a', 0x58, byte(len(data))}
	return a.answer(t, map[string]any{"clientDataJSON": word(a.clientData(t, "webauthn.create", o.Challenge)), "attestationObject": word(append(object, data...))})
}

// Get proves the passkey to a server that asks.
func (a *Authenticator) Get(t TB, question []byte) []byte {
	t.Helper()
	var o options
	if err := json.Unmarshal(question, &o); err != nil {
		t.Fatal(err)
	}
	client, data := a.clientData(t, "webauthn.get", o.Challenge), a.data(0)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte(nil), data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(t, map[string]any{"clientDataJSON": word(client), "authenticatorData": word(data), "signature": word(signature), "userHandle": word(a.handle)})
}

func (a *Authenticator) answer(t TB, response map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"id": word(a.id), "rawId": word(a.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
