package profile_test

import (
	"crypto/aes"
	"fmt"
	"testing"

	"warifu"
	"warifu/profile"
)

func partitions(t testing.TB, n int, key byte) profile.Partitions {
	t.Helper()
	block, err := aes.NewCipher([]byte{key, 15: 0})
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.NewPartitions(n, block)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPartitionsAreDealtAsDiceAre holds that neighbours in order of issuance, and the two
// certificates of one person, share a list no more often than strangers do, and that the lists
// are of about one length. The keys are fixed, and so are the figures.
func TestPartitionsAreDealtAsDiceAre(t *testing.T) {
	const n, certificates = 16, 64_000
	own, other := partitions(t, n, 1), partitions(t, n, 2)
	signature, authentication := serials(t, 1, 1), serials(t, 2, 2)
	size := make([]int, n)
	neighbours, persons := 0, 0
	for i := range uint64(certificates) {
		part := own.Of(signature.Serial(i))
		size[part]++
		if part == own.Of(signature.Serial(i+1)) {
			neighbours++
		}
		if part == other.Of(authentication.Serial(i)) {
			persons++
		}
	}
	const even, spread = certificates / n, certificates / n / 10 // six deviations and more
	for part, got := range append(size, neighbours, persons) {
		if got < even-spread || got > even+spread {
			t.Errorf("%d: %d of %d", part, got, even)
		}
	}
}

func TestAPartitionIsOfTheNumberAndNotOfItsWriting(t *testing.T) {
	p := partitions(t, 1000, 1)
	serial := serials(t, 1, 1).Serial(5)
	if p.Of(serial) != p.Of(append([]byte{0, 0}, serial...)) {
		t.Error("leading zeros count")
	}
	if p.Of(serial) == partitions(t, 1000, 2).Of(serial) {
		t.Error("the key does not matter")
	}
	var none profile.Partitions
	if none.Of(serial) != 0 || none.Len() != 0 {
		t.Error("none")
	}
	for _, serial := range [][]byte{nil, {1}, make([]byte, 20), make([]byte, 40)} {
		if got := p.Of(serial); got < 0 || got >= p.Len() {
			t.Errorf("%x: %d", serial, got)
		}
	}
}

func TestPartitionsAreBounded(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	for n, ok := range map[int]bool{-1: false, 0: false, 1: true, profile.MaxPartitions: true, profile.MaxPartitions + 1: false} {
		if _, err := profile.NewPartitions(n, block); (err == nil) != ok || (err != nil && warifu.ProblemOf(err).Problem != "partitions-malformed") {
			t.Errorf("%d: %v", n, err)
		}
	}
	if _, err := profile.NewPartitions(1, nil); err == nil {
		t.Error("no key accepted")
	}
}

// TestACertificateNamesItsPartition: only the addresses of the authority's lists pass.
func TestACertificateNamesItsPartition(t *testing.T) {
	e := endpoints
	issuer := authority(t, profile.PhoneAuthority(warifu.Signature, ""), ecKey())
	full := e.CRL
	e.Partitions = 3
	if e.Point(2) != full[:len(full)-len(".crl")]+"/2.crl" {
		t.Error(e.Point(2))
	}
	for n := -1; n <= 3; n++ {
		p := profile.Phone(warifu.Signature, profile.P256, e)
		in := entity(t, p, ecKey())
		in.Partition = n
		tbs, err := p.TBS(in, issuer)
		if (n >= 0 && n < 3) != (err == nil) {
			t.Errorf("%d: %v", n, err)
		}
		if err != nil {
			continue
		}
		der, err := profile.Sign(tbs, ecKey())
		c := parse(t, der, err)
		if c.CRLDistributionPoints[0] != fmt.Sprintf("%s/%d.crl", full[:len(full)-len(".crl")], n) || p.Check(c) != nil {
			t.Error(c.CRLDistributionPoints, p.Check(c))
		}
		fewer := e
		fewer.Partitions = 2
		if err := profile.Phone(warifu.Signature, profile.P256, fewer).Check(c); (err == nil) != (n < 2) {
			t.Errorf("%d of two: %v", n, err)
		}
		if profile.Of(profile.ClassPhone, warifu.Signature).Check(c) != nil {
			t.Error("whoever does not know the addresses refuses one")
		}
		whole := e
		whole.Partitions = 0
		if profile.Phone(warifu.Signature, profile.P256, whole).Check(c) == nil {
			t.Error("an authority without parts takes a part for the full list")
		}
	}
}
