package cms_test

import (
	"bytes"
	"testing"

	"warifu"
	"warifu/cms"
)

func TestTimestampStandsBesideTheSignature(t *testing.T) {
	for name, s := range identities {
		document := []byte("割符\n")
		der := sign(t, s(), cms.OIDData, document, true)
		token := []byte{0x30, 0x03, 0x02, 0x01, 0x07}
		stamped, err := cms.AddTimestamp(der, token)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		m, err := cms.Parse(stamped)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(m.Timestamp, token) {
			t.Errorf("%s: token %x", name, m.Timestamp)
		}
		if err := m.Verify(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := cms.AddTimestamp(stamped, []byte{0x30, 0})
		if err != nil {
			t.Fatal(err)
		}
		if m, err = cms.Parse(again); err != nil || len(m.Timestamp) != 2 {
			t.Errorf("%s: a second token stands beside the first: %v", name, err)
		}
		for what, bad := range map[string][]byte{"no sequence": {4, 0}, "nothing": {}, "octets behind": {0x30, 0, 0}} {
			if _, err := cms.AddTimestamp(der, bad); err == nil || warifu.ProblemOf(err).Problem != "signature-malformed" {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}
