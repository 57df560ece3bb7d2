package housetest

import (
	"bytes"
	"context"
	"crypto"
	"math/big"
	"sync"
	"time"

	"warifu"
	"warifu/ca"
	"warifu/ocsp"
	"warifu/registration"
	"warifu/sandbox/bureau"
	"warifu/store"
)

// Cards is the card bureau as the registration authority reaches it. The fields may be
// changed between steps.
type Cards struct {
	Bureau *bureau.Bureau
	// Fault, where not nil, is asked before each call ("statement", "statements", "status").
	Fault func(call string) error
	// Gate, where not nil, is passed before each call, outside any lock: it may wait.
	Gate func(call string)
	// ChangeStatement, ChangeStatements and ChangeStatus, where not nil, change what the
	// bureau said.
	ChangeStatement  func(envelope []byte) []byte
	ChangeStatements func(envelope []byte) []byte
	ChangeStatus     func(response []byte) []byte

	mu    sync.Mutex
	calls map[string]int
}

func (c *Cards) begin(call string) error {
	if c.Gate != nil {
		c.Gate(call)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[call]++
	if c.Fault != nil {
		return c.Fault(call)
	}
	return nil
}

// Calls returns how often a call was made.
func (c *Cards) Calls(call string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[call]
}

// Down is a Fault: nobody answers.
func Down(string) error { return warifu.Unavailable("bureau-unreachable") }

// Statement implements registration.Bureau.
func (c *Cards) Statement(_ context.Context, certificate []byte, nonce warifu.Digest) ([]byte, error) {
	if err := c.begin("statement"); err != nil {
		return nil, err
	}
	envelope, err := c.Bureau.Statement(certificate, nonce)
	if warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
		return nil, warifu.Refused("card-certificate-unknown", "kind", warifu.Signature.String())
	}
	if err == nil && c.ChangeStatement != nil {
		envelope = c.ChangeStatement(envelope)
	}
	return envelope, err
}

// Statements implements registration.Bureau.
func (c *Cards) Statements(_ context.Context, serials [][]byte, nonce warifu.Digest) ([]byte, error) {
	if err := c.begin("statements"); err != nil {
		return nil, err
	}
	envelope, err := c.Bureau.Statements(serials, nonce)
	if err == nil && c.ChangeStatements != nil {
		envelope = c.ChangeStatements(envelope)
	}
	return envelope, err
}

// Status implements registration.Bureau.
func (c *Cards) Status(_ context.Context, kind warifu.Kind, serial []byte) ([]byte, error) {
	if err := c.begin("status"); err != nil {
		return nil, err
	}
	id := ocsp.NewCertID(crypto.SHA256, c.Bureau.Authority(kind), new(big.Int).SetBytes(serial))
	question, err := (&ocsp.Request{CertIDs: []ocsp.CertID{id}}).Marshal()
	if err != nil {
		return nil, err
	}
	response := c.Bureau.OCSP(kind, question)
	if c.ChangeStatus != nil {
		response = c.ChangeStatus(response)
	}
	return response, nil
}

// Issuer is a certification authority as the registration authority reaches it.
type Issuer struct {
	Kind   warifu.Kind
	CA     *ca.Issuer
	Ledger *Ledger
	// Before, where not nil, may refuse a request without the authority hearing of it;
	// After may lose or replace its answer.
	Before func(registration.Evidence) error
	After  func(registration.Evidence, registration.Outcome) registration.Outcome
	// Portion, where not zero, is how many unfinished intents it lists at a time.
	Portion int
}

// Issue implements registration.Issuer.
func (i *Issuer) Issue(ctx context.Context, evidence []registration.Evidence) []registration.Outcome {
	out := make([]registration.Outcome, len(evidence))
	var asked []int
	var requests []ca.Request
	for n, e := range evidence {
		if i.Before != nil {
			out[n].Err = i.Before(e)
		}
		if out[n].Err == nil {
			asked, requests = append(asked, n), append(requests, ca.Request(e))
		}
	}
	for k, o := range i.CA.Issue(ctx, requests) {
		out[asked[k]] = registration.Outcome(o)
		if i.After != nil {
			out[asked[k]] = i.After(evidence[asked[k]], out[asked[k]])
		}
	}
	return out
}

// Intended implements registration.Issuer.
func (i *Issuer) Intended(ctx context.Context, document warifu.Digest) (warifu.Intent, bool, error) {
	return i.Ledger.Find(ctx, document, i.Kind)
}

// Unfinished implements registration.Issuer.
func (i *Issuer) Unfinished(ctx context.Context, behind warifu.Intent) ([]warifu.Intent, error) {
	all, err := i.CA.Unfinished(ctx, behind)
	if i.Portion > 0 {
		all = all[:min(i.Portion, len(all))]
	}
	return all, err
}

// Ledger is an authority's ledger that remembers every intent it accepted, for Check,
// and may fail.
type Ledger struct {
	*store.Ledger
	// FailRecord, where not nil, is asked before certificates are recorded.
	FailRecord func() error

	mu      sync.Mutex
	intents map[string]warifu.Intent // by serial
}

// Intend implements ca.Ledger.
func (l *Ledger) Intend(ctx context.Context, intents []warifu.Intent) ([]warifu.IntentResult, error) {
	results, err := l.Ledger.Intend(ctx, intents)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range results {
		if r.Err == nil {
			l.intents[string(r.Intent.Serial)] = r.Intent
		}
	}
	return results, err
}

// Record implements ca.Ledger.
func (l *Ledger) Record(ctx context.Context, issued []warifu.IssuedCertificate) error {
	if l.FailRecord != nil {
		if err := l.FailRecord(); err != nil {
			return err
		}
	}
	return l.Ledger.Record(ctx, issued)
}

// Intents lists every intent that was accepted for an application.
func (l *Ledger) Intents() []warifu.Intent {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []warifu.Intent
	for _, i := range l.intents {
		if !bytes.Contains(i.TBS, ocspSigning) {
			out = append(out, i)
		}
	}
	return out
}

// ocspSigning is the object identifier id-kp-OCSPSigning, which only a responder's
// certificate carries.
var ocspSigning = []byte{0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09}

// Unfinished implements ca.Ledger.
func (l *Ledger) Unfinished(ctx context.Context, before time.Time, behind warifu.Intent) ([]warifu.Intent, error) {
	return l.Ledger.Unfinished(ctx, before, behind)
}

// Size implements ca.Ledger.
func (l *Ledger) Size(ctx context.Context) (int64, error) { return l.Ledger.Size(ctx) }

// Pushed is what was told to phones.
type Pushed struct {
	mu   sync.Mutex
	told []string
	// Fault, where not nil, is asked before each notice.
	Fault func() error
}

// Push implements registration.Pusher.
func (p *Pushed) Push(_ context.Context, _ warifu.ElementID, application string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Fault != nil {
		if err := p.Fault(); err != nil {
			return err
		}
	}
	p.told = append(p.told, application)
	return nil
}

// Told lists the notices so far.
func (p *Pushed) Told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.told...)
}
