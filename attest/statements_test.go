package attest_test

import (
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
)

// manyCards is a paper about n cards, the second of which the bureau does not know.
func manyCards(n int) attest.CardStatements {
	at := time.Date(2026, 5, 11, 9, 0, 0, 0, time.UTC)
	s := attest.CardStatements{Nonce: warifu.DigestOf([]byte("nonce")), ProducedAt: at}
	for i := range n {
		c := attest.StatedCard{}
		if i != 1 {
			c.Person = warifu.DigestOf([]byte{byte(i)})
			for _, kind := range warifu.Kinds {
				c.Certificates = append(c.Certificates, attest.CardCertificate{
					Kind: kind, Serial: []byte{1, byte(i)}, Certificate: warifu.DigestOf([]byte{byte(kind), byte(i)}),
					State: warifu.StatusRevoked, Held: i%2 == 0, NotAfter: at.AddDate(5, 0, i),
				})
			}
		}
		s.Cards = append(s.Cards, c)
	}
	return s
}

func TestAPaperAboutManyCardsComesBackWhole(t *testing.T) {
	key := newKey(t)
	for _, n := range []int{0, 3, attest.MaxStatements} {
		want := manyCards(n)
		der, err := want.Seal(key)
		if err != nil {
			t.Fatal(err)
		}
		got, err := attest.OpenCardStatements(der, &key.PublicKey)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%d cards: %v", n, err)
		}
		if _, err := attest.OpenCardStatements(der, &newKey(t).PublicKey); warifu.ProblemOf(err).Problem != "paper-signature-invalid" {
			t.Errorf("under another key: %v", err)
		}
		if _, err := attest.OpenCardStatement(der, &key.PublicKey); err == nil {
			t.Error("a paper about many cards serves as one about a card")
		}
	}
	if _, err := manyCards(attest.MaxStatements + 1).Seal(key); warifu.ProblemOf(err).Problem != "paper-too-large" {
		t.Errorf("one card too many: %v", err)
	}
}

func TestNoOctetOfAPaperAboutManyCardsMayBeChanged(t *testing.T) {
	key := newKey(t)
	der, err := manyCards(3).Seal(key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range der {
		flipped := append([]byte(nil), der...)
		flipped[i] ^= 1
		if _, err := attest.OpenCardStatements(flipped, &key.PublicKey); err == nil {
			t.Fatalf("octet %d may be changed", i)
		}
	}
}

// Whatever the bureau signs, what is not of the form is refused and what is has one encoding.
func FuzzCardStatements(f *testing.F) {
	key := newKey(f)
	for _, n := range []int{0, 1, 3} {
		der, err := manyCards(n).Seal(key)
		if err != nil {
			f.Fatal(err)
		}
		body, err := attest.Open(attest.ContextCardStatements, der, &key.PublicKey)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		der, err := attest.Seal(attest.ContextCardStatements, body, key)
		if err != nil {
			t.Fatal(err)
		}
		s, err := attest.OpenCardStatements(der, &key.PublicKey)
		if err != nil {
			return
		}
		again, err := s.Seal(key)
		if err != nil {
			t.Fatal(err)
		}
		same, err := attest.Open(attest.ContextCardStatements, again, &key.PublicKey)
		if err != nil || hex.EncodeToString(same) != hex.EncodeToString(body) {
			t.Fatalf("two encodings of one paper: %x", body)
		}
	})
}
