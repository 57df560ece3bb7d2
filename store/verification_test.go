package store_test

import (
	"fmt"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

// verification writes one down with a record sealed under its owner's key.
func (w *world) verification(id string, at time.Time) store.Verification {
	w.t.Helper()
	v := store.Verification{
		ID: id, Party: "bank", Form: "cms", Class: "phone", Kind: warifu.Signature, Serial: []byte{1, 2}, Person: digest("hanako"), Owner: digest("hanako"),
		Document: digest("document"), Verdict: "good", Until: at.Add(time.Hour), At: at,
	}
	w.write(func(tx *store.Tx) (err error) {
		if v.Record, err = tx.SealBlob(v.Owner, []byte("record "+id)); err != nil {
			return err
		}
		return tx.InsertVerification(v)
	})
	return v
}

func TestVerificationsComeBackAsWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.verification("v1", base)
		bare := store.Verification{ID: "v2", Party: "shop", Form: "pdf", Verdict: "bad", Serial: []byte{}, At: base}
		w.write(func(tx *store.Tx) error { return tx.InsertVerification(bare) })
		w.write(func(tx *store.Tx) error { return tx.SetTold("v1", "name") })
		v.Told = "name"
		w.read(func(tx *store.Tx) error {
			for _, want := range []store.Verification{v, bare} {
				got, err := tx.Verification(want.ID)
				must(t, err)
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%+v\nwant %+v", got, want)
				}
			}
			n, err := tx.VerificationsBy("bank", base)
			equal(t, "count", n, int64(1))
			must(t, err)
			if _, err := tx.Verification("v3"); warifu.ProblemOf(err).Problem != "verification-unknown" {
				t.Error(err)
			}
			return nil
		})
	})
}

func TestARenewedRecordTakesThePlaceOfTheOlder(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.verification("v1", base)
		w.write(func(tx *store.Tx) error {
			due, err := tx.VerificationsToRenew(base.Add(2*time.Hour), 10)
			if err != nil || len(due) != 1 {
				t.Errorf("%v %v", due, err)
			}
			record, err := tx.SealBlob(v.Owner, []byte("renewed"))
			must(t, err)
			return tx.ReplaceRecord(v, record, base.Add(24*time.Hour))
		})
		w.read(func(tx *store.Tx) error {
			if _, err := tx.UnsealBlob(v.Record); !warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) {
				t.Errorf("the older record is there: %v", err)
			}
			got, err := tx.Verification("v1")
			must(t, err)
			plain, err := tx.UnsealBlob(got.Record)
			equal(t, "record", string(plain), "renewed")
			return err
		})
	})
}

func TestPurgedVerificationsTakeEverythingWithThem(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		old, young := w.verification("v1", base), w.verification("v2", base.Add(48*time.Hour))
		w.write(func(tx *store.Tx) error {
			purpose, err := tx.SealBlob(old.Person, []byte("purpose"))
			must(t, err)
			must(t, tx.InsertAttributeRequest(store.AttributeRequest{ID: "r1", Party: "bank", Verification: "v1", Person: old.Person, Attributes: "name", Purpose: purpose, At: base, Expires: base.Add(time.Hour)}))
			must(t, tx.InsertWebhook(store.Webhook{ID: "w1", Party: "bank", Verification: "v1", Kind: warifu.Signature, Serial: []byte{1, 2}, Address: "https://bank.test/", At: base}))
			return tx.AppendWebhookEvent(store.WebhookEvent{Webhook: "w1", JTI: "j1", Sort: "verification", At: base})
		})
		w.write(func(tx *store.Tx) error {
			n, err := tx.PurgeVerifications(base.Add(24*time.Hour), 10)
			equal(t, "purged", n, 1)
			return err
		})
		var blobs int
		must(t, w.bare().QueryRow(`SELECT COUNT(*) FROM sealed`).Scan(&blobs))
		equal(t, "sealed blobs", blobs, 1)
		w.read(func(tx *store.Tx) error {
			_, err := tx.UnsealBlob(young.Record)
			return err
		})
	})
}

func TestAnAttributeRequestIsDecidedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.verification("v1", base)
		r := store.AttributeRequest{ID: "r1", Party: "bank", Verification: "v1", Person: v.Person, Attributes: "name", Purpose: digest("p"), At: base, Expires: base.Add(time.Hour)}
		w.write(func(tx *store.Tx) error { return tx.InsertAttributeRequest(r) })
		decide := func(state string, at time.Time) (open bool) {
			w.write(func(tx *store.Tx) (err error) {
				open, err = tx.DecideAttributeRequest("r1", state, digest("paper"), at)
				return err
			})
			return open
		}
		w.read(func(tx *store.Tx) error {
			waiting, err := tx.AttributeRequestsOf(v.Person, base, 10)
			equal(t, "waiting", len(waiting), 1)
			return err
		})
		if decide("granted", base.Add(time.Hour)) {
			t.Error("an expired one is granted")
		}
		if !decide("refused", base.Add(time.Minute)) || decide("granted", base.Add(2*time.Minute)) {
			t.Error("it is decided twice")
		}
	})
}

func TestWebhookEventsGoInOrderByOneServerAtATime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.verification("v1", base)
		w.write(func(tx *store.Tx) error {
			must(t, tx.InsertWebhook(store.Webhook{ID: "w1", Party: "bank", Verification: "v1", Kind: warifu.Signature, Serial: []byte{1, 2}, Address: "https://bank.test/", At: base}))
			for _, jti := range []string{"a", "b"} {
				must(t, tx.AppendWebhookEvent(store.WebhookEvent{Webhook: "w1", JTI: jti, Sort: "status", Status: warifu.Status{Cert: warifu.StatusGood}, At: base}))
			}
			return nil
		})
		var due []store.Webhook
		w.write(func(tx *store.Tx) (err error) {
			due, err = tx.WebhooksDue(base, 10)
			must(t, err)
			equal(t, "due", len(due), 1)
			first, err := tx.ClaimWebhook(due[0], base.Add(time.Minute))
			must(t, err)
			second, err := tx.ClaimWebhook(due[0], base.Add(time.Minute))
			if !first || second {
				t.Error("claimed by two")
			}
			return err
		})
		w.write(func(tx *store.Tx) error {
			e, found, err := tx.NextWebhookEvent("w1")
			if err != nil || !found || e.JTI != "a" || e.Seq != 1 {
				t.Errorf("%+v %v %v", e, found, err)
			}
			must(t, tx.WebhookFailed("w1", base, base.Add(time.Minute)))
			must(t, tx.WebhookSent(e, base.Add(time.Second)))
			e, _, err = tx.NextWebhookEvent("w1")
			equal(t, "next", e.JTI, "b")
			return err
		})
		w.write(func(tx *store.Tx) error { return tx.EndWebhook("w1", "ended") })
		w.read(func(tx *store.Tx) error {
			due, err := tx.WebhooksDue(base.Add(time.Hour), 10)
			equal(t, "due after the end", len(due), 0)
			n, err2 := tx.WebhooksBy("bank")
			equal(t, "live", n, int64(0))
			must(t, err2)
			return err
		})
	})
}
