package attest_test

import (
	"testing"

	"warifu/attest"
)

// The digest was computed apart, with Python's hashlib, from docs/papers.md.
func TestAContactsDigestIsTheOneDrawn(t *testing.T) {
	const want = "b31abafe60a2ca8b7c30fd24c4a3a94768473c62ac04ff925e16ce53051faa7d"
	if got := attest.ContactDigest("ハナコ", "", "09011112222"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, other := range [][3]string{{"ハナ", "コ", "09011112222"}, {"ハナコ", "0", "9011112222"}, {"ハナコ", "", "09011112223"}, {"ハナコ09011112222", "", ""}} {
		if attest.ContactDigest(other[0], other[1], other[2]) == want {
			t.Errorf("%q have the same digest", other)
		}
	}
}
