package server

import "context"

// NewAsking is asking for tests.
func NewAsking(send func(context.Context, [][]byte) ([]byte, error)) func(context.Context, []byte) ([]byte, int, error) {
	return (&asking{send: send}).ask
}
