package jpki_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
)

func TestTheEndingsRefusalsHaveNames(t *testing.T) {
	kill := func(e *jpki.Element) error { _, err := e.Kill(t.Context(), []byte{1}); return err }
	next := func(e *jpki.Element) error { return e.NextTicketKey(t.Context(), []byte{1}) }
	prove := func(identifiers ...string) func(*jpki.Element) error {
		return func(e *jpki.Element) error {
			_, err := e.CleanProof(t.Context(), "m", make([]byte, 16), identifiers, time.Unix(1, 0))
			return err
		}
	}
	for _, c := range []struct {
		call    func(*jpki.Element) error
		sw      iso7816.StatusWord
		problem string
	}{
		{kill, iso7816.SWSecurityStatus, "kill-ticket-invalid"}, {kill, iso7816.SWWrongData, "kill-ticket-invalid"},
		{kill, iso7816.SWReferenceNotFound, "kill-ticket-other"}, {kill, iso7816.SWConditions, "kill-ticket-old"},
		{kill, iso7816.SWInstructionUnsupported, "element-refused"},
		{next, iso7816.SWSecurityStatus, "ticket-key-refused"}, {next, iso7816.SWWrongData, "ticket-key-refused"},
		{next, iso7816.SWReferenceNotFound, "ticket-key-refused"}, {next, iso7816.SWConditions, "element-state"},
		{prove(), iso7816.SWConditions, "identifier-needed"}, {prove("imei:1"), iso7816.SWConditions, "element-state"},
		{prove("imei:1"), iso7816.SWReferenceNotFound, "identifier-other"}, {prove("imei:1"), iso7816.SWMethodBlocked, "proof-blocked"},
		{prove(), iso7816.SWWrongData, "clean-question-malformed"},
	} {
		err := c.call(answering(t, c.sw))
		if !errors.Is(err, &warifu.Error{Problem: c.problem}) || !errors.Is(err, c.sw) {
			t.Errorf("%v: %v, want %s", c.sw, err, c.problem)
		}
	}
}

func TestTicketKeysReadBackAsTheyWereWritten(t *testing.T) {
	keys := map[warifu.Kind][]byte{warifu.Signature: {1, 2}, warifu.Authentication: {3}}
	value, err := iso7816.ParseTLV(jpki.WriteTicketKeys(keys), jpki.TagWriteTicketKeys)
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpki.ParseTicketKeys(value)
	if err != nil || !reflect.DeepEqual(got, keys) || jpki.TicketKeysDigest(got) != warifu.DigestOf(value) {
		t.Fatal(got, err)
	}
	if !jpki.TicketKeysDigest(nil).IsZero() {
		t.Fatal("no keys have a digest")
	}
}

func FuzzParseTicketKeys(f *testing.F) {
	f.Add(jpki.WriteTicketKeys(map[warifu.Kind][]byte{warifu.Signature: {1}})[3:])
	f.Fuzz(func(t *testing.T, value []byte) {
		keys, err := jpki.ParseTicketKeys(value)
		if err != nil {
			return
		}
		again, err := iso7816.ParseTLV(jpki.WriteTicketKeys(keys), jpki.TagWriteTicketKeys)
		if got, failed := jpki.ParseTicketKeys(again); err != nil || failed != nil || !reflect.DeepEqual(got, keys) || len(keys) == 0 {
			t.Fatalf("%v reads back as %v, %v", keys, got, failed)
		}
	})
}

func FuzzParseCleanQuestion(f *testing.F) {
	q := jpki.CleanQuestion{Marketplace: "m", Nonce: make([]byte, 16), Identifiers: []string{"imei:1", "serial:2"}, Time: time.Unix(1, 0)}
	f.Add(q.Bytes())
	f.Add([]byte{0x80, 1, 'a', 0x81, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		q, err := jpki.ParseCleanQuestion(data)
		if err != nil {
			return
		}
		if again, err := jpki.ParseCleanQuestion(q.Bytes()); err != nil || !reflect.DeepEqual(again, q) || len(q.Bytes()) > len(data) {
			t.Fatalf("%+v reads back as %+v, %v", q, again, err)
		}
		if year := q.Time.Year(); year < 1970 || year > 9999 || bytes.ContainsRune([]byte(q.Marketplace), 0xFFFD) && !bytes.Contains(data, []byte("\uFFFD")) {
			t.Fatalf("%+v", q)
		}
	})
}
