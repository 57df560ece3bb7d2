// Package party examines a relying party: it plays the OpenID provider, honest and
// hostile, and a browser in front of the relying party, and looks who was let in.
//
// The provider has the paths and the answers of this project's own (docs/relying-party.md),
// with keys of its own, and lives for one examination. A case changes one thing of what it
// says: a claim, a key, a header, a parameter of the answer. Each case has a browser of its
// own, with nothing in its cookie jar. Who is logged in is asked of the relying party itself
// (Config.Who), and never taken from what it sent to the provider.
//
// A case that expects a refusal says so only after it has seen that the relying party came
// as far as the thing that was wrong; otherwise it is unclear.
package party
