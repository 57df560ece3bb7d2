package events_test

import (
	"bytes"
	"testing"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/events"
)

func lostCard() events.CardReport {
	return events.CardReport{Person: warifu.DigestOf([]byte("person")), Receipt: "0123-4567-8901", At: at}
}

func TestAReportComesBackAsItWentAndOnlyOfTheAuthority(t *testing.T) {
	envelope, err := events.SealReport(lostCard(), key())
	if err != nil {
		t.Fatal(err)
	}
	got, err := events.OpenReport(envelope, &key().PublicKey)
	if err != nil || got.Person != lostCard().Person || got.Receipt != lostCard().Receipt || !got.At.Equal(at) {
		t.Errorf("%+v %v", got, err)
	}
	for i := range envelope {
		forged := bytes.Clone(envelope)
		forged[i] ^= 1
		if _, err := events.OpenReport(forged, &key().PublicKey); err == nil {
			t.Errorf("octet %d changed and still believed", i)
		}
	}
	_, err = events.OpenReport(sealed(t, of(events.Died, 1)), &key().PublicKey)
	wantProblem(t, "an event for a report", err, "paper-signature-invalid")
	_, err = events.OpenReport(make([]byte, attest.MaxPaper+1), &key().PublicKey)
	wantProblem(t, "too large", err, "paper-too-large")
}

func TestAReportThatMakesNoSenseIsNotSealed(t *testing.T) {
	for name, change := range map[string]func(*events.CardReport){
		"nobody":      func(r *events.CardReport) { r.Person = warifu.Digest{} },
		"no receipt":  func(r *events.CardReport) { r.Receipt = "" },
		"a name":      func(r *events.CardReport) { r.Receipt = "Hanako" },
		"wrong group": func(r *events.CardReport) { r.Receipt = "01234-567-8901" },
		"no instant":  func(r *events.CardReport) { r.At = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		r := lostCard()
		change(&r)
		_, err := events.SealReport(r, key())
		wantProblem(t, name, err, "paper-malformed")
	}
}

func FuzzParseReport(f *testing.F) {
	body, err := lostCard().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:len(body)-1])
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := events.ParseReport(der)
		if err != nil {
			return
		}
		if again, err := r.Marshal(); err != nil || !bytes.Equal(again, der) {
			t.Errorf("%x comes back as %x (%v)", der, again, err)
		}
	})
}
