package kiosk

import (
	"context"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
	"warifu/sandbox/municipality"
)

// townTimeout bounds one call of the municipality.
const townTimeout = 20 * time.Second

// Town is the municipality's issuing server.
type Town struct{ door doorway.Client }

// NewTown calls the server at address ("http://127.0.0.1:8401/municipality") with the
// kiosk's key.
func NewTown(address, key string) Town {
	return Town{doorway.NewKeyClient(address, key, townTimeout)}
}

func (t Town) ask(ctx context.Context) (municipality.Question, error) {
	var c municipality.Challenge
	err := t.door.Post(ctx, "/challenges", struct{}{}, &c)
	return c.Question, away(err)
}

func (t Town) offers(ctx context.Context, a municipality.Authentication) (municipality.Offers, error) {
	var o municipality.Offers
	err := t.door.Post(ctx, "/offers", a, &o)
	return o, away(err)
}

func (t Town) paper(ctx context.Context, o municipality.Order) ([]byte, error) {
	var file []byte
	err := t.door.Post(ctx, "/certificates", o, &file)
	return file, away(err)
}

// away says in the kiosk's words that the municipality cannot be reached.
func away(err error) error {
	if doorway.Away(err) {
		return warifu.Unavailable("kiosk-town-away").With(err)
	}
	return err
}
