package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // to look at the server's database from outside

	"warifu/phone"
)

// each calls do for 0 to n−1 from as many goroutines as there are connections and
// returns the first error.
func each(n int, do func(int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for range min(n, connections) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// post sends a JSON body and returns the answer's, which must have the status.
func post(ctx context.Context, client *http.Client, url string, body []byte, status int) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != status {
		err = fmt.Errorf("%s: %s: %.400s", url, response.Status, answer)
	}
	return answer, err
}

// submit hands an application in.
func (h *house) submit(ctx context.Context, a *applicant) error {
	answer, err := post(ctx, h.client, h.origin+"/api/v1/applications", a.body, http.StatusAccepted)
	if err != nil {
		return err
	}
	var out phone.Application
	if err := json.Unmarshal(answer, &out); err != nil {
		return err
	}
	a.id = out.ID
	return a.app.Storage.Save([]byte(`{"application":"` + a.id + `"}`))
}

// books are the server's database, read from outside.
type books struct{ db *sql.DB }

func (h *house) books() (books, error) {
	db, err := sql.Open("sqlite", "file:"+h.database()+"?mode=ro&_pragma=busy_timeout(5000)")
	return books{db}, err
}

// settled waits until n credentials are recorded and no job is left.
func (b books) settled(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	for {
		var recorded, jobs int
		err := b.db.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM credentials), (SELECT COUNT(*) FROM jobs)`).Scan(&recorded, &jobs)
		switch {
		case err != nil:
			return err
		case recorded >= n && jobs == 0:
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d of %d certificates recorded, %d jobs left", recorded, n, jobs), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}
