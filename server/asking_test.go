package server_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"warifu/server"
)

func TestQuestionsAskedTogetherGoInOneRequest(t *testing.T) {
	var mu sync.Mutex
	var requests [][][]byte
	ask := server.NewAsking(func(_ context.Context, serials [][]byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		requests = append(requests, serials)
		return slices.Concat(serials...), nil
	})
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			answer, others, err := ask(t.Context(), []byte{byte(i)})
			if err != nil || !slices.Contains(answer, byte(i)) || others != len(answer)-1 {
				t.Errorf("%d: %v, %d others, %v", i, answer, others, err)
			}
		})
	}
	all.Wait()
	seen := 0
	for _, r := range requests {
		seen += len(r)
		if len(r) > 16 {
			t.Errorf("%d in one request", len(r))
		}
	}
	if seen != 100 {
		t.Errorf("%d of 100 asked", seen)
	}
	if len(requests) == 100 {
		t.Error("each went alone")
	}
}

func TestWhoGivesUpTakesNobodyWithThem(t *testing.T) {
	failed := errors.New("no line")
	release := make(chan struct{})
	ask := server.NewAsking(func(ctx context.Context, _ [][]byte) ([]byte, error) {
		<-release
		return nil, errors.Join(failed, ctx.Err())
	})
	given, giveUp := context.WithCancel(t.Context())
	giveUp()
	if _, _, err := ask(given, []byte{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(release)
	if _, _, err := ask(t.Context(), []byte{2}); !errors.Is(err, failed) || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
