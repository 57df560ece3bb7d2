package status_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu"
	"warifu/ocsp"
	"warifu/status"
)

// long is a serial number as authorities here give them; some begin with a bit that wants an octet of zero before it.
func long(random *mathrand.Rand, length int) []byte {
	s := make([]byte, length)
	for i := range s {
		s[i] = byte(random.Uint32())
	}
	s[0] |= 1
	return s
}

// TestAKeptAnswerIsTheSignedOneToTheOctet, whatever it says, by whomever it was signed, however long serial number and signature came
// out, and whenever its times roll over.
func TestAKeptAnswerIsTheSignedOneToTheOctet(t *testing.T) {
	statuses := []warifu.Status{good, revoked(warifu.ReasonUnspecified, now), revoked(warifu.ReasonKeyCompromise, now.AddDate(-1, -2, -3)), revoked(warifu.ReasonCertificateHold, now.Add(-time.Second))}
	for name, signer := range map[string]func() party{
		"P-256":         func() party { return world().responder },
		"the authority": func() party { return world().ca },
		"RSA":           rsaDelegate,
	} {
		k := newKeeper(4 << 20)
		k.signer = signer()
		random := mathrand.New(mathrand.NewPCG(1, 2))
		type first struct{ question, answer []byte }
		var firsts []first
		signatures := map[int]bool{}
		for i := range 120 {
			k.at = now.Add(time.Duration(i%50) * time.Second)
			k.source.age = []time.Duration{0, 0, 0, time.Minute}[i%4]
			serial := long(random, []int{17, 17, 17, 16, 20, 8}[i%6])
			k.source.tell(serial, statuses[i%len(statuses)])
			for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
				question := ask(t, []ocsp.CertID{ocsp.NewCertID(h, world().ca.certificate, new(big.Int).SetBytes(serial))}, nil)
				answer := bytes.Clone(k.Answer(t.Context(), question))
				signatures[len(answer)] = true
				firsts = append(firsts, first{question, answer})
			}
		}
		signed := k.key.count()
		k.at = now.Add(50 * time.Second)
		k.cache.Keep = status.DefaultAnswerLife - status.MaxAge
		for _, f := range firsts {
			if got := k.Answer(t.Context(), f.question); !bytes.Equal(got, f.answer) {
				t.Fatalf("%s:\n%x, signed\n%x", name, got, f.answer)
			}
		}
		if k.key.count() != signed {
			t.Errorf("%s: %d signatures more", name, k.key.count()-signed)
		}
		if whole := k.cache.Whole(); whole != 0 {
			t.Errorf("%s: %d of %d are kept whole", name, whole, k.cache.Len())
		}
		if len(signatures) < 4 {
			t.Errorf("%s: lengths %v", name, signatures)
		}
	}
}

// rsaDelegate signs by RSA; no certificate is looked at here.
func rsaDelegate() party {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return party{key, world().responder.certificate}
}

// TestOneKeptAnswerCostsTwoLines of the processor's memory, and its place in the index.
func TestOneKeptAnswerCostsTwoLines(t *testing.T) {
	const octets = 4 << 20
	k := newKeeper(octets)
	random := mathrand.New(mathrand.NewPCG(3, 4))
	question := func() []byte {
		return ask(t, []ocsp.CertID{ocsp.NewCertID(crypto.SHA256, world().ca.certificate, new(big.Int).SetBytes(append([]byte{0x40}, long(random, 16)...)))}, nil)
	}
	for range 2000 {
		k.Answer(t.Context(), question())
	}
	if used := k.cache.Records(); used != 2000*128 {
		t.Errorf("2000 answers in %d octets", used)
	}
}

// TestShapesGoWithTheirAnswers: those of a key that signs no more give back their places, and answers for
// whose shape there is no place are not kept, nor one from before in their stead.
func TestShapesGoWithTheirAnswers(t *testing.T) {
	c := status.NewCache(64 << 10) // two shapes
	c.Put(warifu.Signature, serial(1), good, now, []byte("first"))
	c.Put(warifu.Signature, serial(2), revoked(warifu.ReasonKeyCompromise, now), now, []byte("second"))
	if c.Shapes() != 2 {
		t.Fatalf("%d shapes", c.Shapes())
	}
	c.Put(warifu.Signature, serial(1), revoked(warifu.ReasonSuperseded, now), now, []byte("third"))
	if _, ok := c.Get(warifu.Signature, serial(1)); ok {
		t.Error("one from before stands in its stead")
	}
	for i := range byte(200) { // the oldest fall
		c.Put(warifu.Signature, serial(i), good, now, bytes.Repeat([]byte{i}, 700))
		c.Put(warifu.Signature, serial(1), good, now, bytes.Repeat([]byte{i}, 700))
	}
	c.Put(warifu.Signature, serial(1), revoked(warifu.ReasonSuperseded, now), now, []byte("third"))
	if got, ok := c.Get(warifu.Signature, serial(1)); !ok || string(got) != "third" {
		t.Errorf("%q of %d shapes", got, c.Shapes())
	}
}

// TestSecondsAreWrittenAsTimeWritesThem up to the end of year 9999.
func TestSecondsAreWrittenAsTimeWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.OneOf(rapid.Int64Range(0, 253_402_300_799), rapid.Int64Range(1_700_000_000, 2_000_000_000)).Draw(t, "second"), 0).UTC()
		if got, want := status.Second(at.Unix()), at.Format("20060102150405"); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
		if got, want := status.HTTPDate(at.Unix()), at.Format("Mon, 02 Jan 2006 15:04:05 GMT"); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
