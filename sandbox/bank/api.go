package bank

import (
	"net/http"

	"warifu/attest"
	"warifu/phone"
	"warifu/sandbox/doorway"
)

// maxUpload bounds a signed document with its signature.
const maxUpload = 128 << 20

// Asked is a question put, and where to send the answer.
type Asked struct {
	Question phone.Question `json:"question"`
	Answer   string         `json:"answer"` // path on the bank
	Customer *Customer      `json:"customer,omitempty"`
}

func asked(q attest.Presence, c *Customer) Asked {
	return Asked{
		Question: phone.Question{Purpose: q.Purpose, ClientID: q.ClientID, Origin: q.Origin, Nonce: q.Nonce, Transaction: q.Transaction, Time: q.Time},
		Answer:   "/api/login/" + q.Transaction,
		Customer: c,
	}
}

func (b *Bank) apiAsk(http.ResponseWriter, *http.Request) (any, error) {
	q, err := b.ask()
	if err != nil {
		return nil, err
	}
	return asked(q, nil), nil
}

func (b *Bank) apiQuestion(_ http.ResponseWriter, r *http.Request) (any, error) {
	v, err := b.find(r.PathValue("transaction"))
	if err != nil {
		return nil, err
	}
	return asked(v.question, v.customer), nil
}

func (b *Bank) apiAnswer(w http.ResponseWriter, r *http.Request) (any, error) {
	var a Answer
	if err := doorway.Read(w, r, doorway.MaxBody, &a); err != nil {
		return nil, err
	}
	return b.answer(r.Context(), r.PathValue("transaction"), a)
}

// Document is a signature, and the document where that is detached.
type Document struct {
	Signature []byte `json:"signature"`
	Document  []byte `json:"document,omitempty"`
}

func (b *Bank) apiDocument(w http.ResponseWriter, r *http.Request) (any, error) {
	var d Document
	if err := doorway.Read(w, r, maxUpload, &d); err != nil {
		return nil, err
	}
	return b.judge(r.Context(), d.Signature, d.Document)
}
