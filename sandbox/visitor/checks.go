package visitor

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"warifu"
	"warifu/phone"
	"warifu/text"
)

// Checks is the verification service as a relying party asks it over HTTP, with the key its
// operator gave out (B.10). It keeps the evidence; the relying party keeps identifiers.
type Checks struct {
	Address string // "http://127.0.0.1:8400"
	Key     string
}

const (
	checksTimeout = 20 * time.Second
	maxChecked    = 1 << 20
)

// Question is something to be checked, for /api/v1/verifications.
type Question struct {
	Form      string `json:"form"` // "cms", "pdf", "xml"
	Signature []byte `json:"signature,omitempty"`
	Document  []byte `json:"document,omitempty"`
	Policy    Policy `json:"policy"`
	Purpose   string `json:"purpose"` // the holder reads it
}

// Policy is what a question accepts, and the attributes it needs.
type Policy struct {
	Accept     []string `json:"accept,omitempty"` // "card", "phone"
	Attributes []string `json:"attributes,omitempty"`
}

// Attributes are the four of the register (基本4情報) as a signing certificate has them.
type Attributes struct {
	Name                string `json:"name,omitempty"`
	NameSubstitution    string `json:"nameSubstitution,omitempty"`
	Address             string `json:"address,omitempty"`
	AddressSubstitution string `json:"addressSubstitution,omitempty"`
	BirthDate           string `json:"birthDate,omitempty"`
	Gender              string `json:"gender,omitempty"`
}

// Why is one reason for a verdict that is not good.
type Why struct {
	Problem string `json:"problem"`
	TitleJa string `json:"titleJa"`
	TitleEn string `json:"titleEn"`
	NextJa  string `json:"nextJa"`
	NextEn  string `json:"nextEn"`
}

// In says the reason in the reader's language.
func (y Why) In(l text.Lang) string {
	if l == text.Japanese {
		return y.TitleJa
	}
	return y.TitleEn
}

// Standing is a certificate's status with its source.
type Standing struct {
	Status string     `json:"status"` // "good", "revoked", "unknown"
	Reason string     `json:"reason,omitempty"`
	Since  *time.Time `json:"since,omitempty"`
	Source string     `json:"source,omitempty"`
	At     *time.Time `json:"at,omitempty"`
}

// Held reports whether the certificate is suspended: that may be lifted again.
func (s Standing) Held() bool { return s.Status == "revoked" && s.Reason == "certificateHold" }

// Evidence names the record that the verification service keeps.
type Evidence struct {
	ID    string    `json:"id"`
	Until time.Time `json:"until"`
}

// Checked is the answer to a question.
type Checked struct {
	ID             string      `json:"id"`
	Verdict        string      `json:"verdict"` // "good", "bad" or "unknown"
	Reasons        []Why       `json:"reasons"`
	Warnings       []Why       `json:"warnings,omitempty"`
	Class          string      `json:"class,omitempty"`
	Kind           string      `json:"kind,omitempty"`
	Subject        string      `json:"subject,omitempty"`
	Status         Standing    `json:"status"`
	Now            *Standing   `json:"now,omitempty"` // of Again: the status at present
	At             time.Time   `json:"at"`
	DocumentSHA256 string      `json:"documentSha256,omitempty"`
	Attributes     *Attributes `json:"attributes,omitempty"`
	Evidence       *Evidence   `json:"evidence,omitempty"`
	NoEvidence     string      `json:"noEvidence,omitempty"`
	HolderHears    string      `json:"holderHears,omitempty"`
}

// Reason returns the first reason's slug, "" for none.
func (c Checked) Reason() string {
	if len(c.Reasons) == 0 {
		return ""
	}
	return c.Reasons[0].Problem
}

// Check asks.
func (c Checks) Check(ctx context.Context, q Question) (out Checked, err error) {
	return out, c.call(ctx, http.MethodPost, "/api/v1/verifications", q, &out)
}

// Again has a verification judged once more from the evidence that was kept.
func (c Checks) Again(ctx context.Context, id string) (out Checked, err error) {
	return out, c.call(ctx, http.MethodGet, "/api/v1/verifications/"+id, nil, &out)
}

// Asked is a question to the holder for attributes as they are now.
type Asked struct {
	ID         string      `json:"id"`
	State      string      `json:"state"` // "waiting", "granted", "refused", "expired"
	Changed    bool        `json:"changed"`
	Attributes *Attributes `json:"told,omitempty"` // as they are now, where one has changed or was not told before
}

// Latest asks the holder behind a verification for attributes as they are now.
func (c Checks) Latest(ctx context.Context, id, purpose string, attributes ...string) (out Asked, err error) {
	in := map[string]any{"attributes": attributes, "purpose": purpose}
	return out, c.call(ctx, http.MethodPost, "/api/v1/verifications/"+id+"/attribute-requests", in, &out)
}

// Answered tells what became of a question to the holder.
func (c Checks) Answered(ctx context.Context, request string) (out Asked, err error) {
	return out, c.call(ctx, http.MethodGet, "/api/v1/attribute-requests/"+request, nil, &out)
}

// TellMe has every change of the certificate behind a verification posted to address.
func (c Checks) TellMe(ctx context.Context, id, address string) error {
	return c.call(ctx, http.MethodPost, "/api/v1/webhooks", map[string]string{"verification": id, "address": address}, nil)
}

// Keys is the key set that what is posted to a TellMe address is signed with.
func (c Checks) Keys(ctx context.Context) (out json.RawMessage, err error) {
	return out, c.call(ctx, http.MethodGet, "/api/v1/webhook-keys", nil, &out)
}

// call performs one request. A refusal comes back as the *warifu.Error the service had.
func (c Checks) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.Address+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.Key)
	r.Header.Set("Content-Type", "application/json")
	unreachable := warifu.Unavailable("server-unreachable", "server", c.Address)
	answer, err := (&http.Client{Timeout: checksTimeout}).Do(r)
	if err != nil {
		return unreachable.With(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxChecked))
	switch {
	case err != nil:
		return unreachable.With(err)
	case answer.StatusCode > 299:
		return phone.ParseProblem(answer.StatusCode, b)
	case out == nil:
		return nil
	}
	return json.Unmarshal(b, out)
}
