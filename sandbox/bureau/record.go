package bureau

import (
	"crypto/x509"
	"slices"
	"time"

	"warifu"
	"warifu/sandbox/person"
)

// record is what the bureau knows of one person's card. A record is never changed:
// a change makes a new one (holder.change).
type record struct {
	Person       person.Record  `json:"person"`
	Body         body           `json:"body"`
	Certificates []*certificate `json:"certificates"`
	Died         time.Time      `json:"died,omitzero"`
	Unprinted    bool           `json:"unprinted,omitempty"` // the register changed since the card was printed
	Outbox       *posting       `json:"outbox,omitempty"`    // what the last change has to tell
	Reports      []string       `json:"reports,omitempty"`   // receipts of the reports that this card was lost
}

// certificate is one certificate of a card with its key and its state. Older ones
// stay, so that their state can be asked for ever after.
type certificate struct {
	Kind      warifu.Kind   `json:"kind"`
	DER       []byte        `json:"certificate"`
	Key       []byte        `json:"key"` // PKCS#8; only the newest of a kind is on the chip
	RevokedAt time.Time     `json:"revoked_at,omitzero"`
	Reason    warifu.Reason `json:"reason,omitempty"`

	parsed *x509.Certificate
}

// revive parses the certificate that JSON or the authority brought.
func (c *certificate) revive() (err error) {
	c.parsed, err = x509.ParseCertificate(c.DER)
	return err
}

func (c *certificate) serial() []byte { return c.parsed.SerialNumber.Bytes() }

func (c *certificate) held() bool { return c.Reason == warifu.ReasonCertificateHold }

// final reports a revocation that nothing lifts.
func (c *certificate) final() bool { return !c.RevokedAt.IsZero() && !c.held() }

func (c *certificate) status() warifu.Status {
	if c.RevokedAt.IsZero() {
		return warifu.Status{Cert: warifu.StatusGood}
	}
	return warifu.Status{Cert: warifu.StatusRevoked, Reason: c.Reason, RevokedAt: c.RevokedAt}
}

// with returns a copy in another state; the zero instant makes it good.
func (c *certificate) with(reason warifu.Reason, at time.Time) *certificate {
	n := *c
	n.Reason, n.RevokedAt = reason, at.UTC().Truncate(time.Second)
	if at.IsZero() {
		n.Reason, n.RevokedAt = 0, time.Time{}
	}
	return &n
}

// newest returns the certificate of the kind that is on the chip, or nil.
func (r *record) newest(kind warifu.Kind) *certificate {
	for _, c := range slices.Backward(r.Certificates) {
		if c.Kind == kind {
			return c
		}
	}
	return nil
}

// onChip lists the certificates on the chip in order of kind.
func (r *record) onChip() []*certificate {
	var out []*certificate
	for _, k := range warifu.Kinds {
		if c := r.newest(k); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// bySerial finds a certificate among all the card ever had.
func (r *record) bySerial(kind warifu.Kind, serial string) *certificate {
	for _, c := range r.Certificates {
		if c.Kind == kind && string(c.serial()) == serial {
			return c
		}
	}
	return nil
}

// replace returns a record in which f was applied to every certificate on the chip;
// f returns its argument where nothing changes.
func (r *record) replace(f func(*certificate) *certificate) *record {
	n, _ := r.replaced(f)
	return n
}

// replaced is replace, and the certificates on the chip that changed, in order of kind.
func (r *record) replaced(f func(*certificate) *certificate) (*record, []*certificate) {
	n := *r
	n.Certificates = slices.Clone(r.Certificates)
	var changed []*certificate
	for _, c := range r.onChip() {
		if next := f(c); next != c {
			n.Certificates[slices.Index(r.Certificates, c)] = next
			changed = append(changed, next)
		}
	}
	return &n, changed
}

// add returns a record with further certificates.
func (r *record) add(certificates ...*certificate) *record {
	n := *r
	n.Certificates = append(slices.Clone(r.Certificates), certificates...)
	return &n
}
