// Package trace keeps what has passed between chips, phones, services and the server of a
// world lately: APDUs and HTTP requests, in the order in which they happened, grouped by the
// step that brought them about ("phone-1 registers"). It is what the desk's trace page and
// `warifu trace` show.
//
// Nothing that is secret or personal is ever kept: of an APDU the first five octets, the
// lengths and the status word (iso7816.Redact), of a request its method, its path with every
// long segment cut, its status and the slug of a refusal. No body, no query, no header.
package trace
