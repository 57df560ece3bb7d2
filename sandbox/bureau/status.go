package bureau

import (
	"bytes"
	"io"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/ocsp"
)

// How long answers may be kept. The real bureau's OCSP follows a change within
// fifteen minutes and its list within a day (docs/card-facts.md §2.2); here both
// follow at once, and may be kept that long.
const (
	answerLife = 15 * time.Minute
	listLife   = 24 * time.Hour
)

// Status implements status.Source: what is known of a card certificate by its serial number.
func (b *Bureau) Status(kind warifu.Kind, serial []byte) (warifu.StatusRecord, bool) {
	c, _ := b.findCertificate(kind, serial)
	if c == nil {
		return warifu.StatusRecord{}, false
	}
	return statusRecord(c), true
}

func statusRecord(c *certificate) warifu.StatusRecord {
	return warifu.StatusRecord{Kind: c.Kind, Serial: c.serial(), Status: c.status(), NotAfter: c.parsed.NotAfter}
}

// OCSP answers one request (RFC 6960) for cards of the kind, in DER both. What the
// authority never issued is unknown; a request it cannot answer gets an error response.
func (b *Bureau) OCSP(kind warifu.Kind, der []byte) []byte {
	request, err := ocsp.ParseRequest(der)
	if err != nil || request.CriticalUnknown {
		return ocsp.ErrorResponse(ocsp.MalformedRequest)
	}
	a, now := b.authorities[kind], b.config.Clock.Now()
	if a == nil {
		return ocsp.ErrorResponse(ocsp.Unauthorized)
	}
	singles := make([]ocsp.Single, len(request.CertIDs))
	for i, id := range request.CertIDs {
		singles[i] = ocsp.Single{CertID: id, ThisUpdate: now, NextUpdate: now.Add(answerLife)}
		if record, known := b.Status(kind, id.Serial); known && id.IssuedBy(a.certificate) {
			singles[i].Status = record.Status
		}
	}
	r, err := a.responderAt(now)
	if err != nil {
		return ocsp.ErrorResponse(ocsp.InternalError)
	}
	answer, err := ocsp.Sign(singles, request.Nonce, now, r.certificate, r.key)
	if err != nil {
		return ocsp.ErrorResponse(ocsp.InternalError)
	}
	return answer
}

// CRL writes the full list (RFC 5280 §5) of the cards' certificates of the kind as of
// now. Expired certificates stay listed.
func (b *Bureau) CRL(w io.Writer, kind warifu.Kind) error {
	a, now := b.authorities[kind], b.config.Clock.Now()
	if a == nil {
		return warifu.Invalid("kind-unknown", "kind", kind.String())
	}
	head := crl.Head{Number: b.nextList(now), ThisUpdate: now, NextUpdate: now.Add(listLife)}
	var out bytes.Buffer
	if err := crl.Write(&out, head, b.revoked(kind), a.certificate, a.key); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// revoked streams the revoked certificates of the kind.
func (b *Bureau) revoked(kind warifu.Kind) crl.Records {
	return func(add func(warifu.StatusRecord) error) error {
		for _, id := range b.ids() {
			h, err := b.find(id)
			if err != nil {
				return err
			}
			r := h.now.Load()
			if r == nil {
				continue
			}
			for _, c := range r.Certificates {
				if c.Kind != kind || c.RevokedAt.IsZero() {
					continue
				}
				if err := add(statusRecord(c)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// nextList numbers lists: milliseconds of the world's clock, which a restart does not
// turn back, and always one more than the last.
func (b *Bureau) nextList(now time.Time) uint64 {
	for {
		last := b.lists.Load()
		next := max(uint64(now.UnixMilli()), last+1)
		if b.lists.CompareAndSwap(last, next) {
			return next
		}
	}
}
