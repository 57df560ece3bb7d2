package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"warifu"
	"warifu/relyingparty"
)

// rpKeys are the two keys of a service: one says who it is, the other opens what was
// encrypted to it.
type rpKeys struct{ sign, decrypt *ecdsa.PrivateKey }

func newRPKeys() (k rpKeys, err error) {
	if k.sign, err = relyingparty.NewKey(); err != nil {
		return k, err
	}
	k.decrypt, err = relyingparty.NewKey()
	return k, err
}

// public is the JWK set that the server is given.
func (k rpKeys) public() json.RawMessage { return relyingparty.JWKS(k.sign, k.decrypt) }

// files are the keys as libraries want them: each as PKCS #8 and as a JWK, and the public set.
func (k rpKeys) files() (map[string][]byte, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(k.public(), &set); err != nil {
		return nil, err
	}
	out := map[string][]byte{rpKeySetName: append(k.public(), '\n')}
	for i, key := range []struct {
		name    string
		private *ecdsa.PrivateKey
	}{{rpSignName, k.sign}, {rpDecryptName, k.decrypt}} {
		der, err := x509.MarshalPKCS8PrivateKey(key.private)
		if err != nil {
			return nil, err
		}
		private := set.Keys[i] // the same identifier, use and algorithm as the public half
		private.Key = key.private
		jwk, err := json.Marshal(private)
		if err != nil {
			return nil, err
		}
		out[key.name+".pem"] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		out[key.name+".jwk.json"] = append(jwk, '\n')
	}
	return out, nil
}

// keyID is the identifier of the signing key, as the public set has it.
func (k rpKeys) keyID() string {
	var set jose.JSONWebKeySet
	if json.Unmarshal(k.public(), &set) != nil || len(set.Keys) == 0 {
		return ""
	}
	return set.Keys[0].KeyID
}

// unquotable is what shells and dotenv readers do not take alike within double quotes: no
// folder's name has it in an .env.
const unquotable = "\"$`\n"

// rpEnv is the file of settings, for shells and for every dotenv reader: each value in double
// quotes, none of which needs an escape.
func rpEnv(dir string, got rpClient, r rpRecord, keyID string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s, registered at %s. Keep it as you keep a password.\n", r.ID, r.Server)
	for _, v := range [][2]string{
		{"WARIFU_ISSUER", got.Issuer},
		{"WARIFU_CLIENT_ID", r.ID},
		{"WARIFU_REDIRECT_URI", got.RedirectURIs[0]},
		{"WARIFU_SCOPES", strings.Join(append([]string{"openid"}, got.Scopes...), " ")},
		{"WARIFU_KEY_FILE", filepath.ToSlash(filepath.Join(dir, rpSignName+".pem"))},
		{"WARIFU_KEY_ID", keyID},
		{"WARIFU_DECRYPTION_KEY_FILE", filepath.ToSlash(filepath.Join(dir, rpDecryptName+".pem"))},
		{"WARIFU_SERVER", r.Server},
		{"WARIFU_API_KEY", r.Key},
	} {
		fmt.Fprintf(&b, "%s=\"%s\"\n", v[0], v[1])
	}
	return []byte(b.String())
}

// writePrivately writes a folder's files for their owner alone.
func writePrivately(dir string, files map[string][]byte) error {
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path+".new", b, 0o600); err != nil {
			return warifu.Refused("cli-file", "file", path).With(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			return warifu.Refused("cli-file", "file", path).With(err)
		}
	}
	return nil
}
