// Package web is the server's face to HTTP: routes, JSON, the public key
// infrastructure's own paths and plain pages. It decodes, bounds, hands on to the
// registration authority and encodes what comes back; it decides nothing.
//
// The JSON interface is described by /api/openapi.json (OpenAPI 3.1), shown at
// /api/docs. Errors are RFC 9457 problems with a stable type, in Japanese and
// English, and say what to do next. No personal attribute stands in an address.
package web
