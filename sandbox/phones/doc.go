// Package phones is where the sandbox's phones lie: each a handset with the app on
// it, worked by its screens or by a JSON API that does the same. It taps cards
// on phones, carries what a person types to the app, and decides nothing itself.
//
// An application that is filled in at the screens is a walk: one a phone, in memory, cleared
// when it is given up or left lying. What a phone does behind a screen is its work: one at a
// time, with progress. Every open screen of a phone hears GET /phones/{id}/events; the events
// are told of in events.go.
package phones
