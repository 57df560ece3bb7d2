package server

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"warifu"
	"warifu/web"
)

// Bounds of what is remembered for the console. Nothing of it is kept over a restart.
const (
	maxSamples  = 180              // rounds of counters: three hours of minutes
	maxStopped  = 200              // certificates stopped
	clockJumped = 10 * time.Minute // longer than this is no delay but a clock that was moved, or a server that was down
)

// observed remembers what metrics forget: how the counters stood minute by minute, how long
// the newest suspensions and revocations took to be known, and what is being built.
type observed struct {
	mu       sync.Mutex
	samples  []sample
	stopped  []stopped
	newest   int64                // number of the status feed that was measured
	building map[string]bool      // "list/signature"
	made     map[string]time.Time // when it was last finished
	took     prometheus.ObserverVec
	drawn    web.Figures // kept for a moment
	drawnAt  time.Time
	underWay *underWay
}

// sample is how the status answers stood at an instant, by answer, since the server began.
type sample struct {
	at      time.Time
	answers map[string]int64
}

// stopped is a certificate whose status became revoked, for a time or for good.
type stopped struct {
	number       int64 // of the status feed
	at           time.Time
	answer, list time.Duration // list negative: not yet
}

func newObserved(registry *prometheus.Registry, log *slog.Logger) *observed {
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "warifu_stop_visible_seconds", Help: "From a suspension or revocation to when it was told: by status answers, on the list.",
		Buckets: []float64{.001, .01, .05, .1, .5, 1, 2, 5, 10, 30, 60, 300},
	}, []string{"where"})
	registry.MustRegister(took)
	return &observed{building: map[string]bool{}, made: map[string]time.Time{}, took: took, underWay: newUnderWay(log, registry, warifu.SystemClock{})}
}

// known notes changes of status that answers are given from now on.
func (o *observed) known(now time.Time, number int64, at time.Time, cert warifu.CertStatus) {
	o.mu.Lock()
	again := number <= o.newest // who follows reads the last one again, to see that the feed is still the same
	o.newest = max(o.newest, number)
	o.mu.Unlock()
	took := now.Sub(at)
	if again || cert != warifu.StatusRevoked || took < 0 || took > clockJumped {
		return
	}
	o.took.WithLabelValues("answer").Observe(took.Seconds())
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stopped = append(o.stopped, stopped{number, at, took, -1})
	o.stopped = o.stopped[max(0, len(o.stopped)-maxStopped):]
}

// listed notes that the lists have every change up to a number.
func (o *observed) listed(now time.Time, head int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.stopped {
		one := &o.stopped[i]
		if one.list >= 0 || one.number > head {
			continue
		}
		if took := now.Sub(one.at); took >= 0 && took <= clockJumped {
			one.list = took
			o.took.WithLabelValues("list").Observe(took.Seconds())
		}
	}
}

// begun and finished are told of what takes long on a large record.
func (o *observed) begun(what string) {
	o.underWay.Begin(what)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.building[what] = true
}

func (o *observed) finished(what string, now time.Time) {
	o.underWay.End(what)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.building[what], o.made[what] = false, now
}

// going is told how far one of them has come.
func (o *observed) going(what string) func(done, all int) {
	return func(done, all int) { o.underWay.Done(what, done, all) }
}

// take keeps how the answers stand.
func (o *observed) take(now time.Time, answers map[string]int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.samples = append(o.samples, sample{now, answers})
	o.samples = o.samples[max(0, len(o.samples)-maxSamples):]
}

// answered tells the samples as counts of the stretches between them, the last one up to now.
func (o *observed) answered(now time.Time, answers map[string]int64) []web.Answers {
	o.mu.Lock()
	rounds := append(append([]sample(nil), o.samples...), sample{now, answers})
	o.mu.Unlock()
	var out []web.Answers
	for i := 1; i < len(rounds); i++ {
		a := web.Answers{To: rounds[i].at, Counts: map[string]int64{}}
		for name, n := range rounds[i].answers {
			a.Counts[name] = n - rounds[i-1].answers[name]
		}
		out = append(out, a)
	}
	return out
}

// totals sums a counter by one of its labels.
func totals(counters prometheus.Gatherer, name, label string) map[string]int64 {
	out := map[string]int64{}
	families, err := counters.Gather()
	if err != nil {
		return out // a fault of the program, which the metrics tell of
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == label {
					out[l.GetValue()] += int64(m.GetCounter().GetValue())
				}
			}
		}
	}
	return out
}
