package phone

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// The purposes of requests about what others asked of the holder (docs/papers.md).
const (
	purposeLedger   = "ledger"
	purposeEvidence = "evidence"
	purposeConsents = "consents"
	purposeGrant    = "consent:grant"
	purposeRefuse   = "consent:refuse"
	subjectAll      = "all"
)

// deviceAuthorization carries a request that the chip signed where there is no body.
func deviceAuthorization(request []byte) string {
	return "Device " + base64.StdEncoding.EncodeToString(request)
}

// Ledger asks who checked the holder: the page behind a line, 0 for the first, as the
// server wrote it (package ledger reads and checks it). It takes the PIN or the password.
func (a *App) Ledger(ctx context.Context, after int64, s Secret) (json.RawMessage, error) {
	var page json.RawMessage
	return page, a.askAbout(ctx, "/ledger", purposeLedger, strconv.FormatInt(after, 10), s, &page)
}

// Evidence gets the evidence that a relying party has of the holder, by the reference in
// the ledger: a personal document.
func (a *App) Evidence(ctx context.Context, verification string, s Secret) (json.RawMessage, error) {
	var record json.RawMessage
	return record, a.askAbout(ctx, "/evidence", purposeEvidence, verification, s, &record)
}

// Wish is a relying party's wish to be told attributes.
type Wish struct {
	ID    string `json:"id"`
	Party string `json:"party"`
	Name  struct {
		Ja string `json:"ja"`
		En string `json:"en"`
	} `json:"name"`
	Attributes []string  `json:"attributes"`
	Purpose    string    `json:"purpose"`
	State      string    `json:"state"`
	At         time.Time `json:"at"`
	ExpiresAt  time.Time `json:"expiresAt"`
}

// Consents asks who wants to be told attributes of the holder.
func (a *App) Consents(ctx context.Context, s Secret) ([]Wish, error) {
	var out struct {
		Requests []Wish `json:"requests"`
	}
	err := a.askAbout(ctx, "/consents", purposeConsents, subjectAll, s, &out)
	return out.Requests, err
}

func (a *App) askAbout(ctx context.Context, door, purpose, subject string, s Secret, out any) error {
	request, err := a.request(ctx, purpose, subject, s)
	if err != nil {
		return err
	}
	path := elementPath(a.Device.Element) + door
	return a.Server.doAs(ctx, call{http.MethodGet, path, nil, out, false}, deviceAuthorization(request))
}

// Consent lets a relying party be told what it asked for, or not.
func (a *App) Consent(ctx context.Context, wish string, grant bool, s Secret) error {
	purpose := purposeRefuse
	if grant {
		purpose = purposeGrant
	}
	request, err := a.request(ctx, purpose, wish, s)
	if err != nil {
		return err
	}
	in := struct {
		Request []byte `json:"request"`
		Grant   bool   `json:"grant"`
	}{request, grant}
	return a.Server.do(ctx, call{http.MethodPost, elementPath(a.Device.Element) + "/consents", in, nil, false})
}
