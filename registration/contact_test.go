package registration_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"warifu"
	"warifu/internal/housetest"
	"warifu/registration"
	"warifu/store"
)

func TestAContactHasOneSpelling(t *testing.T) {
	want := store.Contact{Reading: "ガーデンハナコ", BirthDate: "19850403", Telephone: "09011112222"}
	for _, c := range []registration.Contact{
		{"ガーデン ハナコ", "19850403", "09011112222"},
		{"がーでん　はなこ", "1985-04-03", "090-1111-2222"},
		{"ｶﾞｰﾃﾞﾝ ﾊﾅｺ", "１９８５年４月３日", "０９０－１１１１－２２２２"},
		{"ガ−デン・はなこ", "1985/4/3", "+81 (0)90 1111 2222"},
		{"カ\u3099ーテ\u3099ンハナコ", " 1985.04.03 ", "+819011112222"},
	} {
		got, err := registration.FoldContact(c)
		if err != nil || got != want {
			t.Errorf("%+v becomes %+v (%v)", struct{ a, b, c string }{c.Reading, c.BirthDate, c.Telephone}, got, err)
		}
	}
	good := registration.Contact{"ハナコ", "19850403", "09011112222"}
	for field, list := range map[string][]string{
		"reading":   {"", "花子", "Hanako", "ハナコ1", "ハナコ;", strings.Repeat("ハ", 500)},
		"birthDate": {"", "850403", "19850431", "昭和60年4月3日", "29991231", "1985-04", "198543"},
		"telephone": {"", "110", "hello", "0901111222a", "123456789012345678", "＋"},
	} {
		for _, typed := range list {
			c := good
			*map[string]*string{"reading": &c.Reading, "birthDate": &c.BirthDate, "telephone": &c.Telephone}[field] = typed
			_, err := registration.FoldContact(c)
			wantProblem(t, err, "contact-malformed")
			if got := warifu.ProblemOf(err).Params["field"]; got != field {
				t.Errorf("%q: the field is %q", typed, got)
			}
		}
	}
}

func TestAContactIsNotPrinted(t *testing.T) {
	c := registration.Contact{"ハナコ", "19850403", "09011112222"}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "contact", c)
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %q", c, c, c, c), log.String()} {
		if strings.Contains(s, "ハナコ") || strings.Contains(s, "1985") || strings.Contains(s, "0901") {
			t.Errorf("printed: %s", s)
		}
	}
}

func FuzzFoldContact(f *testing.F) {
	f.Add("ｶﾞｰﾃﾞﾝ", "1985年4月3日", "+81 90-1111-2222")
	f.Add("がーでん", "19850403", "０９０")
	f.Fuzz(func(t *testing.T, reading, birth, telephone string) {
		once, err := registration.FoldContact(registration.Contact{reading, birth, telephone})
		if err != nil {
			return
		}
		if len(once.BirthDate) != 8 || strings.Trim(once.Telephone+once.BirthDate, "0123456789") != "" {
			t.Errorf("%+v is not folded", once)
		}
		if twice, err := registration.FoldContact(registration.Contact(once)); err != nil || twice != once {
			t.Errorf("%+v folds to %+v (%v)", once, twice, err)
		}
	})
}

func TestNoticesGoToTheRegisteredContactOnce(t *testing.T) {
	h, p := listed(t)
	h.Write(t, func(tx *store.Tx) error {
		c := credentials(t, h, p)[0]
		_, err := tx.PutContactNotice(store.ContactNotice{Person: c.Person, Application: p, Occasion: "new-phone", At: h.Clock.Now()})
		return err
	})
	away := errors.New("no line")
	n, err := h.Registrar.SendContactNotices(context.Background(), func(context.Context, registration.ContactNotice) error { return away })
	if n != 0 || err != nil {
		t.Fatalf("sent %d (%v)", n, err)
	}
	var got []string
	for range 2 {
		_, err := h.Registrar.SendContactNotices(context.Background(), func(_ context.Context, n registration.ContactNotice) error {
			got = append(got, n.Occasion+" "+n.Telephone.Reveal())
			return nil
		})
		must(t, err)
	}
	if len(got) != 1 || got[0] != "new-phone 09011112222" {
		t.Errorf("sent %q", got)
	}
}

// Several servers have the same timer: while one hands a notice on no other does, and what
// one died over is taken up by another.
func TestANoticeIsHandedOnByOneServer(t *testing.T) {
	h, p := listed(t)
	ctx := context.Background()
	h.Write(t, func(tx *store.Tx) error {
		_, err := tx.PutContactNotice(store.ContactNotice{Person: credentials(t, h, p)[0].Person, Application: p, Occasion: "new-phone", At: h.Clock.Now()})
		return err
	})
	got := 0
	another := func() {
		t.Helper()
		_, err := h.Registrar.SendContactNotices(ctx, func(context.Context, registration.ContactNotice) error { got++; return nil })
		must(t, err)
	}
	dying, die := context.WithCancel(ctx)
	_, err := h.Registrar.SendContactNotices(dying, func(context.Context, registration.ContactNotice) error {
		another()
		die()
		return errors.New("no line")
	})
	if another(); got != 0 || err == nil {
		t.Errorf("%d notices by others while one had it in hand (%v)", got, err)
	}
	h.Clock.Forward(5 * time.Minute)
	for range 2 {
		if another(); got != 1 {
			t.Errorf("%d notices, want one", got)
		}
	}
}

// Whoever stole card and password must not put their own contact in the place of one who
// has a living phone; and nobody registers another's particulars.
func TestAContactIsNotTakenOver(t *testing.T) {
	h, p := listed(t)
	thief := h.Phone(t)
	s := housetest.Submission(thief.Draft(t, "hanako"))
	s.Contact = &registration.Contact{"ハナコ", "1985-11-04", "0799999999"}
	_, err := h.Registrar.Apply(context.Background(), s)
	wantProblem(t, err, "contact-malformed")
	s.Contact = &registration.Contact{"ハナコ", "1985-11-03", "0799999999"}
	_, err = h.Registrar.Apply(context.Background(), s)
	must(t, err)
	h.Write(t, func(tx *store.Tx) error {
		c, err := tx.Contact(credentials(t, h, p)[0].Person)
		if err != nil {
			return err
		}
		if c.Telephone == "0799999999" {
			t.Error("the contact was taken over")
		}
		return nil
	})
}
