package oidc_test

import (
	"bytes"
	"crypto"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"warifu/oidc"
)

// Another reader, which knows the standards and nothing of us, opens what was sealed, and does
// not open what was changed.
func TestNodeOpensASealedResult(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: nobody but go-jose has opened a result here")
	}
	plain := []byte(`{"id":"00000000-0000-4000-8000-000000000000","mode":"digest","status":"good"}`)
	for name, key := range map[string]crypto.Signer{"ECDH-ES+A256KW": newKey(t), "RSA-OAEP-256": longKey()} {
		sealed, err := oidc.SealTo(plain, jose.JSONWebKey{Key: key.Public(), Use: "enc", KeyID: "k"})
		must(t, err)
		open := func(jwe []byte) ([]byte, error) {
			in, err := json.Marshal(map[string]any{"jwe": string(jwe), "key": jose.JSONWebKey{Key: key}})
			must(t, err)
			c := exec.CommandContext(t.Context(), node, "testdata/openjwe.mjs")
			c.Stdin = bytes.NewReader(in)
			return c.CombinedOutput()
		}
		if out, err := open(sealed); err != nil || !bytes.Equal(out, plain) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		changed := bytes.Clone(sealed)
		i := bytes.LastIndexByte(changed, '.') - 8 // in the content
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		if out, err := open(changed); err == nil {
			t.Errorf("%s: what was changed is opened: %s", name, out)
		}
	}
}
