package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"warifu/store"
)

// BenchmarkWrite is what a durable write costs alone and in company (on SQLite, on
// this machine's disk).
func BenchmarkWrite(b *testing.B) {
	for _, hands := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("life/hands=%d", hands), func(b *testing.B) {
			w := benchWorld(b)
			together := make(chan struct{}, hands)
			var failed atomic.Pointer[error]
			b.ResetTimer()
			for range b.N {
				together <- struct{}{}
				go func() {
					defer func() { <-together }()
					a := w.newApplication(w.NewID())
					if err := w.Write(context.Background(), func(tx *store.Tx) error { return wholeLife(tx, a) }); err != nil {
						failed.Store(&err)
					}
				}()
			}
			for range hands {
				together <- struct{}{}
			}
			b.StopTimer()
			if err := failed.Load(); err != nil {
				b.Fatal(*err)
			}
		})
	}
}

func benchWorld(b *testing.B) *world {
	b.Helper()
	dsn := "sqlite:" + b.TempDir() + "/w.db"
	must(b, store.Migrate(context.Background(), dsn))
	s, err := store.Open(context.Background(), dsn, newKeyring(), still)
	must(b, err)
	b.Cleanup(func() { must(b, s.Close()) })
	return &world{Store: s}
}

// BenchmarkStatusOf is one look-up of a responder.
func BenchmarkStatusOf(b *testing.B) {
	w := benchWorld(b)
	a := w.newApplication("p")
	must(b, w.Write(context.Background(), func(tx *store.Tx) error { return wholeLife(tx, a) }))
	serial := digestBytes(a.ID)[:17]
	b.ResetTimer()
	for range b.N {
		err := w.Read(context.Background(), func(tx *store.Tx) error {
			_, _, err := tx.StatusOf(1, serial)
			return err
		})
		must(b, err)
	}
}
