package doorway

import (
	"context"
	"net/http"
	"sync"
)

type endingKey struct{}

// Endable has a site tell the requests under way that it is about to end, so that a stream
// that would last for ever ends by itself (Ending). Call it before the site serves.
func Endable(s *http.Server) {
	ended, once := make(chan struct{}), sync.Once{}
	s.RegisterOnShutdown(func() { once.Do(func() { close(ended) }) })
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), endingKey{}, (<-chan struct{})(ended))))
	})
}

// Ending is closed when the site that a request came to is about to end; nil, which never
// closes, where Endable was not asked.
func Ending(ctx context.Context) <-chan struct{} {
	ended, _ := ctx.Value(endingKey{}).(<-chan struct{})
	return ended
}
