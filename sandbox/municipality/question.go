package municipality

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/verify"
)

// Question is what the holder's authentication key signs, as attest.Presence encodes it.
type Question struct {
	Purpose     string    `json:"purpose"`
	ClientID    string    `json:"clientId"`
	Origin      string    `json:"origin"`
	Nonce       []byte    `json:"nonce"`
	Transaction string    `json:"transaction"`
	Time        time.Time `json:"time"`
}

// Presence returns the octets' source.
func (q Question) Presence() attest.Presence {
	return attest.Presence{Purpose: q.Purpose, ClientID: q.ClientID, Origin: q.Origin, Nonce: q.Nonce, Transaction: q.Transaction, Time: q.Time}
}

// Challenge is a question put.
type Challenge struct {
	Question Question  `json:"question"`
	Expires  time.Time `json:"expires"`
}

// Authentication is the answer to one of the server's questions, by a card or a phone.
type Authentication struct {
	Transaction string `json:"transaction"`
	Certificate []byte `json:"certificate"` // DER
	Signature   []byte `json:"signature"`
}

// transaction is one question and what was issued on the answer.
type transaction struct {
	kiosk    string
	question Question
	order    *Order // what was issued, so that an answer lost on the way is given again
	file     []byte
}

// ask puts a question to whoever stands at the kiosk.
func (s *Server) ask(_ http.ResponseWriter, r *http.Request) (any, error) {
	var octets [48]byte
	if _, err := rand.Read(octets[:]); err != nil {
		return nil, err
	}
	now := s.config.Clock.Now()
	q := Question{Purpose: Purpose, ClientID: ClientID, Origin: s.config.Origin, Nonce: octets[:32],
		Transaction: hex.EncodeToString(octets[32:]), Time: now.UTC().Truncate(time.Second)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, t := range s.asked {
		if s.over(t) {
			delete(s.asked, name)
		}
	}
	if len(s.asked) >= maxQuestions {
		return nil, warifu.TooMany("municipality-busy")
	}
	s.asked[q.Transaction] = &transaction{kiosk: r.Context().Value(caller{}).(string), question: q}
	return Challenge{q, q.Time.Add(QuestionLife)}, nil
}

func (s *Server) over(t *transaction) bool {
	return s.config.Clock.Now().Sub(t.question.Time) > QuestionLife
}

// find returns the transaction of the kiosk that asks.
func (s *Server) find(ctx context.Context, name string) (*transaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.asked[name]
	if !ok || s.over(t) || t.kiosk != ctx.Value(caller{}) {
		return nil, warifu.NotFound("municipality-question-unknown")
	}
	return t, nil
}

// identify judges an answer, its certificate's status included, and finds the resident.
func (s *Server) identify(ctx context.Context, a Authentication) (Resident, *transaction, error) {
	t, err := s.find(ctx, a.Transaction)
	if err != nil {
		return Resident{}, nil, err
	}
	certificate, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return Resident{}, nil, warifu.Invalid("municipality-request-malformed").With(err)
	}
	result, err := s.config.Verifier.Presence(ctx, t.question.Presence(), certificate, a.Signature, verify.Policy{MaxAnswerTime: QuestionLife})
	if err != nil {
		return Resident{}, nil, err
	}
	if err := result.Err(); err != nil {
		return Resident{}, nil, err
	}
	who, err := s.config.Register.Resident(ctx, result.Class, certificate)
	return who, t, err
}
