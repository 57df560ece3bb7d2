package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Follow takes the card bureau's signed events and returns the number of the event
// waited for next.
type Follow func(ctx context.Context, envelopes [][]byte) (next int64, err error)

type cardEventsInput struct {
	Body struct {
		Events []octets `json:"events" maxItems:"256" doc:"Signed events of the card bureau, in any order and as often as need be"`
		Newest int64    `json:"newest,omitempty" minimum:"0" doc:"The bureau's newest number"`
	}
}

type cardEventsOutput struct {
	Body struct {
		Next int64 `json:"next" doc:"Number of the event waited for next; what comes before it was followed"`
	}
}

// cardEvents serves the door by which the card bureau pushes. It needs no other key
// than the bureau's signature on each event.
func (s *site) cardEvents(api huma.API) {
	register(s, api, http.MethodPost, "/api/v1/card-events", "card-events", "Hand in events of the card bureau", http.StatusOK, s.followCard)
}

func (s *site) followCard(ctx context.Context, in *cardEventsInput) (*cardEventsOutput, error) {
	envelopes := make([][]byte, len(in.Body.Events))
	for i, e := range in.Body.Events {
		envelopes[i] = e
	}
	next, err := s.Follow(ctx, envelopes)
	if err != nil {
		return nil, err
	}
	out := &cardEventsOutput{}
	out.Body.Next = next
	return out, nil
}
