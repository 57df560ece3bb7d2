package store_test

import (
	"context"
	"strings"
	"testing"

	"warifu/store"
)

func FuzzDSN(f *testing.F) {
	for _, s := range []string{"", "sqlite:", "sqlite:/a/b.db", "sqlite:rel#1 割符%41.db", "sqlite:/a?mode=memory", "postgres://u@h/d", "postgresql:///d", "mysql://x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		accepted, isSQLite := store.CheckDSN(dsn)
		if accepted && isSQLite != strings.HasPrefix(dsn, "sqlite:") {
			t.Errorf("%q: taken for the wrong database", dsn)
		}
	})
}

func TestFileNamesMayHoldAnyCharacterButAQuestionMark(t *testing.T) {
	for _, name := range []string{"a b", "#1", "割符", "100%41", "a&b=c"} {
		dsn := "sqlite:" + t.TempDir() + "/" + name + ".db"
		must(t, store.Migrate(context.Background(), dsn))
		s, err := store.Open(context.Background(), dsn, newKeyring(), still)
		must(t, err)
		must(t, s.Ready(context.Background()))
		must(t, s.Close())
	}
}
