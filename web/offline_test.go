package web_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/offline"
	"warifu/web"
)

// record is an authority's record of a few certificates, the index in the serial number.
type record struct {
	number  uint64
	entries []offline.Entry
}

func numbered(index uint64) []byte { return binary.BigEndian.AppendUint64([]byte{0x42}, index) }

func (r *record) Index(serial []byte) (uint64, bool) {
	if len(serial) != 9 || serial[0] != 0x42 {
		return 0, false
	}
	return binary.BigEndian.Uint64(serial[1:]), true
}

func (r *record) Number(context.Context, time.Time) (uint64, error) { r.number++; return r.number, nil }

func (r *record) View(_ context.Context, f func(offline.Census) error) error {
	return f(func(add func(offline.Entry) error) error {
		for _, e := range r.entries {
			if err := add(e); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *record) has(index uint64, s warifu.Status) {
	r.entries = append(r.entries, offline.Entry{Serial: numbered(index), Status: s, Issued: housetest.Begin})
}

// packed is a site that publishes packs of the signature authority.
type packed struct {
	t *testing.T
	*housetest.House
	*offline.Publisher
	record    *record
	responder *x509.Certificate
	site      http.Handler
}

func withPacks(t *testing.T) *packed {
	t.Helper()
	h := housetest.New(t, housetest.Options{})
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	der, err := h.Issuers[warifu.Signature].CA.CertifyResponder(t.Context(), &key.PublicKey)
	must(t, err)
	p := &packed{t: t, House: h, record: &record{}}
	p.responder, err = x509.ParseCertificate(der)
	must(t, err)
	signer := func() (*x509.Certificate, crypto.Signer, error) { return p.responder, key, nil }
	p.Publisher = offline.NewPublisher(h.CAs[warifu.Signature], p.record, signer, p.record, h.Clock)
	p.StatusLists = "http://warifu.test/offline/signature/status-list"
	c := h.SiteConfig()
	a := c.Authorities[warifu.Signature]
	a.Offline = p.Publisher
	c.Authorities[warifu.Signature] = a
	p.site = web.New(c)
	return p
}

func (p *packed) get(path string, headers ...string) (*http.Response, []byte) {
	p.t.Helper()
	r := ask(p.site, http.MethodGet, path, "", headers...)
	b, err := io.ReadAll(r.Body)
	must(p.t, err)
	return r, b
}

func (p *packed) round() {
	p.t.Helper()
	_, err := p.Round(p.t.Context())
	must(p.t, err)
}

func TestPacksAreServedWithWhatChangedSince(t *testing.T) {
	p := withPacks(t)
	problem(t, ask(p.site, "GET", "/offline/signature", ""), 503, "offline-pack-unavailable")
	problem(t, ask(p.site, "GET", "/offline/authentication", ""), 404, "offline-not-published")
	p.record.has(7, warifu.Status{Cert: warifu.StatusGood})
	p.round()
	r, whole := p.get("/offline/signature")
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/cms" || !strings.HasPrefix(r.Header.Get("Cache-Control"), "max-age=60, public") {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	pack, err := offline.Parse(whole)
	must(t, err)
	must(t, pack.Verify(p.CAs[warifu.Signature], p.Clock.Now()))
	if again, _ := p.get("/offline/signature", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked for the same again: %d", again.StatusCode)
	}
	delta := fmt.Sprintf("/offline/signature/delta?from=%d", pack.Number)
	if r, _ := p.get(delta); r.StatusCode != http.StatusNoContent {
		t.Errorf("nothing newer: %d", r.StatusCode)
	}
	p.record.entries[0].Status = warifu.Status{Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise}
	p.Clock.Forward(time.Hour)
	p.round()
	_, newer := p.get(delta)
	update, err := offline.Parse(newer)
	must(t, err)
	certificate := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(numbered(7)), NotBefore: housetest.Begin, NotAfter: housetest.Begin.AddDate(1, 0, 0)}
	if s := update.Status(&pack.Pack, certificate); s.Cert != warifu.StatusRevoked {
		t.Errorf("with the update: %+v", s)
	}
	if got := problem(t, ask(p.site, "GET", "/offline/signature/delta?from=1000", ""), 404, "offline-delta-absent"); got.Params["number"] != fmt.Sprint(pack.Number) {
		t.Errorf("the pack that would do is %q", got.Params["number"])
	}
	problem(t, ask(p.site, "GET", "/offline/signature/delta", ""), 422, "offline-from-malformed")
	problem(t, ask(p.site, "POST", "/offline/signature", ""), 405, "method-unknown")
	problem(t, ask(p.site, "GET", "/offline/signature/other", ""), 404, "page-unknown")
	p.Clock.Forward(100 * time.Hour)
	problem(t, ask(p.site, "GET", "/offline/signature", ""), 503, "offline-pack-unavailable")
}

// A reader of the Token Status List, by the draft alone: it is told the place once, fetches
// the list, checks ES256 with the certificate in x5c, inflates, and takes two bits.
func TestAStatusListTellsWhoSpeaksItTheSame(t *testing.T) {
	p := withPacks(t)
	want := map[uint64]byte{}
	for i, s := range []warifu.Status{
		{Cert: warifu.StatusGood}, {Cert: warifu.StatusRevoked, Reason: warifu.ReasonKeyCompromise}, {Cert: warifu.StatusRevoked, Reason: warifu.ReasonCertificateHold}, {},
	} {
		for _, index := range []uint64{uint64(10 + i), 3*offline.ListedIndices + uint64(70*i)} {
			p.record.has(index, s)
			want[index] = byte(i)
		}
	}
	p.round()
	for index, value := range want {
		_, told := p.get("/offline/signature/status-list/of/" + hex.EncodeToString(numbered(index)))
		var claim struct {
			Status struct {
				List struct {
					Index uint64 `json:"idx"`
					URI   string `json:"uri"`
				} `json:"status_list"`
			} `json:"status"`
		}
		must(t, json.Unmarshal(told, &claim))
		r, token := p.get(strings.TrimPrefix(claim.Status.List.URI, "http://warifu.test"))
		if r.Header.Get("Content-Type") != "application/statuslist+jwt" {
			t.Fatalf("%d %v", r.StatusCode, r.Header)
		}
		octets := readToken(t, token, claim.Status.List.URI, p.CAs[warifu.Signature])
		if got := octets[claim.Status.List.Index/4] >> (2 * (claim.Status.List.Index % 4)) & 3; got != value {
			t.Errorf("index %d: %d, want %d", index, got, value)
		}
	}
	_, all := p.get("/offline/signature/status-list")
	if !strings.Contains(string(all), `"http://warifu.test/offline/signature/status-list/0","http://warifu.test/offline/signature/status-list/3"`) {
		t.Errorf("the lists are %s", all)
	}
	problem(t, ask(p.site, "GET", "/offline/signature/status-list/1", ""), 404, "page-unknown")
	problem(t, ask(p.site, "GET", "/offline/signature/status-list/of/00aa", ""), 404, "offline-serial-foreign")
	problem(t, ask(p.site, "GET", "/offline/signature/status-list/of/xyz", ""), 422, "offline-serial-malformed")
}

func readToken(t *testing.T, token []byte, uri string, issuer *x509.Certificate) []byte {
	t.Helper()
	parts := strings.Split(string(token), ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		must(t, err)
		return b
	}
	var head struct {
		Type        string   `json:"typ"`
		Algorithm   string   `json:"alg"`
		Certificate [][]byte `json:"x5c"`
	}
	must(t, json.Unmarshal(decode(parts[0]), &head))
	c, err := x509.ParseCertificate(head.Certificate[0])
	must(t, err)
	must(t, c.CheckSignatureFrom(issuer))
	signature, digest := decode(parts[2]), sha256.Sum256([]byte(parts[0]+"."+parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if head.Type != "statuslist+jwt" || head.Algorithm != "ES256" || !ecdsa.Verify(c.PublicKey.(*ecdsa.PublicKey), digest[:], r, s) {
		t.Fatalf("%+v does not hold", head)
	}
	var claims struct {
		Subject string `json:"sub"`
		Issued  int64  `json:"iat"`
		Expires int64  `json:"exp"`
		List    struct {
			Bits int    `json:"bits"`
			List string `json:"lst"`
		} `json:"status_list"`
	}
	must(t, json.Unmarshal(decode(parts[1]), &claims))
	if claims.Subject != uri || claims.List.Bits != 2 || claims.Issued != housetest.Begin.Unix() || claims.Expires <= claims.Issued {
		t.Fatalf("%+v", claims)
	}
	z, err := zlib.NewReader(bytes.NewReader(decode(claims.List.List)))
	must(t, err)
	octets, err := io.ReadAll(io.LimitReader(z, offline.ListedIndices))
	must(t, err)
	return octets
}
