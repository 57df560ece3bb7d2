package world

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/scheme"
)

// firstPort is where a new world's block of ports begins (design §4).
const firstPort = 8400

// The places in the order of their ports.
const (
	doorServer = iota
	doorDesk
	doorPhones
	doorBank
	doorKiosk
	doorClinic
	doorTax
	doorMarketplace
	doorPortal
	doorCarrier
	doorCashless
	doorEGov
	doorRepair
	doorCount
)

// doorNames are the places as the trace names them.
var doorNames = [doorCount]string{"server", "desk", "phones", "bank", "kiosk", "clinic", "tax", "marketplace", "portal", "carrier", "cashless", "e-gov", "repair"}

// door is one listener and what answers there.
type door struct {
	listener net.Listener
	site     *http.Server // nil for the server, which serves by itself
}

func (d *door) close() error {
	if d.listener == nil {
		return nil
	}
	err := d.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// fresh is what a new world keeps: its scheme and its addresses.
func (c Config) fresh() kept {
	k := kept{Scheme: cmp.Or(c.Scheme, scheme.Names[0])}
	first := cmp.Or(c.Port, firstPort)
	for i := range doorCount {
		if c.AnyPort {
			k.Ports = append(k.Ports, loopback(0))
		} else {
			k.Ports = append(k.Ports, loopback(first+i))
		}
	}
	return k
}

// lengthen gives a world from when fewer places stood addresses for the others, behind
// those it has, and says whether it did.
func (k *kept) lengthen() (bool, error) {
	if len(k.Ports) == 0 || len(k.Ports) >= doorCount {
		return false, nil
	}
	_, port, err := net.SplitHostPort(k.Ports[0])
	if err != nil {
		return false, warifu.Unavailable("world-damaged", "file", keptName).With(err)
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return false, warifu.Unavailable("world-damaged", "file", keptName).With(err)
	}
	for i := len(k.Ports); i < doorCount; i++ {
		k.Ports = append(k.Ports, loopback(first+i))
	}
	return true, nil
}

// listen opens every address, or none: "world-port-taken" names the first that is not free.
func listen(ctx context.Context, addresses []string) ([]door, error) {
	if len(addresses) != doorCount {
		return nil, warifu.Unavailable("world-damaged", "file", keptName)
	}
	var doors []door
	for _, a := range addresses {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a)
		if err != nil {
			for _, d := range doors {
				_ = d.close()
			}
			return nil, warifu.Conflict("world-port-taken", "address", a).With(err)
		}
		doors = append(doors, door{listener: l})
	}
	return doors, nil
}

func placesAt(doors []door) desk.Places {
	at := func(i int) string { return "http://" + doors[i].listener.Addr().String() }
	places := desk.Places{Server: at(doorServer), Desk: at(doorDesk), Phones: at(doorPhones), Bank: at(doorBank)}
	for _, f := range fronts {
		*f.place(&places) = at(f.door)
	}
	return places
}

// put says what answers at a door, guarded.
func (w *World) put(i int, handler http.Handler) {
	d := &w.doors[i]
	d.site = &http.Server{
		Handler:           doorway.Guard(doorway.Setting(doorway.Guided(w.Trace.Begins(doorNames[i], handler), doorNames[i], w.desk.Guide), w.Places.Server+"/lost"), doorway.LoopbackHosts(d.listener.Addr())...),
		ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(w.config.Log.Handler(), slog.LevelDebug),
	}
	doorway.Endable(d.site)
}

// Run serves until ctx ends, then stops gracefully and closes the world. ready, where
// not nil, is called once every door is open and the world is furnished.
func (w *World) Run(ctx context.Context, ready func() error) error {
	serving, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, doorCount)
	serve := func(f func() error) {
		go func() {
			err := f()
			if errors.Is(err, http.ErrServerClosed) {
				err = nil
			}
			ended <- err
			stop()
		}()
	}
	serve(func() error { return w.Server.Run(serving) })
	for i := range w.doors {
		if d := w.doors[i]; d.site != nil {
			serve(func() error { return d.site.Serve(d.listener) })
		}
	}
	pushed := make(chan error, 1)
	go func() { pushed <- w.push(serving) }()
	failed := w.furnish()
	if failed == nil && ready != nil {
		failed = ready()
	}
	if failed == nil && w.config.Background {
		w.Bureau.IssueInBackground()
	}
	if failed != nil {
		stop()
	}
	<-serving.Done()
	if err := <-pushed; ctx.Err() == nil {
		failed = errors.Join(failed, err)
	}
	return errors.Join(failed, w.stop(ctx, ended))
}

// stop lets requests under way end, the server's own among them, and closes the world.
func (w *World) stop(ctx context.Context, ended <-chan error) error {
	// Connections our own clients dialled and never used would be waited for.
	http.DefaultClient.CloseIdleConnections()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	var failed []error
	for i := range w.doors {
		if site := w.doors[i].site; site != nil {
			failed = append(failed, site.Shutdown(grace))
		}
	}
	for range doorCount {
		failed = append(failed, <-ended)
	}
	w.Server = nil // Run has closed it
	return errors.Join(append(failed, w.Close())...)
}
