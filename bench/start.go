package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// idle is warifud's memory a minute after its start, with nothing asked of it.
func idle(ctx context.Context, b *bench) ([]Row, error) {
	at := b.site("idle", "jp-mobile")
	at.serve = nil
	h, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	defer h.close()
	if err := h.begin(ctx, at); err != nil {
		return nil, err
	}
	began := time.Now()
	if err := b.peer(ctx); err != nil { // the compiler uses the minute
		return nil, err
	}
	select {
	case <-time.After(time.Minute - time.Since(began)):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	resident, err := h.server.memory()
	return []Row{plain("warifud, resident a minute after its start", resident, "MiB").below(60)}, err
}

// starts is how many new worlds are begun: their RSA keys take longer or shorter by luck.
const starts = 5

// demo is how long until the first page stands, of a world that is made and of one
// that is there.
func demo(ctx context.Context, b *bench) ([]Row, error) {
	var first, second []time.Duration
	for i := range starts {
		dir := filepath.Join(b.dir, "demo-"+strconv.Itoa(i))
		for _, all := range []*[]time.Duration{&first, &second} {
			took, err := b.firstPage(ctx, dir)
			if err != nil {
				return nil, err
			}
			*all = append(*all, took)
		}
	}
	return []Row{
		plain("demo: first page of a new world, median of 5", seconds(percentile(first, 50)), "s").below(3),
		plain("demo: first page of a new world, worst of 5", seconds(slices.Max(first)), "s").below(3),
		plain("demo: first page at the second start, worst of 5", seconds(slices.Max(second)), "s").below(3),
	}, nil
}

// firstPage starts `warifu demo` and waits for the page to start from.
func (b *bench) firstPage(ctx context.Context, dir string) (time.Duration, error) {
	began := time.Now()
	p, err := start(filepath.Join(b.bin, "warifu"), "demo", "--dir", dir, "--port", demoPort, "--headless")
	if err != nil {
		return 0, err
	}
	defer func() { _ = p.stop() }()
	port, err := strconv.Atoi(demoPort)
	if err != nil {
		return 0, err
	}
	if err := await(ctx, http.DefaultClient, fmt.Sprintf("http://127.0.0.1:%d/", port+1)); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, p.said())
	}
	took := time.Since(began)
	return took, b.looksLikeAPage(ctx, port+1)
}

const demoPort = "24400"

func (b *bench) looksLikeAPage(ctx context.Context, port int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err == nil && !strings.Contains(string(page), "<html") {
		err = fmt.Errorf("port %d shows no page", port)
	}
	return err
}
