package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"warifu"
	"warifu/crl"
	"warifu/internal/postgrestest"
	"warifu/profile"
	"warifu/server"
	"warifu/status"
	"warifu/store"
)

// plain is a Sealer for a database that holds nothing worth sealing.
type plain struct{}

func (plain) Seal(b, _ []byte) ([]byte, error) { return b, nil }
func (plain) Open(b, _ []byte) ([]byte, error) { return b, nil }
func (plain) Index(b []byte) ([]byte, error)   { return b, nil }

type registry struct {
	*store.Store
	t *testing.T
}

func (r registry) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// life suspends and resumes a credential many times, and now and then ends it.
func (r registry) life(n byte, moves int) error {
	id, at := r.NewID(), warifu.SystemClock{}.Now()
	of := func(what string) warifu.Digest { return warifu.DigestOf([]byte(what + id)) }
	kind := warifu.Kinds[n%2]
	err := r.Write(context.Background(), func(tx *store.Tx) error {
		if err := tx.InsertApplication(store.Application{ID: id, Document: of("d"), Person: of("p"), Kinds: []warifu.Kind{kind}, Scheme: "badge/1", SubmittedAt: at, DueAt: at}); err != nil {
			return err
		}
		return tx.InsertCredential(store.Credential{ID: id, Application: id, Person: of("p"), Kind: kind, Serial: []byte{1, n}, PublicKey: of("k"), NotAfter: at.AddDate(1, 0, 0)}, at)
	})
	for i := range moves {
		verb := []warifu.Verb{warifu.VerbSuspend, warifu.VerbResume}[i%2]
		if i == moves-1 && n%4 < 2 {
			verb = warifu.VerbRevoke
		}
		if err == nil {
			err = r.Write(context.Background(), func(tx *store.Tx) error {
				if _, err := tx.MoveCredential(id, verb, warifu.ReasonKeyCompromise, at); err != nil {
					return err
				}
				return tx.Audit(store.Line{At: at, Actor: "test", Verb: verb, Subject: id})
			})
		}
	}
	return err
}

// TestListsStayConsistentWhileTheDatabaseMoves has two servers publish out of one
// database while credentials are suspended, resumed and revoked in it.
func TestListsStayConsistentWhileTheDatabaseMoves(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := warifu.SystemClock{}.Now().UTC().Truncate(time.Second)
	der, err := profile.PhoneAuthority(warifu.Signature, "").SelfSign(key, []byte{1}, now.AddDate(-1, 0, 0), now.AddDate(9, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(_ context.Context, list *crl.Draft) error { return list.Sign(ca, key) }
	for name, dsn := range map[string]func() string{"sqlite": func() string { return "sqlite:" + t.TempDir() + "/w.db" }, "postgres": func() string { return postgrestest.DSN(t) }} {
		t.Run(name, func(t *testing.T) {
			r := registry{t: t}
			source := dsn()
			r.must(store.Migrate(t.Context(), source))
			r.Store, err = store.Open(t.Context(), source, plain{}, warifu.SystemClock{})
			r.must(err)
			defer func() { r.must(r.Close()) }()
			var presses [2]*status.Publisher
			for i := range presses {
				presses[i] = status.NewPublisher(warifu.Signature, sign, server.NewRegister(r.Store, warifu.Signature, 1000), warifu.SystemClock{})
				presses[i].Freshest = "http://127.0.0.1/crl/signature-delta.crl"
			}
			var all sync.WaitGroup
			for n := range byte(8) {
				all.Go(func() {
					if err := r.life(n, 12); err != nil {
						t.Error(err)
					}
				})
			}
			r.publish(presses, &all)
		})
	}
}

// publish makes lists on either server until all is still, and holds the lists anybody
// kept against the last ones: nothing moves any more when those are made.
func (r registry) publish(presses [2]*status.Publisher, all *sync.WaitGroup) {
	still := make(chan struct{})
	go func() { all.Wait(); close(still) }()
	var kept []*crl.List
	parse := func(der []byte, err error) *crl.List {
		r.must(err)
		l, err := crl.Parse(bytes.Clone(der))
		r.must(err)
		return l
	}
	for moving := true; moving; {
		select {
		case <-still:
			moving = false
		default:
		}
		for _, p := range presses {
			r.must(p.Refresh(r.t.Context()))
			kept = append(kept, parse(p.List(r.t.Context())))
			parse(p.DeltaList(r.t.Context()))
		}
	}
	applied := 0
	for _, p := range presses {
		full, delta := parse(p.List(r.t.Context())), parse(p.DeltaList(r.t.Context()))
		want := contentOf(full.Each)
		for _, l := range kept {
			both, err := crl.Combine(l, delta)
			if err != nil {
				continue
			}
			applied++
			if got := contentOf(both.Each); !maps.Equal(got, want) {
				r.t.Errorf("list %v with delta %v on %v: %v, want %v", l.Number, delta.Number, delta.Base, got, want)
			}
		}
	}
	if applied == 0 || len(kept) == 0 {
		r.t.Errorf("%d lists, %d deltas applied", len(kept), applied)
	}
}

func contentOf(each func(func(warifu.StatusRecord) bool)) map[string]string {
	out := map[string]string{}
	each(func(r warifu.StatusRecord) bool {
		out[fmt.Sprintf("%x", r.Serial)] = r.Status.Reason.String()
		return true
	})
	return out
}
