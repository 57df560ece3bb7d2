package server

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"warifu"
	"warifu/queue"
	"warifu/scheme"
	"warifu/store"
)

// metrics counts what happens and, when asked, reads the state of the queue and the
// applications. Nothing personal is in a name, a label or a number.
type metrics struct {
	store    *store.Store
	queue    *queue.Queue
	clock    warifu.Clock
	registry *prometheus.Registry
	refusals *prometheus.CounterVec
	answers  *prometheus.CounterVec
	notices  *prometheus.CounterVec
	contacts *prometheus.CounterVec
	stamps   *prometheus.CounterVec
	logins   *prometheus.CounterVec
	lateness prometheus.Gauge
	rate     *rate                // of issuing
	counters *prometheus.Registry // the counters that the console draws, without what reads the store
	observed *observed
}

func newMetrics(s *store.Store, q *queue.Queue, clock warifu.Clock, r *rate, log *slog.Logger) *metrics {
	m := &metrics{store: s, queue: q, clock: clock, rate: r, registry: prometheus.NewRegistry()}
	m.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "warifu_refusals_total", Help: "Requests refused, by operation and problem."}, []string{"operation", "problem"})
	m.answers = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "warifu_status_answers_total", Help: "OCSP answers, by authority and answer."}, []string{"authority", "answer"})
	m.notices = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "warifu_notices_total", Help: "Notices handed on, by result."}, []string{"result"})
	m.contacts = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "warifu_contact_notices_total", Help: "Notices to registered contacts, by result."}, []string{"result"})
	m.stamps = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "warifu_timestamps_total", Help: "Time-stamp requests, by answer: granted, or the problem."}, []string{"answer"})
	m.logins = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "warifu_logins_total", Help: "Logins at relying parties, by step: begun, approved, refused, cancelled, redeemed, refreshed, and replayed for a code or refresh token that came twice."}, []string{"step"})
	m.lateness = prometheus.NewGauge(prometheus.GaugeOpts{Name: "warifu_forecast_late", Help: "1 while what waits will be finished after closing time (K1)."})
	m.counters, m.observed = prometheus.NewRegistry(), newObserved(m.registry, log)
	m.counters.MustRegister(m.refusals, m.answers)
	m.registry.MustRegister(m.lateness, m.refusals, m.answers, m.notices, m.contacts, m.stamps, m.logins, &stateCollector{m}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) refused(operation, problem string) {
	m.refusals.WithLabelValues(operation, problem).Inc()
}

func (m *metrics) answered(kind warifu.Kind) func(string) {
	return func(answer string) { m.answers.WithLabelValues(kind.String(), answer).Inc() }
}

func (m *metrics) stamped(answer string) { m.stamps.WithLabelValues(answer).Inc() }

func (m *metrics) login(step string) { m.logins.WithLabelValues(step).Inc() }

// underWay has it told how many logins this server counts as under way.
func (m *metrics) underWay(count func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "warifu_logins_under_way", Help: "Logins that this server began and has not seen the end of."},
		func() float64 { return float64(count()) }))
}

func (m *metrics) late(late bool) {
	m.lateness.Set(0)
	if late {
		m.lateness.Set(1)
	}
}

// forecast says when an application due at an instant will be issued as things
// stand (K1): what waits before it, at the rate that was measured.
func (m *metrics) forecast(s *scheme.Scheme) func(time.Time) (time.Time, bool) {
	count := waiting{store: m.store, clock: m.clock}
	return func(due time.Time) (time.Time, bool) {
		waiting, err := count.dueBy(due)
		if err != nil {
			return time.Time{}, false
		}
		from := m.clock.Now()
		if due.After(from) {
			from = due
		}
		finish, _ := s.Hours.Forecast(int(waiting), m.rate.perSecond(), from)
		return finish, true
	}
}

// waiting counts the applications that wait, at most once a second for each hour they
// are due in: everyone who applies is told a forecast, and counting takes the longer
// the more there are.
type waiting struct {
	store *store.Store
	clock warifu.Clock

	mu      sync.Mutex
	counted time.Time // when n was
	until   time.Time // the instant by which n are due
	n       int64
}

const countedFor = time.Second

func (w *waiting) dueBy(due time.Time) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	near := due.Sub(w.until).Abs() < countedFor && now.Sub(w.counted).Abs() < countedFor
	if near && !w.counted.IsZero() {
		return w.n, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := w.store.Read(ctx, func(tx *store.Tx) (err error) {
		w.n, err = tx.JobsDueBy("issue", due)
		return err
	})
	if err == nil {
		w.counted, w.until = now, due
	}
	return w.n, err
}

var (
	queueDepth = prometheus.NewDesc("warifu_queue_jobs", "Jobs by kind and state.", []string{"kind", "state"}, nil)
	queueAge   = prometheus.NewDesc("warifu_queue_age_seconds", "Age of the oldest due job by kind.", []string{"kind"}, nil)
	byState    = prometheus.NewDesc("warifu_applications", "Applications by state.", []string{"state"}, nil)
	waitingFor = prometheus.NewDesc("warifu_hotline_waiting", "What the hotline has still to hand on: reports of lost cards to their bureau, notices to contacts; 1000 at the most.", []string{"what"}, nil)
	rejected   = prometheus.NewDesc("warifu_rejected_applications", "Rejected applications by problem.", []string{"problem"}, nil)
	issuedHour = prometheus.NewDesc("warifu_issued_applications", "Applications issued in the last 24 hours, by hour (UTC).", []string{"hour"}, nil)
)

// stateCollector reads the store when the metrics are asked for.
type stateCollector struct{ m *metrics }

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueDepth, queueAge, byState, waitingFor, rejected, issuedHour} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	now := c.m.clock.Now()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	err := c.m.store.Read(ctx, func(tx *store.Tx) error { return collect(tx, now, gauge) })
	if err != nil {
		out <- prometheus.NewInvalidMetric(byState, err)
	}
}

func collect(tx *store.Tx, now time.Time, gauge func(*prometheus.Desc, float64, ...string)) error {
	depths, err := tx.JobDepths()
	if err != nil {
		return err
	}
	for _, d := range depths {
		gauge(queueDepth, float64(d.Ready), d.Kind, "ready")
		gauge(queueDepth, float64(d.Leased), d.Kind, "leased")
		gauge(queueDepth, float64(d.Dead), d.Kind, "dead")
		age := 0.0
		if !d.OldestDue.IsZero() && now.After(d.OldestDue) {
			age = now.Sub(d.OldestDue).Seconds()
		}
		gauge(queueAge, age, d.Kind)
	}
	states, err := tx.ApplicationsByState()
	if err != nil {
		return err
	}
	for state, n := range states {
		gauge(byState, float64(n), string(state))
	}
	if err := collectHotline(tx, gauge); err != nil {
		return err
	}
	problems, err := tx.RejectedByProblem()
	if err != nil {
		return err
	}
	for problem, n := range problems {
		gauge(rejected, float64(n), problem)
	}
	hours, err := tx.IssuedByHour(now.Add(-24 * time.Hour))
	if err != nil {
		return err
	}
	for _, h := range hours {
		gauge(issuedHour, float64(h.Count), h.Hour.UTC().Format("2006-01-02T15"))
	}
	return nil
}

// collectHotline counts what waits to leave the house.
func collectHotline(tx *store.Tx, gauge func(*prometheus.Desc, float64, ...string)) error {
	const most = 1000
	reports, err := tx.OpenCardReports(most)
	if err != nil {
		return err
	}
	gauge(waitingFor, float64(len(reports)), "card-reports")
	notices, err := tx.OpenContactNotices("", most)
	if err != nil {
		return err
	}
	gauge(waitingFor, float64(len(notices)), "contact-notices")
	return nil
}
