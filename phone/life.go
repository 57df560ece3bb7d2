package phone

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"warifu"
)

// Standing is where one certificate of a phone stands at the server.
type Standing struct {
	Kind     warifu.Kind            `json:"kind"`
	State    warifu.CredentialState `json:"state"`
	Holds    []warifu.HoldReason    `json:"holds"`
	Until    time.Time              `json:"until,omitzero"` // of a hold for a repair: it ends by itself then
	NotAfter time.Time              `json:"notAfter"`
	Ticket   []byte                 `json:"ticket,omitempty"` // kill ticket for the chip, once it has ended (K18)
}

type standings struct {
	Credentials []Standing `json:"credentials"`
}

// OrderChallenge asks for a challenge of one use for an order: of the phone with the
// element, or, for the zero element, of a card on any device (K9).
func (s *Server) OrderChallenge(ctx context.Context, element warifu.ElementID) ([]byte, error) {
	path := "/api/v1/orders/challenges"
	if !element.IsZero() {
		path = elementPath(element) + "/challenges"
	}
	var out struct {
		Challenge []byte `json:"challenge"`
	}
	err := s.do(ctx, call{http.MethodPost, path, nil, &out, true})
	return out.Challenge, err
}

// DeviceOrder hands in an order that the element signed (attest.DeviceRequest). It may
// be repeated: what is so already is no error.
func (s *Server) DeviceOrder(ctx context.Context, element warifu.ElementID, request []byte) ([]Standing, error) {
	var out standings
	err := s.do(ctx, call{http.MethodPost, elementPath(element) + "/orders", requested{request}, &out, true})
	return out.Credentials, err
}

// CardOrder hands in an order that a card signed (attest.CardOrder in CMS).
func (s *Server) CardOrder(ctx context.Context, document []byte) ([]Standing, error) {
	in := struct {
		Document []byte `json:"document"`
	}{document}
	var out standings
	err := s.do(ctx, call{http.MethodPost, "/api/v1/orders", in, &out, true})
	return out.Credentials, err
}

// ReissueCode asks for a new suspension code. It is not repeated: each call makes the
// code before it worthless.
func (s *Server) ReissueCode(ctx context.Context, element warifu.ElementID, request []byte) (string, error) {
	var out struct {
		SuspensionCode string `json:"suspensionCode"`
	}
	err := s.do(ctx, call{http.MethodPost, elementPath(element) + "/suspension-code", requested{request}, &out, false})
	return out.SuspensionCode, err
}

// SuspendByCode suspends whatever the suspension code is for, from any device (K9). It
// can do nothing else, and what it suspended only the card or two operators resume.
func (s *Server) SuspendByCode(ctx context.Context, code string) error {
	in := struct {
		Code string `json:"code"`
	}{code}
	return s.do(ctx, call{http.MethodPost, "/api/v1/suspensions", in, nil, true})
}

// Tickets asks for the kill tickets of what is dead on the chip, in the order in which
// the chip takes them.
func (s *Server) Tickets(ctx context.Context, element warifu.ElementID) ([][]byte, error) {
	var out struct {
		Tickets [][]byte `json:"tickets"`
	}
	err := s.do(ctx, call{http.MethodGet, elementPath(element) + "/tickets", nil, &out, true})
	return out.Tickets, err
}

// KillReceipt hands in the chip's signed word that it destroyed a key.
func (s *Server) KillReceipt(ctx context.Context, element warifu.ElementID, receipt []byte) error {
	in := struct {
		Receipt []byte `json:"receipt"`
	}{receipt}
	return s.do(ctx, call{http.MethodPost, elementPath(element) + "/kill-receipts", in, nil, true})
}

// Recognised is one certificate that was ever live on a chip, found by its key.
type Recognised struct {
	Standing
	Application string        `json:"application"`
	PublicKey   warifu.Digest `json:"publicKey"` // SHA-256 of the SubjectPublicKeyInfo
	EndedAt     *time.Time    `json:"endedAt,omitempty"`
}

// ElementLife is what the server knows of one chip.
type ElementLife struct {
	Credentials []Recognised `json:"credentials"` // oldest first
	Application string       `json:"application"` // the one that is open on it; "" for none
	Listings    []Asked      `json:"listings"`    // what marketplaces ask about this phone
}

// OfElement asks what has become of the keys of a chip, by a request that it signed
// (attest.DeviceRequest, purpose "check").
func (s *Server) OfElement(ctx context.Context, element warifu.ElementID, request []byte) (ElementLife, error) {
	var out ElementLife
	err := s.do(ctx, call{http.MethodPost, elementPath(element) + "/checks", requested{request}, &out, true})
	return out, err
}

// Life is where the certificates of an application stand, and what is about to become of them.
type Life struct {
	Credentials []Standing `json:"credentials"`
	// ReplacedBy is when a newer phone may take over; nil while none is on its way.
	ReplacedBy *time.Time `json:"replacedBy,omitempty"`
}

// Life asks for it.
func (s *Server) Life(ctx context.Context, application string) (Life, error) {
	var out Life
	err := s.do(ctx, call{http.MethodGet, applicationPath(application) + "/credentials", nil, &out, true})
	return out, err
}

// Credentials asks where the certificates of an application stand.
func (s *Server) Credentials(ctx context.Context, application string) ([]Standing, error) {
	out, err := s.Life(ctx, application)
	return out.Credentials, err
}

// Sentence is a text in both languages.
type Sentence struct {
	Ja string `json:"textJa"`
	En string `json:"textEn"`
}

// Leaving is what to ask the holder before the phone leaves their hands (R70–R74, R80).
type Leaving struct {
	Live     []warifu.Kind `json:"live"` // active or on hold on this phone
	Question Sentence      `json:"question"`
	Choices  []struct {
		Choice   string   `json:"choice"` // "revoke", "hold-until" or "keep"
		Advice   string   `json:"advice"` // "recommended", "possible" or "against"
		Sentence Sentence `json:"sentence"`
	} `json:"choices"` // empty where nothing is live
	// Checklist is what else to do before the phone goes, in order (R80).
	Checklist []struct {
		Item     string   `json:"item"`
		Sentence Sentence `json:"sentence"`
	} `json:"checklist"`
}

// Leaving asks what to do on an occasion.
func (s *Server) Leaving(ctx context.Context, element warifu.ElementID, occasion Occasion) (Leaving, error) {
	var out Leaving
	err := s.do(ctx, call{http.MethodGet, elementPath(element) + "/leaving?event=" + url.QueryEscape(occasion.event()), nil, &out, true})
	return out, err
}

type requested struct {
	Request []byte `json:"request"`
}

func elementPath(element warifu.ElementID) string { return "/api/v1/elements/" + element.String() }
