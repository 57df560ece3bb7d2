// Package lifetest has no code of its own: its test drives the whole life of credentials
// through a house of internal/housetest, at random and for as long as one likes, and holds
// it against a plain model after every step.
//
// People with several phones apply, personalize, lose, break, sell and reset them; cards
// are suspended, revoked, renewed, outlive their day; people move, marry, die, turn
// fifteen; operators answer the hotline; messages are lost, doubled and forged, the server
// crashes between any two exchanges and its transactions are cut at any statement; the
// clock jumps by hours and by years. The registration authority, the certification
// authorities, the site, the responders, the lists and the chips are the real ones.
//
// The model (oracle_…_test.go) is written from docs/requirements (K5, K9, K10, K14, K15,
// K18 and the R-numbers cited there) and never looks at the product's tables of transitions
// and holds; a test proves that by reading the sources.
//
// WARIFU_SOAK=1 walks a hundred thousand steps. A failing walk is repeated with the flag
// that rapid prints (docs/developers.md).
package lifetest
