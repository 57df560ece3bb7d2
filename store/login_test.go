package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"warifu"
	"warifu/store"
)

func loginID(n byte) (id store.LoginID) { id[0], id[15] = n, 0xFF; return id }

// login writes one that waits.
func (w *world) login(n byte) store.Login {
	w.t.Helper()
	l := store.Login{ID: loginID(n), Client: "bank", Request: []byte(`{"redirect":"https://bank.test/"}`), Browser: digest("cookie"), At: base, Expires: base.Add(5 * time.Minute), Serial: []byte{}}
	w.write(func(tx *store.Tx) error { return tx.InsertLogin(l) })
	l.State = store.LoginWaiting
	return l
}

func (w *world) approved(n byte) store.Login {
	w.t.Helper()
	l := w.login(n)
	l.Way, l.Class, l.Activation, l.Agreed = "qr", "card", "pin", "name,gender"
	l.Person, l.Kind, l.Serial, l.ApprovedAt, l.Expires = digest("hanako"), warifu.Authentication, []byte{1, 2}, base.Add(time.Second), base.Add(2*time.Minute)
	w.write(func(tx *store.Tx) (err error) {
		if l.Papers, err = tx.SealLoginPapers(l.ID, l.Person, []byte("authentication"), []byte("signature")); err != nil {
			return err
		}
		done, err := tx.ApproveLogin(l)
		equal(w.t, "approved", done, true)
		return err
	})
	l.State = store.LoginApproved
	return l
}

func (w *world) isLogin(want store.Login) {
	w.t.Helper()
	w.read(func(tx *store.Tx) error {
		got, err := tx.Login(want.ID)
		must(w.t, err)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			w.t.Errorf("%+v\nwant %+v", got, want)
		}
		return nil
	})
}

func TestALoginGoesFromTheRequestToItsTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.isLogin(w.login(1))
		l := w.approved(2)
		w.isLogin(l)
		later, end := base.Add(time.Minute), base.Add(time.Hour)
		step := func(what string, want bool, fn func(tx *store.Tx) (bool, error)) {
			t.Helper()
			w.write(func(tx *store.Tx) error {
				done, err := fn(tx)
				equal(t, what, done, want)
				return err
			})
		}
		step("redeemed before it is finished", false, func(tx *store.Tx) (bool, error) { return tx.RedeemLogin(l.ID, later, end) })
		step("finished", true, func(tx *store.Tx) (bool, error) { return tx.FinishLogin(l.ID, later, later.Add(time.Minute)) })
		step("finished twice", false, func(tx *store.Tx) (bool, error) { return tx.FinishLogin(l.ID, later, end) })
		step("redeemed", true, func(tx *store.Tx) (bool, error) { return tx.RedeemLogin(l.ID, later, end) })
		step("redeemed twice", false, func(tx *store.Tx) (bool, error) { return tx.RedeemLogin(l.ID, later, end) })
		step("rotated", true, func(tx *store.Tx) (bool, error) { return tx.RotateLogin(l.ID, 1, later) })
		step("rotated twice", false, func(tx *store.Tx) (bool, error) { return tx.RotateLogin(l.ID, 1, later) })
		step("rotated late", false, func(tx *store.Tx) (bool, error) { return tx.RotateLogin(l.ID, 2, end) })
		w.write(func(tx *store.Tx) error { return tx.SetLoginTold(l.ID, "name") })
		l.State, l.RedeemedAt, l.Expires, l.Generation, l.Told = store.LoginRedeemed, later, end, 2, "name"
		w.isLogin(l)
		step("ended", true, func(tx *store.Tx) (bool, error) { return tx.EndLogin(l.ID) })
		step("ended twice", false, func(tx *store.Tx) (bool, error) { return tx.EndLogin(l.ID) })
		step("rotated after its end", false, func(tx *store.Tx) (bool, error) { return tx.RotateLogin(l.ID, 2, later) })
		err := w.Read(context.Background(), func(tx *store.Tx) error { _, err := tx.Login(loginID(9)); return err })
		wantProblem(t, err, "login-unknown")
	})
}

func TestAPushedRequestIsTakenUpOnceAndInTime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for n, c := range map[byte]struct {
			at   time.Time
			want bool
		}{1: {base.Add(time.Second), true}, 2: {base.Add(time.Minute), false}} {
			l := store.Login{ID: loginID(n), Client: "bank", Request: []byte("{}"), At: base, Expires: base.Add(time.Minute), Serial: []byte{}}
			w.write(func(tx *store.Tx) error { return tx.InsertLogin(l) })
			l.State = store.LoginPushed
			w.isLogin(l)
			w.write(func(tx *store.Tx) error {
				begun, err := tx.BeginLogin(l.ID, digest("cookie"), c.at, c.at.Add(time.Hour))
				must(t, err)
				again, err := tx.BeginLogin(l.ID, digest("another"), c.at, c.at.Add(time.Hour))
				equal(t, "begun", begun, c.want)
				equal(t, "begun again", again, false)
				return err
			})
		}
	})
}

func TestALoginThatIsOverMovesNoMore(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ended, late := w.login(1), w.login(2)
		w.write(func(tx *store.Tx) error {
			done, err := tx.EndWaitingLogin(ended.ID, store.LoginRefused, base)
			equal(t, "refused", done, true)
			return err
		})
		for _, l := range []store.Login{ended, late} {
			l.Person, l.ApprovedAt, l.Kind = digest("hanako"), base.Add(5*time.Minute), warifu.Authentication
			w.write(func(tx *store.Tx) error {
				approved, err := tx.ApproveLogin(l)
				must(t, err)
				again, err := tx.EndWaitingLogin(l.ID, store.LoginCancelled, base.Add(5*time.Minute))
				equal(t, "approved", approved, false)
				equal(t, "cancelled", again, false)
				return err
			})
		}
		w.read(func(tx *store.Tx) error {
			for at, want := range map[time.Time]int{base: 1, base.Add(5 * time.Minute): 0} {
				waits, err := tx.LoginsWaiting([]store.LoginID{ended.ID, late.ID, loginID(9)}, at)
				must(t, err)
				equal(t, "waiting", len(waits), want)
			}
			return nil
		})
	})
}

func TestPurgedLoginsTakeTheirPapersWithThem(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		old, young := w.approved(1), w.approved(2)
		w.write(func(tx *store.Tx) error {
			_, err := tx.FinishLogin(young.ID, base.Add(time.Second), base.Add(time.Hour))
			return err
		})
		w.write(func(tx *store.Tx) error {
			gone, err := tx.PurgeLogins(base.Add(3*time.Minute), 10)
			equal(t, "gone", gone, int64(1))
			return err
		})
		w.read(func(tx *store.Tx) error {
			_, err := tx.LoginPapers(old.Papers)
			wantProblem(t, err, "blob-unknown")
			papers, err := tx.LoginPapers(young.Papers)
			must(t, err)
			if len(papers) != 2 || string(papers[1]) != "signature" {
				t.Errorf("%q", papers)
			}
			used, err := tx.ChallengeUsed(digest("jti"))
			equal(t, "used", used, false)
			return err
		})
		w.write(func(tx *store.Tx) error { return tx.UseChallenge(digest("jti"), base) })
		w.read(func(tx *store.Tx) error {
			used, err := tx.ChallengeUsed(digest("jti"))
			equal(t, "used", used, true)
			return err
		})
	})
}
