// Package fault makes a world go wrong on purpose, so that whoever builds against it sees
// what their software does then: the status service is silent, a notice is lost, the
// issuer is slow, an answer is signed by a stranger, the provider's clock is off. A fault
// is a switch of the whole world, for ever or for the next so many times, or a header of
// one request ("Warifu-Fault: ocsp-silent"). Nothing here is left to chance.
//
// It stands around the server (server.Faults) and knows nothing inside it. Production has
// no such door.
package fault
