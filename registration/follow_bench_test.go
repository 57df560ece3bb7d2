package registration_test

import (
	"context"
	"testing"

	"warifu"
	"warifu/internal/housetest"
	"warifu/queue"
	"warifu/registration"
)

// remembered is a bureau that says again what it said: its own work is not measured.
type remembered struct {
	registration.Bureau
	said []byte
}

func (r *remembered) Statements(ctx context.Context, serials [][]byte, nonce warifu.Digest) (said []byte, err error) {
	if r.said == nil {
		r.said, err = r.Bureau.Statements(ctx, serials, nonce)
	}
	return r.said, err
}

// ones is a source of randomness in which every nonce is the same.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 1
	}
	return len(p), nil
}

// BenchmarkSweepOneCard is a card that is asked about and found as it should be: two
// credentials. The call's one write and the one signature are spread over sixteen cards
// here, over a thousand where there are as many.
func BenchmarkSweepOneCard(b *testing.B) {
	h := housetest.New(b, housetest.Options{})
	const cards = 16
	for range cards {
		p, err := h.Bureau.Resident()
		must(b, err)
		h.Phone(b).Own(b, p.ID)
	}
	c := h.Config(b)
	c.Queue = queue.New(queue.Config{Store: h.Store, Clock: h.Clock})
	c.Random, c.Bureau = ones{}, &remembered{Bureau: h.Cards}
	r, err := registration.New(c)
	must(b, err)
	for b.Loop() {
		out, err := r.SweepCards(context.Background(), 1000)
		if err != nil || out.Asked != cards || out.Failed+out.Changed != 0 {
			b.Fatal(out, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*cards), "µs/card")
}

// BenchmarkFollowOneEvent is a hold put and lifted on both credentials of one person: from
// the envelope to the durable end of the cascade.
func BenchmarkFollowOneEvent(b *testing.B) {
	h := housetest.New(b, housetest.Options{})
	h.Phone(b).Own(b, who)
	after := int64(0)
	for b.Loop() {
		b.StopTimer()
		for _, f := range []func(string) error{h.Bureau.Suspend, h.Bureau.Resume} {
			must(b, f(who))
		}
		told := envelopes(b, h, after)
		b.StartTimer()
		for _, envelope := range told {
			if _, err := follow(h, envelope); err != nil {
				b.Fatal(err)
			}
			after++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(after), "µs/event")
}
