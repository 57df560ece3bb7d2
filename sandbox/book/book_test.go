package book_test

import (
	"errors"
	"fmt"
	"testing"

	"warifu"
	"warifu/sandbox/book"
	"warifu/sandbox/folder"
)

type entry struct{ N int }

func open(t testing.TB, dir string) *book.Book[entry] {
	t.Helper()
	f, err := folder.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return book.Open[entry](f, 3)
}

func add(b *book.Book[entry]) (entry, error) {
	return b.Add(func(n int) (string, entry, error) { return fmt.Sprintf("e-%d", n), entry{n}, nil })
}

func slug(err error) string {
	if err == nil {
		return ""
	}
	return warifu.ProblemOf(err).Problem
}

func TestABookOutlivesItsWorldAndHasAnEnd(t *testing.T) {
	dir := t.TempDir()
	for n := 1; n <= 3; n++ {
		if e, err := add(open(t, dir)); err != nil || e.N != n {
			t.Fatalf("entry %d: %+v, %v", n, e, err)
		}
	}
	b := open(t, dir)
	if _, err := add(b); slug(err) != "book-full" {
		t.Errorf("a fourth: %v", err)
	}
	all, err := b.All()
	if err != nil || len(all) != 3 || all[2].N != 3 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestAChangeThatFailsChangesNothing(t *testing.T) {
	b := open(t, t.TempDir())
	if _, err := add(b); err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("no")
	got, err := b.Change("e-1", func(e *entry) error { e.N = 9; return refusal })
	if !errors.Is(err, refusal) || got.N != 9 {
		t.Errorf("%+v, %v", got, err)
	}
	if e, err := b.Get("e-1"); err != nil || e.N != 1 {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := b.Add(func(int) (string, entry, error) { return "e-1", entry{}, nil }); slug(err) != "book-entry-exists" {
		t.Errorf("the same name again: %v", err)
	}
}

// A stranger's name never leaves the folder.
func FuzzGet(f *testing.F) {
	for _, seed := range []string{"", "e-1", "../e-1", "E-1", "e-1.json", "e\x00"} {
		f.Add(seed)
	}
	b := open(f, f.TempDir())
	f.Fuzz(func(t *testing.T, name string) {
		if _, err := b.Get(name); slug(err) != "book-entry-unknown" {
			t.Errorf("%q: %v", name, err)
		}
	})
}
