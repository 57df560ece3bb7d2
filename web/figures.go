package web

import (
	"context"
	"time"

	"warifu/registration"
)

// Overseen is what auditors and registrars look at: how the service is doing, and why
// something is as it is. It tells nothing about a person but the card bureau's opaque handle.
type Overseen interface {
	Figures(context.Context) (Figures, error)
	Causes(ctx context.Context, subject string) ([]registration.Cause, error)
}

// Figures are how the service is doing at an instant. Counts by the hour have every hour, also
// those in which nothing happened.
type Figures struct {
	At       time.Time    `json:"at"`
	Promise  Promise      `json:"promise"`
	Hours    []Hour       `json:"hours"`    // the last 24, the present one last
	Days     []Count      `json:"days"`     // issued by the day, the last 14
	Answers  []Answers    `json:"answers"`  // status questions, minute by minute
	Refusals []Named      `json:"refusals"` // requests refused since the server began, by problem
	Rejected []Named      `json:"rejected"` // applications rejected, by problem
	Visible  []Visibility `json:"visible"`  // the last suspensions and revocations
	Packing  []Packing    `json:"packing"`  // lists and packs as they stand
}

// Promise is K1's: what is complete by the cut-off is issued by closing time.
type Promise struct {
	Opens    time.Time `json:"opens"`
	CutOff   time.Time `json:"cutOff"`
	Closes   time.Time `json:"closes"` // zero: never
	Complete []Count   `json:"complete"`
	Issued   []Count   `json:"issued"`
	Waiting  int64     `json:"waiting"`       // due by now and not issued
	Rate     float64   `json:"ratePerSecond"` // as measured
	Finish   time.Time `json:"finish"`        // of what waits; zero: never
	Late     bool      `json:"late"`
}

// Count is a number of a stretch of time that begins at From.
type Count struct {
	From  time.Time `json:"from"`
	Count int64     `json:"count"`
}

// Hour is an hour's applications.
type Hour struct {
	From     time.Time     `json:"from"`
	Complete int64         `json:"complete"`
	Issued   int64         `json:"issued"`
	Mean     time.Duration `json:"meanWaitNanoseconds"` // from when they were due to when they were issued
	Longest  time.Duration `json:"longestWaitNanoseconds"`
}

// Answers are the status questions answered in a stretch of time that ends at To, by answer:
// "good", "revoked", "unknown".
type Answers struct {
	To     time.Time        `json:"to"`
	Counts map[string]int64 `json:"counts"`
}

// Named is a count of something that has a name.
type Named struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Visibility is how long after a certificate was stopped the world could know: by a status
// answer, and on the revocation list. Negative: not yet.
type Visibility struct {
	At     time.Time     `json:"at"`
	Answer time.Duration `json:"answerNanoseconds"`
	List   time.Duration `json:"listNanoseconds"`
}

// Packing is how a list or an offline pack of an authority stands.
type Packing struct {
	Authority string    `json:"authority"`
	What      string    `json:"what"` // "list", "pack"
	Made      time.Time `json:"made"`
	Building  bool      `json:"building"`
	// How far it has come, and about how long it will still take; nought where nobody knows.
	Percent int           `json:"percent,omitempty"`
	Left    time.Duration `json:"leftNanoseconds,omitempty"`
}
