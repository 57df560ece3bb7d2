package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"warifu"
	"warifu/status"
	"warifu/store"
)

// defaultStatusLimit is half of an answer's life.
const defaultStatusLimit = 5 * time.Minute

func (c StatusConfig) limit() time.Duration {
	if c.Limit == 0 {
		return defaultStatusLimit
	}
	return c.Limit
}

// The rounds of following.
const (
	statusRound   = 200 * time.Millisecond // how late another server's change is known here
	snapshotRound = 10 * time.Minute
	statusPage    = 1000 // changes read at once
)

// statuses are the certificates' statuses in memory, of both authorities: what the
// responders answer from.
type statuses struct {
	*status.Follower
	written int64 // the head of the newest snapshots
	broken  prometheus.Counter
}

// openStatuses fills the sets, from the snapshots and the feed since or else by a census,
// and has the store tell them of everything that this server does.
func (s *Server) openStatuses(ctx context.Context) error {
	var sets []*status.Set
	for _, kind := range warifu.Kinds {
		serials, err := s.serials(kind)
		if err != nil {
			return err
		}
		set := status.NewSet(kind, serials, s.clock)
		set.Limit = s.config.Status.limit()
		sets = append(sets, set)
	}
	o := &statuses{Follower: status.NewFollower(s.statusFeed, s.statusCensus, s.clock, sets...)}
	s.measureStatuses(o)
	err := s.readSnapshots(sets)
	if err == nil {
		err = o.CatchUp(ctx)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("statuses", "what", "the snapshots are of no use, everything is counted anew", "error", err.Error())
		}
		if err := o.Load(ctx); err != nil {
			return err
		}
		if err := o.CatchUp(ctx); err != nil {
			return err
		}
	}
	for _, set := range sets {
		set.OnChange(s.answers.Invalidate)
	}
	s.store.FollowStatus(func(changes []store.Change) {
		o.Told(changesOf(changes))
		s.observeStops(changes)
	})
	s.statuses = o
	return nil
}

func changesOf(changes []store.Change) []status.Change {
	out := make([]status.Change, len(changes))
	for i, c := range changes {
		out[i] = status.Change(c)
	}
	return out
}

func (s *Server) statusFeed(ctx context.Context, after int64) ([]status.Change, error) {
	changes, err := s.store.StatusSince(ctx, after, statusPage)
	s.observeStops(changes) // they are followed at once
	return changesOf(changes), err
}

// observeStops measures how soon answers tell of what was stopped.
func (s *Server) observeStops(changes []store.Change) {
	now := s.clock.Now()
	for _, c := range changes {
		s.metrics.observed.known(now, c.Number, c.At, c.Record.Status.Cert)
	}
}

func (s *Server) statusCensus(ctx context.Context, add func(warifu.StatusRecord) error) (status.Change, error) {
	newest, err := s.store.StatusCensus(ctx, add)
	return status.Change(newest), err
}

// measureStatuses makes their metrics.
func (s *Server) measureStatuses(o *statuses) {
	o.broken = prometheus.NewCounter(prometheus.CounterOpts{Name: "warifu_status_broken_total", Help: "How often the status feed had a gap or was another one, and all statuses were read anew."})
	s.metrics.registry.MustRegister(o.broken,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "warifu_status_age_seconds", Help: "How long ago the statuses in memory were known to be up to date."}, func() float64 { return o.Age().Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "warifu_status_feed_number", Help: "The newest number of the status feed that is in memory."}, func() float64 { return float64(o.Head()) }))
}

// keepStatuses follows the feed, for what other servers do, and writes snapshots.
func (s *Server) keepStatuses(ctx context.Context) {
	var snapped time.Time
	every(ctx, statusRound, func() {
		s.followStatuses(ctx)
		if now := s.clock.Now(); now.Sub(snapped).Abs() >= snapshotRound {
			s.complain("status snapshot", s.writeSnapshots())
			snapped = now
		}
	})
	s.complain("status snapshot", s.writeSnapshots())
}

// followStatuses does one round. What breaks the sets is an alarm: the feed is not what
// was promised.
func (s *Server) followStatuses(ctx context.Context) {
	broken, err := s.statuses.Round(ctx)
	if broken != nil {
		s.statuses.broken.Inc()
		s.log.Error("statuses", "what", "the feed is broken and everything is read anew", "error", broken.Error(), "mended", err == nil)
	}
	s.complain("statuses", err)
}

// snapshotOf is the file of an authority's snapshot.
func (s *Server) snapshotOf(kind warifu.Kind) string {
	dir := s.config.path(s.config.Status.Snapshots)
	if dir == "" {
		dir = filepath.Dir(s.config.path(s.config.Keys.Dir))
	}
	return filepath.Join(dir, "status-"+kind.String()+".snapshot")
}

func (s *Server) readSnapshots(sets []*status.Set) error {
	for _, set := range sets {
		file, err := os.Open(s.snapshotOf(set.Kind()))
		if err != nil {
			return err
		}
		err = set.ReadSnapshot(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(file.Name()), err)
		}
	}
	return nil
}

// writeSnapshots writes the sets down where something has changed since it was done last.
func (s *Server) writeSnapshots() error {
	head := s.statuses.Head()
	if head == s.statuses.written {
		return nil
	}
	for _, kind := range warifu.Kinds {
		if err := replace(s.snapshotOf(kind), s.statuses.Set(kind)); err != nil {
			return err
		}
	}
	s.statuses.written = head
	return nil
}

// replace puts a whole snapshot in the place of the one before, or leaves that.
func replace(name string, set *status.Set) error {
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+"-*.new")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // where it was not renamed
	out := bufio.NewWriterSize(file, 1<<16)
	err = set.WriteSnapshot(out)
	if err = errors.Join(err, out.Flush()); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
