package offline

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"warifu"
)

// ListedIndices is how many certificates one token status list has room for, by index:
// list n tells of the indices from n·2²⁴ on, in 4 MiB before they are compressed.
const ListedIndices = 1 << 24

// maxLists bounds the lists of an authority, and with them the memory they are made in.
const maxLists = 256

// The statuses of a Token Status List, two bits each (draft-ietf-oauth-status-list §7).
const (
	ListValid     = 0 // also where no certificate has the index
	ListInvalid   = 1
	ListSuspended = 2
	ListUnused    = 3 // APPLICATION_SPECIFIC: issued and not in use, so nobody may rely on it
)

var (
	errStopped   = errors.New("offline: stopped")
	errCensus    = errors.New("offline: a certificate is in the census twice")
	errSignature = errors.New("offline: the responder's key is no P-256 key")
)

// statusLists are lists in the making, by number.
type statusLists struct {
	octets map[uint64][]byte
	off    bool
}

// ListPlace tells in which token status list a serial number of the authority stands and
// at which index; false for a number the authority never made.
func (p *Publisher) ListPlace(serial []byte) (list, index uint64, ours bool) {
	at, ours := p.indexer.Index(serial)
	if !ours || at/ListedIndices >= maxLists || p.StatusLists == "" {
		return 0, 0, false
	}
	return at / ListedIndices, at % ListedIndices, true
}

func (p *Publisher) newStatusLists() *statusLists {
	return &statusLists{octets: map[uint64][]byte{}, off: p.StatusLists == ""}
}

func (l *statusLists) set(index uint64, s warifu.Status) {
	n := index / ListedIndices
	if l.off || n >= maxLists {
		return
	}
	if l.octets[n] == nil {
		l.octets[n] = make([]byte, ListedIndices/4)
	}
	var value byte
	switch {
	case s.Cert == warifu.StatusUnknown:
		value = ListUnused
	case s.Cert == warifu.StatusRevoked && s.Reason == warifu.ReasonCertificateHold:
		value = ListSuspended
	case s.Cert == warifu.StatusRevoked:
		value = ListInvalid
	}
	l.octets[n][index%ListedIndices/4] |= value << (2 * (index % 4))
}

// listClaims is the payload of a status list token in its JWT form (§5.1).
type listClaims struct {
	Subject  string `json:"sub"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	TTL      int64  `json:"ttl"`
	List     struct {
		Bits int    `json:"bits"`
		List string `json:"lst"`
	} `json:"status_list"`
}

// sign makes the tokens: JWTs of type statuslist+jwt, signed ES256, with the responder's
// certificate in x5c.
func (l *statusLists) sign(address string, p *Pack, ttl time.Duration, responder *x509.Certificate, key crypto.Signer) ([]Document, error) {
	var out []Document
	for _, n := range slices.Sorted(maps.Keys(l.octets)) {
		packed, err := compress(l.octets[n])
		if err != nil {
			return nil, err
		}
		claims := listClaims{
			Subject:  address + "/" + strconv.FormatUint(n, 10),
			IssuedAt: p.ProducedAt.Unix(), Expires: p.NextUpdate.Unix(), TTL: int64(ttl.Seconds()),
		}
		claims.List.Bits, claims.List.List = 2, base64.RawURLEncoding.EncodeToString(packed)
		token, err := signToken(claims, responder, key)
		if err != nil {
			return nil, err
		}
		d := document(token, p)
		d.Number = n
		out = append(out, d)
	}
	return out, nil
}

// compress is DEFLATE in the ZLIB format (§4.1).
func compress(octets []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(octets); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

func signToken(claims any, responder *x509.Certificate, key crypto.Signer) ([]byte, error) {
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve.Params().BitSize != 256 {
		return nil, errSignature
	}
	head, err := json.Marshal(map[string]any{"typ": "statuslist+jwt", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(responder.Raw)}})
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return nil, err
	}
	b64 := base64.RawURLEncoding
	token := b64.AppendEncode(nil, head)
	token = b64.AppendEncode(append(token, '.'), payload)
	digest := sha256.Sum256(token)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	fixed, err := fixedForm(signature)
	if err != nil {
		return nil, err
	}
	return b64.AppendEncode(append(token, '.'), fixed), nil
}

// fixedForm turns an Ecdsa-Sig-Value into the two numbers of a JWS (RFC 7518 §3.4).
func fixedForm(der []byte) ([]byte, error) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	var r, s big.Int
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1Integer(&r) || !body.ReadASN1Integer(&s) || r.BitLen() > 256 || s.BitLen() > 256 {
		return nil, errSignature
	}
	out := make([]byte, 64)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}
