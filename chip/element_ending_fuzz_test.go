package chip_test

import (
	"encoding/asn1"
	"testing"

	"warifu"
	"warifu/attest"
	"warifu/internal/elementtest"
	"warifu/iso7816"
	"warifu/jpki"
)

// FuzzEndingPaper hands octets to KILL, CLEAN PROOF or NEXT TICKET KEY. What no authority
// signed destroys nothing and pins nothing, and a question is answered as it was asked or not
// at all.
func FuzzEndingPaper(f *testing.F) {
	z := newFuzzed(f)
	live := slotsOf(f, z.phone)
	strange := z.phone.Ticket(warifu.Signature, []byte("a key it never had"), 9)
	f.Add(byte(0), z.phone.SealTicket(f, strange))
	f.Add(byte(1), jpki.CleanQuestion{Marketplace: "m", Nonce: nonce, Identifiers: []string{identifier}, Time: asked}.Bytes())
	if paper, err := (attest.NextTicketKey{Kind: warifu.Signature, PublicKey: spki(f, p256(f))}).Seal(z.phone.CA); err == nil {
		f.Add(byte(2), paper)
	}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		if len(data) > iso7816.MaxExtendedData {
			return
		}
		p := z.restart(t)
		ins := [...]byte{jpki.InsKill, jpki.InsCleanProof, jpki.InsNextTicketKey}[which%3]
		app := p.App()
		selectPhone(t, app)
		r := transmit(t, app, iso7816.Command{CLA: 0x80, INS: ins, Data: data, Ne: 65536})
		if !sameSlots(live, slotsOf(t, p)) || r.SW == iso7816.SWOK && ins != jpki.InsCleanProof {
			t.Fatalf("%02X %X: %v", ins, data, r.SW)
		}
		if r.SW == iso7816.SWOK {
			question, err := jpki.ParseCleanQuestion(data)
			proof := openProof(t, p, r.Data)
			if err != nil || proof.Marketplace != question.Marketplace || string(proof.Nonce) != string(question.Nonce) || !proof.Time.Equal(question.Time) {
				t.Fatalf("asked %+v, %v; answered %+v", question, err, proof)
			}
		}
	})
}

// FuzzSignedTicket has the authority itself sign whatever fields. A key is destroyed only when
// all of them say so, and then that key alone.
func FuzzSignedTicket(f *testing.F) {
	z := newFuzzed(f)
	before := slotsOf(f, z.phone)
	f.Add(1, byte(1), []byte{1}, "revoked", int64(1), true, true, false)
	f.Add(2, byte(2), []byte{1}, "expired", int64(9), true, true, true)
	f.Add(1, byte(1), []byte{1}, "held", int64(1), true, true, false)
	f.Add(1, byte(2), []byte{1}, "superseded", int64(1), true, false, true)
	f.Fuzz(func(t *testing.T, kind int, signer byte, serial []byte, status string, number int64, here, known, reader bool) {
		p := z.restart(t)
		key, _ := before.Live.Of(warifu.Kind(kind))
		id := p.Element.ID()
		body := ticketBody{1, id[:], kind, key.PublicKey[:], serial, status, number, elementtest.At.UTC()}
		if !here {
			id[0] ^= 1
		}
		if !known {
			key.PublicKey[0] ^= 1
		}
		der, err := asn1.Marshal(body)
		if err != nil {
			return // no UTF-8
		}
		paper, err := attest.Seal(attest.ContextKillTicket, der, p.Tickets[warifu.Kinds[signer%2]])
		if err != nil || len(paper) > iso7816.MaxExtendedData {
			return
		}
		tr := p.App()
		if reader {
			tr = p.Element.Contactless()
		}
		_, err = clientOf(t, tr).Kill(t.Context(), paper)
		final := status == "revoked" || status == "superseded" || status == "expired"
		right := kind >= 1 && kind <= 2 && int(signer%2)+1 == kind && len(serial) > 0 && len(serial) <= 20 && final && number > 0 && here && known
		if (err == nil) != right {
			t.Fatalf("right: %v, answered %v", right, err)
		}
		left := liveKinds(t, p)
		if right && (len(left) != 1 || int(left[0]) == kind) || !right && len(left) != 2 {
			t.Fatalf("right: %v, left %v", right, left)
		}
	})
}
