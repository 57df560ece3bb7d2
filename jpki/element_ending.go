package jpki

import (
	"context"
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf8"

	"warifu"
	"warifu/iso7816"
)

// Tags of CLEAN PROOF (docs/secure-element.md §9).
const (
	TagMarketplace iso7816.Tag = 0x80
	TagCleanNonce  iso7816.Tag = 0x81
	TagCleanTime   iso7816.Tag = 0x82 // seconds since 1970, eight octets
	TagIdentifier  iso7816.Tag = 0x83 // may come more than once
)

// Kill hands the chip a kill ticket (package attest) and returns its receipt. It takes no
// secret, works over every interface, and may be repeated. Errors: "kill-ticket-invalid"
// where no pinned key of an authority signed it, "kill-ticket-other" where it is not for a
// key of this chip, "kill-ticket-old" where it is not either and a later ticket was obeyed
// before: it may have been obeyed once and forgotten.
func (e *Element) Kill(ctx context.Context, ticket []byte) (receipt []byte, err error) {
	receipt, err = e.send(ctx, "kill", iso7816.Command{INS: InsKill, Data: ticket, Ne: iso7816.MaxShortNe})
	switch {
	case errors.Is(err, iso7816.SWSecurityStatus) || errors.Is(err, iso7816.SWWrongData):
		return nil, warifu.Refused("kill-ticket-invalid").With(err)
	case errors.Is(err, iso7816.SWReferenceNotFound):
		return nil, warifu.Refused("kill-ticket-other").With(err)
	case errors.Is(err, iso7816.SWConditions):
		return nil, warifu.Conflict("kill-ticket-old").With(err)
	}
	return receipt, err
}

// NextTicketKey hands the chip the paper with which an authority's ticket key names the
// next (attest.NextTicketKey). It may be repeated. Errors: "ticket-key-refused".
func (e *Element) NextTicketKey(ctx context.Context, paper []byte) error {
	_, err := e.send(ctx, "next-ticket-key", iso7816.Command{INS: InsNextTicketKey, Data: paper})
	for _, sw := range []iso7816.StatusWord{iso7816.SWSecurityStatus, iso7816.SWWrongData, iso7816.SWReferenceNotFound} {
		if errors.Is(err, sw) {
			return warifu.Refused("ticket-key-refused").With(err)
		}
	}
	return err
}

// CleanQuestion is what a marketplace asks a phone before it is sold.
type CleanQuestion struct {
	Marketplace string    // 1 to 128 octets
	Nonce       []byte    // 16 to 64 octets
	Identifiers []string  // at most 8 of at most 128 octets, "imei:…", "serial:…"
	Time        time.Time // of the question, to the second
}

// Bounds of a question; those of the paper that answers it.
const (
	maxQuestionText = 128
	minCleanNonce   = 16
	maxCleanNonce   = 64
	maxIdentifiers  = 8
)

// CleanProof asks the chip for its word, to one marketplace, about what it still carries
// (attest.CleanProof). Identifiers are those the marketplace named, as "imei:…"; one that
// the chip's maker did not attest is Refused "identifier-other". Over the contactless
// interface at least one is needed ("identifier-needed"), and after ten wrong ones in a
// row it is "proof-blocked" until the app made a proof.
func (e *Element) CleanProof(ctx context.Context, marketplace string, nonce []byte, identifiers []string, at time.Time) ([]byte, error) {
	question := CleanQuestion{marketplace, nonce, identifiers, at}
	proof, err := e.send(ctx, "clean-proof", iso7816.Command{INS: InsCleanProof, Data: question.Bytes(), Ne: iso7816.MaxShortNe})
	switch {
	case errors.Is(err, iso7816.SWWrongData):
		return nil, warifu.Invalid("clean-question-malformed").With(err)
	case errors.Is(err, iso7816.SWReferenceNotFound):
		return nil, warifu.Refused("identifier-other").With(err)
	case errors.Is(err, iso7816.SWConditions) && len(identifiers) == 0:
		return nil, warifu.Invalid("identifier-needed").With(err)
	case errors.Is(err, iso7816.SWMethodBlocked):
		return nil, warifu.Refused("proof-blocked").With(err)
	}
	return proof, err
}

// Bytes encodes the question as the chip takes it.
func (q CleanQuestion) Bytes() []byte {
	out := iso7816.AppendTLV(nil, TagMarketplace, []byte(q.Marketplace))
	out = iso7816.AppendTLV(out, TagCleanNonce, q.Nonce)
	out = iso7816.AppendTLV(out, TagCleanTime, binary.BigEndian.AppendUint64(nil, uint64(q.Time.Unix())))
	for _, identifier := range q.Identifiers {
		out = iso7816.AppendTLV(out, TagIdentifier, []byte(identifier))
	}
	return out
}

// lastSecond is the end of the year 9999, the last that DER can write.
var lastSecond = uint64(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix())

// ParseCleanQuestion is the inverse of Bytes; the error is a status word.
func ParseCleanQuestion(data []byte) (CleanQuestion, error) {
	fields, err := iso7816.ParseTLVs(data)
	var q CleanQuestion
	if err != nil || len(fields) < 3 || len(fields) > 3+maxIdentifiers {
		return q, iso7816.SWWrongData
	}
	ok := fields[0].Tag == TagMarketplace && fields[1].Tag == TagCleanNonce && fields[2].Tag == TagCleanTime
	name, nonce, at := fields[0].Value, fields[1].Value, fields[2].Value
	ok = ok && len(name) > 0 && len(name) <= maxQuestionText && utf8.Valid(name) && len(nonce) >= minCleanNonce && len(nonce) <= maxCleanNonce &&
		len(at) == 8 && binary.BigEndian.Uint64(at) <= lastSecond
	for _, f := range fields[3:] {
		ok = ok && f.Tag == TagIdentifier && len(f.Value) > 0 && len(f.Value) <= maxQuestionText
		q.Identifiers = append(q.Identifiers, string(f.Value))
	}
	if !ok {
		return CleanQuestion{}, iso7816.SWWrongData
	}
	q.Marketplace, q.Nonce, q.Time = string(name), nonce, time.Unix(int64(binary.BigEndian.Uint64(at)), 0).UTC()
	return q, nil
}
