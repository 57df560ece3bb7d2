// Package notify tells a phone that something waits for it (R42), and says nothing
// else: a Notice is an application's identifier, which opens nothing by itself, and its
// type has room for no more. Two ways lead to the phone: server-sent events, on by
// default, over a stream the phone keeps open; and web push (RFC 8030, 8291, 8292) for
// phones that gave a subscription. Whoever forbids both looks the state up (R43): a
// notice is a courtesy, so losing one loses nothing that was accepted.
//
// The package keeps nothing. What is still to be fetched (Waiting) and where a phone can
// be reached (Subscriptions) are small interfaces that whoever wires a server answers
// from the store.
package notify
