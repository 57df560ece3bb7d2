package party

import (
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/cms"
	"warifu/ocsp"
	"warifu/sandbox/doctor"
)

const themeVerifier = "verifier"

// maker makes what a case hands in.
type maker func(h *house, form string) (paper, error)

// from is a maker of a signature with a certificate that was ordered so.
func from(o order) maker {
	return func(h *house, form string) (paper, error) {
		who, err := h.issue(o)
		if err != nil {
			return paper{}, err
		}
		return who.sign(form, h.clock.Now())
	}
}

func revoked(r warifu.Reason, ago time.Duration, h warifu.Clock) said {
	s := saidGood
	s.status = warifu.Status{Cert: warifu.StatusRevoked, Reason: r, RevokedAt: h.Now().Add(-ago).Truncate(time.Second)}
	return s
}

// papers is a case that hands a paper in, in the first of the forms that the endpoint takes.
func (x *Examination) papers(id string, level doctor.Level, clause string, good bool, make maker, forms ...string) doctor.Case {
	return doctor.Case{ID: id, Theme: themeVerifier, Level: level, Clause: clause, Run: func(ctx context.Context) doctor.Finding {
		form, ok := x.formOf(forms)
		if !ok {
			return doctor.Skip(doctor.Seen("unset", "field", "verifier.url, verifier.forms"))
		}
		if !strings.HasPrefix(id, "paper-good") { // who refuses what is good says nothing by refusing
			base, err := from(order{place: x.signing()})(x.house, form)
			if v := x.hand(ctx, base); err != nil || v.err != nil || !v.good {
				return doctor.Unsure(doctor.Seen("verifier-first"))
			}
		}
		p, err := make(x.house, form)
		if err != nil {
			return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
		}
		return judged(x.hand(ctx, p), good)
	}}
}

// signing is the place whose signatures the endpoint takes.
func (x *Examination) signing() place {
	if x.config.Verifier.Class == "card" {
		return cardSigning
	}
	return phoneSigning
}

func (x *Examination) formOf(wanted []string) (string, bool) {
	if len(wanted) == 0 {
		wanted = []string{formDetached, formAttached, formPDF, formXML}
	}
	for _, f := range wanted {
		if x.config.Verifier.takes(f) {
			return f, true
		}
	}
	return "", false
}

// verifierCases hand in signatures, good and otherwise.
func (x *Examination) verifierCases() []doctor.Case {
	at := x.signing()
	good := func(id, clause string, make maker, forms ...string) doctor.Case {
		return x.papers(id, doctor.Must, clause, true, make, forms...)
	}
	out := []doctor.Case{
		good("paper-good", "RFC 5652 §5.4; docs/verification.md", from(order{place: at}), formDetached),
		good("paper-good-attached", "RFC 5652 §5.4; docs/verification.md", from(order{place: at}), formAttached),
		good("paper-good-pdf", "ETSI EN 319 142-1; docs/verification.md", from(order{place: at}), formPDF),
		good("paper-good-xml", "ETSI EN 319 132-1; docs/verification.md", from(order{place: at}), formXML),
		good("paper-resumed", "RFC 5280 §5.3.1 (removeFromCRL)", x.resumed(at)),
		x.otherClass(),
	}
	out = append(out, x.statusCases(at)...)
	out = append(out, x.certificateCases(at)...)
	return append(out, x.contentCases(at)...)
}

// resumed was on hold yesterday, for an hour, and is good now.
func (x *Examination) resumed(at place) maker {
	return func(h *house, form string) (paper, error) {
		s, now := saidGood, h.clock.Now().Truncate(time.Second)
		s.holds = []ocsp.Interval{{From: now.Add(-25 * time.Hour), To: now.Add(-24 * time.Hour)}}
		return from(order{place: at, said: &s})(h, form)
	}
}

// otherClass hands in the card's signature where the phone's is wanted, or the reverse; where
// both are taken, the card's is good.
func (x *Examination) otherClass() doctor.Case {
	make := from(order{place: cardSigning})
	if x.config.Verifier.Class == "card" {
		make = from(order{place: phoneSigning})
	}
	return x.papers("paper-class", doctor.Must, "docs/verification.md", x.config.Verifier.Class == "", make)
}

// statusCases have the responder say, or not say, something of the certificate.
func (x *Examination) statusCases(at place) []doctor.Case {
	const path, response = "RFC 5280 §6.1.3 (a)(3)", "RFC 6960 §3.2"
	bad := func(id, clause string, change func(*said)) doctor.Case {
		return x.papers(id, doctor.Must, clause, false, func(h *house, form string) (paper, error) {
			s := saidGood
			change(&s)
			return from(order{place: at, said: &s})(h, form)
		})
	}
	because := func(r warifu.Reason) func(*said) {
		return func(s *said) { *s = revoked(r, time.Hour, x.clock) }
	}
	return []doctor.Case{
		bad("paper-revoked", path, because(warifu.ReasonKeyCompromise)),
		bad("paper-held", path+", §5.3.1", because(warifu.ReasonCertificateHold)),
		bad("paper-moved", path+"; docs/follow-the-card.md", because(warifu.ReasonAffiliationChanged)),
		bad("paper-status-unknown", "RFC 6960 §2.2", func(s *said) { s.status = warifu.Status{} }),
		bad("paper-status-stale", response+" (5, 6), §4.2.2.1", func(s *said) { s.age, s.life = 48*time.Hour, 24*time.Hour }),
		bad("paper-status-future", response+" (5)", func(s *said) { s.age, s.life = -24*time.Hour, time.Hour }),
		bad("paper-status-down", "RFC 5280 §6.3; docs/verification.md", func(s *said) { s.down = true }),
		bad("paper-status-slow", "RFC 5280 §6.3; docs/verification.md", func(s *said) { s.slow = true }),
		bad("paper-status-stranger", response+" (2, 4), §4.2.2.2", func(s *said) { s.stranger = true }),
		bad("paper-status-other", response+" (1)", func(s *said) { s.other = true }),
		x.heldThen(at),
	}
}

// heldThen hands in a signature that was time-stamped while its certificate was on hold; the
// hold was lifted since, so that a responder, which tells the present, says good.
func (x *Examination) heldThen(at place) doctor.Case {
	c := x.papers("paper-held-then", doctor.Must, "docs/verification.md", false, func(h *house, form string) (paper, error) {
		s, now := saidGood, h.clock.Now().Truncate(time.Second)
		s.holds = []ocsp.Interval{{From: now.Add(-3 * time.Hour), To: now.Add(-time.Hour)}}
		who, err := h.issue(order{place: at, said: &s})
		if err != nil {
			return paper{}, err
		}
		p, err := who.sign(form, now.Add(-2*time.Hour))
		if err != nil {
			return paper{}, err
		}
		m, err := cms.Parse(p.signature)
		if err != nil {
			return paper{}, err
		}
		token, err := h.stamp(sha256.Sum256(m.Signature), now.Add(-2*time.Hour))
		if err == nil {
			p.signature, err = cms.AddTimestamp(p.signature, token)
		}
		return p, err
	}, formDetached, formAttached)
	if !x.config.Verifier.Timestamps || at != phoneSigning {
		c.Run = func(context.Context) doctor.Finding {
			return doctor.Skip(doctor.Seen("unset", "field", "verifier.timestamps"))
		}
	}
	return c
}

// certificateCases sign with certificates that are not for this, or nobody's.
func (x *Examination) certificateCases(at place) []doctor.Case {
	const path = "RFC 5280 §6.1.3 (a)"
	bad := func(id, clause string, make maker) doctor.Case {
		return x.papers(id, doctor.Must, clause, false, make)
	}
	presence := place{at.class, warifu.Authentication}
	day := 24 * time.Hour
	return []doctor.Case{
		bad("paper-expired", path+"(2)", from(order{place: at, from: -40 * day, to: -day})),
		bad("paper-not-yet", path+"(2)", from(order{place: at, from: day, to: 40 * day})),
		bad("paper-unknown-authority", path+"(1)", func(h *house, form string) (paper, error) {
			by := h.stranger[at]
			return from(order{place: at, by: &by})(h, form)
		}),
		bad("paper-leaf-issuer", "RFC 5280 §6.1.4 (k), (n)", func(h *house, form string) (paper, error) {
			by, err := h.issue(order{place: at})
			if err != nil {
				return paper{}, err
			}
			return from(order{place: at, by: &by})(h, form)
		}),
		bad("paper-authentication-key", "RFC 5280 §4.2.1.3, §4.2.1.4; docs/verification.md", from(order{place: presence})),
		bad("paper-other-policy", "RFC 5280 §6.1.3 (d); docs/profile.md", from(order{place: at, policy: asn1.ObjectIdentifier{2, 25, 154071603, 2, 99}})),
	}
}

// contentCases change what is signed, or hand in something that was signed for another end.
func (x *Examination) contentCases(at place) []doctor.Case {
	changed := func(id, clause string, change func(paper) paper, forms ...string) doctor.Case {
		return x.papers(id, doctor.Must, clause, false, func(h *house, form string) (paper, error) {
			p, err := from(order{place: at})(h, form)
			return change(p), err
		}, forms...)
	}
	return []doctor.Case{
		changed("paper-signature-changed", "RFC 5652 §5.6", func(p paper) paper {
			if m, err := cms.Parse(p.signature); err == nil {
				other := append([]byte(nil), m.Signature...)
				other[len(other)-1] ^= 1
				p.signature = replaced(p.signature, string(m.Signature), string(other))
			}
			return p
		}, formDetached, formAttached),
		changed("paper-other-document", "RFC 5652 §5.4, §11.2", func(p paper) paper {
			p.document = []byte("I owe 900 yen")
			return p
		}, formDetached),
		x.papers("paper-application", doctor.Must, "docs/papers.md; RFC 5652 §11.1", false, func(h *house, form string) (paper, error) {
			who, err := h.issue(order{place: at})
			if err != nil {
				return paper{}, err
			}
			return who.signCMS(form, attest.OIDApplicationDocument, []byte(contract), h.clock.Now())
		}, formDetached, formAttached),
		changed("paper-pdf-rewritten", "ISO 32000-2 §12.8.1; ETSI EN 319 142-1", func(p paper) paper {
			p.signature = rewritten(p.signature)
			return p
		}, formPDF),
		changed("paper-pdf-octets", "ISO 32000-2 §12.8.1", func(p paper) paper {
			p.signature = replaced(p.signature, contract, "I owe 900 yen")
			return p
		}, formPDF),
		changed("paper-xml-wrapped", "XML Signature Best Practices §2.3; docs/verification.md", func(p paper) paper {
			p.signature = wrapped(p.signature)
			return p
		}, formXML),
		changed("paper-xml-changed", "XMLDSig §3.2", func(p paper) paper {
			p.signature = replaced(p.signature, "<money>100</money>", "<money>900</money>")
			return p
		}, formXML),
		x.garbage(),
	}
}

// garbage is no signature at all: the endpoint says so, and does not break.
func (x *Examination) garbage() doctor.Case {
	return doctor.Case{ID: "paper-garbage", Theme: themeVerifier, Level: doctor.Should, Clause: "RFC 9110 §15.5.1", Run: func(ctx context.Context) doctor.Finding {
		form, ok := x.formOf(nil)
		if !ok {
			return doctor.Skip(doctor.Seen("unset", "field", "verifier.url, verifier.forms"))
		}
		for _, octets := range [][]byte{{}, []byte("%PDF-1.7 <contract> no signature"), {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}} {
			v := x.hand(ctx, paper{form: form, signature: octets, document: []byte(contract)})
			if f := judged(v, false); f.Outcome != doctor.Pass {
				return f
			}
			if v.status >= 500 {
				return doctor.Found(doctor.Seen("status", "status", strconv.Itoa(v.status)))
			}
		}
		return doctor.Passed()
	}}
}
