package server

import (
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"warifu"
	"warifu/progress"
)

// workIssue is the backlog that is being issued.
const workIssue = "issue"

// underWay is the long work of a server as operators see it: a line of the log at each tenth, a
// gauge, and what the console shows. Works are "list/signature", "pack/authentication", "issue".
type underWay struct {
	*progress.Tenths
	machine warifu.Clock // how long work takes is no matter of the world's clock

	mu      sync.Mutex
	issued  int   // of the backlog that is under way
	left    int64 // of it, as counted or less
	counted time.Time
}

func newUnderWay(log *slog.Logger, registry *prometheus.Registry, machine warifu.Clock) *underWay {
	u := &underWay{machine: machine, Tenths: progress.NewTenths(machine, func(s progress.Step) {
		attributes := []any{"work", s.What, "done", s.Done, "passed", s.Passed.Round(time.Second).String()}
		if s.All > 0 {
			attributes = append(attributes, "all", s.All, "percent", s.Percent())
		}
		if s.Left >= 0 {
			attributes = append(attributes, "left", s.Left.Round(time.Second).String())
		}
		log.Info("progress", attributes...)
	})}
	registry.MustRegister(u)
	return u
}

// worked is told of each batch of the queue; waiting counts what is due and not issued. Counting
// takes the longer the more there are, so it is done once a second and at what seems the end.
func (u *underWay) worked(kind string, done int, waiting func() (int64, error)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if kind != workIssue || done == 0 && u.issued == 0 {
		return
	}
	u.left -= int64(done)
	if now := u.machine.Now(); u.issued == 0 || u.left <= 0 || now.Sub(u.counted) >= countedFor {
		n, err := waiting()
		if err != nil {
			return // told by the forecast
		}
		u.left, u.counted = n, now
	}
	if u.left <= 0 {
		u.issued = 0
		u.End(workIssue)
		return
	}
	if u.issued == 0 {
		u.Begin(workIssue)
	}
	u.issued += done
	u.Done(workIssue, u.issued, u.issued+int(u.left))
}

var underWayPart = prometheus.NewDesc("warifu_progress_ratio", "How far long work under way has come, 0 to 1, by work: list/… and pack/… by authority, issue; absent when nothing is.", []string{"work"}, nil)

// Describe implements prometheus.Collector.
func (u *underWay) Describe(out chan<- *prometheus.Desc) { out <- underWayPart }

// Collect implements prometheus.Collector.
func (u *underWay) Collect(out chan<- prometheus.Metric) {
	works := []string{workIssue}
	for _, what := range []string{"list", "pack"} {
		for _, kind := range warifu.Kinds {
			works = append(works, what+"/"+kind.String())
		}
	}
	for _, name := range works {
		if s, ok := u.Now(name); ok && s.All > 0 {
			out <- prometheus.MustNewConstMetric(underWayPart, prometheus.GaugeValue, min(1, float64(s.Done)/float64(s.All)), name)
		}
	}
}
