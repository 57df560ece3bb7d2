package world

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"warifu"
	"warifu/sandbox/bank"
	"warifu/sandbox/bureau"
	"warifu/sandbox/desk"
	"warifu/sandbox/fault"
	"warifu/sandbox/field"
	"warifu/sandbox/folder"
	"warifu/sandbox/kiosk"
	"warifu/sandbox/maker"
	"warifu/sandbox/phones"
	"warifu/sandbox/reader"
	"warifu/sandbox/trace"
	"warifu/scheme"
	"warifu/server"
)

// Config is what a world is made of.
type Config struct {
	Dir string // everything it keeps
	// Port is the first of the block: server, desk, phones, bank. An old world keeps the
	// ports it was made with, since certificates name them, and refuses others; zero
	// means those, or 8400 for a new one.
	Port int
	// AnyPort lets a new world have whatever ports are free, for tests and tours.
	AnyPort bool
	Scheme  string       // name of a shipped scheme, for a new world; "" for jp-mobile
	Real    warifu.Clock // what the world's clock runs by; SystemClock when nil
	// Begin is a new world's first instant; zero: within the scheme's hours (Beginning).
	Begin time.Time
	// Waking has a new world begin within a kiosk's hours too, where the scheme has none (badge).
	Waking bool
	// Background makes every person's card once the doors are open and not at first touch.
	Background bool
	// Unheard has the server as production has it: no trace of its requests, no faults to switch
	// on. For measuring.
	Unheard bool
	// KioskReader and ClinicReader, where not nil, are real readers that stand in place of the
	// world's own chips.
	KioskReader, ClinicReader reader.Source
	Log                       *slog.Logger // nil: nothing is logged
	// Tell hears of each step of starting up, as the key of a text and its parameters.
	Tell func(key string, params map[string]string)

	keeper *keeper // of a world that Keep runs
}

// World is a sandbox that stands: serving once Run is called.
type World struct {
	Scheme *scheme.Scheme
	Clock  *Clock
	Bureau *bureau.Bureau
	Maker  *maker.Factory
	Server *server.Server
	Phones *phones.Phones
	Chips  *field.Field
	Faults *fault.Board
	Trace  *trace.Ring // what passed lately
	Places desk.Places

	config   Config
	folder   folder.Folder
	handsets folder.Folder
	doors    []door
	desk     *desk.Desk
	bank     *bank.Bank
	jump     sync.Mutex // of the time machine
}

// kept is the file in which a world remembers what cannot change.
type kept struct {
	Scheme string   `json:"scheme"`
	Ports  []string `json:"ports"` // addresses to listen on, in the order of doorNames
}

const keptName = "world.json"

// Open makes or reopens the world in the folder and listens at its doors, but serves
// nothing yet. Errors: "world-ports" for other ports than an old world's,
// "world-port-taken", "world-damaged".
func Open(ctx context.Context, c Config) (*World, error) {
	if c.Real == nil {
		c.Real = warifu.SystemClock{}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tell == nil {
		c.Tell = func(string, map[string]string) {}
	}
	w := &World{config: c}
	for _, step := range []func(context.Context) error{w.openFolder, w.openClock, w.openParties, w.keepFresh, w.openServer, w.openPhones, w.openFronts} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// openFolder reads or writes what cannot change and listens.
func (w *World) openFolder(ctx context.Context) (err error) {
	if w.folder, err = folder.Open(w.config.Dir); err != nil {
		return err
	}
	if err := finishLoading(w.config.Dir); err != nil {
		return err
	}
	var k kept
	there, err := w.folder.ReadJSON(keptName, &k)
	if err != nil {
		return err
	}
	if !there {
		k = w.config.fresh()
	}
	longer, err := k.lengthen()
	if err != nil {
		return err
	}
	if there && w.config.Port != 0 && k.Ports[0] != loopback(w.config.Port) {
		return warifu.Conflict("world-ports", "ports", k.Ports[0])
	}
	if w.Scheme, err = scheme.Shipped(k.Scheme); err != nil {
		return err
	}
	if w.doors, err = listen(ctx, k.Ports); err != nil {
		return err
	}
	for i := range w.doors {
		k.Ports[i] = w.doors[i].listener.Addr().String()
	}
	w.Places = placesAt(w.doors)
	if there && !longer {
		return nil
	}
	return w.folder.WriteJSON(keptName, k)
}

func (w *World) openClock(context.Context) (err error) {
	begin := w.config.Begin
	if begin.IsZero() {
		due := w.Scheme.Hours.Due
		if w.config.Waking {
			due = func(complete time.Time) time.Time {
				if kiosk.Hours(complete) != nil {
					return complete.Add(time.Minute)
				}
				return w.Scheme.Hours.Due(complete)
			}
		}
		begin = Beginning(due, w.config.Real.Now())
	}
	if w.Clock, err = OpenClock(w.folder, w.config.Real, begin); err != nil {
		return err
	}
	w.Trace = trace.New(w.Clock)
	w.Faults, err = fault.Open(w.folder, w.Clock)
	return err
}

// openParties opens who stands outside the server: card bureau and makers. The
// ceremony that makes the server's keys goes on beside them, since all make RSA keys.
func (w *World) openParties(context.Context) error {
	w.config.Tell("world.keys", nil)
	var ceremony error
	var wait sync.WaitGroup
	wait.Go(func() { ceremony = w.ceremony() })
	err := w.openBureau()
	wait.Wait()
	if err = errors.Join(err, ceremony); err != nil {
		return err
	}
	if err = w.believeReports(); err != nil {
		return err
	}
	return w.openMaker()
}

func (w *World) openBureau() (err error) {
	w.Bureau, err = bureau.Open(bureau.Config{Dir: w.path("bureau"), Clock: w.Clock, BaseURL: w.Places.Desk + bureauPrefix})
	return err
}

// path is a place in the world's folder.
func (w *World) path(names ...string) string {
	return filepath.Join(append([]string{w.config.Dir}, names...)...)
}

// Close closes what Open opened; Run does it by itself.
func (w *World) Close() error {
	var failed []error
	for _, d := range w.doors {
		failed = append(failed, d.close())
	}
	w.doors = nil
	if w.Bureau != nil {
		failed = append(failed, w.Bureau.Close())
		w.Bureau = nil
	}
	if w.Server != nil {
		failed = append(failed, w.Server.Close())
		w.Server = nil
	}
	return errors.Join(failed...)
}
