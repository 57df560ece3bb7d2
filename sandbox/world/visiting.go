package world

import (
	"context"
	"crypto"

	"warifu/relyingparty"
	"warifu/sandbox/folder"
)

// issuerPath is where the server's OpenID provider is.
const issuerPath = "/api/realms/main"

// visited is what a sample service needs to have people log in and sign.
type visited struct {
	party  *relyingparty.Party
	jwks   []byte // its public keys, for the provider to fetch
	folder folder.Folder
}

// visited opens a service's folder, with the keys it has had since the world began, and makes
// it a relying party of the server's provider: what a service of one's own does with the
// .env that `warifu rp new` writes.
func (w *World) visited(ctx context.Context, name, clientID, origin string, scopes ...string) (visited, error) {
	f, err := w.folder.Sub(name)
	if err != nil {
		return visited{}, err
	}
	made := func() (crypto.Signer, error) { return relyingparty.NewKey() }
	sign, err := f.Key("client.pem", made)
	if err != nil {
		return visited{}, err
	}
	decrypt, err := f.Key("results.pem", made)
	if err != nil {
		return visited{}, err
	}
	books, err := f.Sub("book")
	if err != nil {
		return visited{}, err
	}
	party, err := relyingparty.Open(ctx, relyingparty.Config{
		Issuer: w.Places.Server + issuerPath, ClientID: clientID, Key: sign, RedirectURI: origin + "/callback", Scopes: scopes,
		DecryptionKey: decrypt, Clock: w.config.Real,
	})
	return visited{party, relyingparty.JWKS(sign, decrypt), books}, err
}
