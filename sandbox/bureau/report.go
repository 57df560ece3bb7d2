package bureau

import (
	"crypto/ecdsa"
	"net/http"
	"slices"
	"time"

	"warifu"
	"warifu/events"
	"warifu/sandbox/doorway"
)

// maxReportRequest bounds a report: a hundred-odd octets and a signature, in base64.
const maxReportRequest = 4 << 10

// BelieveReports says whose reports of lost cards are acted on: the registration
// authority's report key. Until it is called there is no door for them.
func (b *Bureau) BelieveReports(key *ecdsa.PublicKey) { b.reporter.Store(key) }

// Reported is what became of a report.
type Reported struct {
	Receipt string `json:"receipt"`
	State   string `json:"state"` // of the card as it stands now: StateHeld, StateRevoked, …
}

// Report acts on a report that a card was lost or stolen: what of the card is not ended is
// put on hold, as by Suspend, and the event says so. The same receipt again does nothing,
// also after the hold was lifted: whoever found the card has it back for good. A card of
// which nothing can be held any more is left as it is. Errors: NotFound
// "bureau-page-unknown" where nobody's reports are believed, those of events.OpenReport,
// Refused "card-report-stale", NotFound "person-unknown".
func (b *Bureau) Report(envelope []byte) (Reported, error) {
	key := b.reporter.Load()
	if key == nil {
		return Reported{}, warifu.NotFound("bureau-page-unknown")
	}
	r, err := events.OpenReport(envelope, key)
	if err != nil {
		return Reported{}, err
	}
	if b.config.Clock.Now().Sub(r.At).Abs() > events.ReportLife {
		return Reported{}, warifu.Refused("card-report-stale")
	}
	id, found := b.named(r.Person)
	if !found {
		return Reported{}, warifu.NotFound("person-unknown")
	}
	out := Reported{Receipt: r.Receipt}
	err = b.live(id, func(h *holder, before *record, now time.Time) (*record, error) {
		if slices.Contains(before.Reports, r.Receipt) {
			out.State = before.state(now)
			return before, nil
		}
		next, changed := before.replaced(func(c *certificate) *certificate {
			if !c.RevokedAt.IsZero() {
				return c
			}
			return c.with(warifu.ReasonCertificateHold, now)
		})
		if len(changed) == 0 {
			next.Outbox = nil // nothing to tell
		} else if next, err = b.telling(h, next, events.Event{Type: events.Suspended, At: now}, changed); err != nil {
			return nil, err
		}
		next.Reports = append(slices.Clone(before.Reports), r.Receipt)
		out.State = next.state(now)
		return next, nil
	})
	return out, err
}

// named finds the person of an opaque handle.
func (b *Bureau) named(handle warifu.Digest) (string, bool) {
	for _, id := range b.ids() {
		if b.handle(id) == handle {
			return id, true
		}
	}
	return "", false
}

type reportRequest struct {
	Report []byte `json:"report"`
}

func (b *Bureau) serveReport(w http.ResponseWriter, r *http.Request) (any, error) {
	var in reportRequest
	if err := doorway.Read(w, r, maxReportRequest, &in); err != nil {
		return nil, err
	}
	return b.Report(in.Report)
}
