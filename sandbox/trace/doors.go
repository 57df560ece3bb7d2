package trace

import "strings"

// doors are the server's, by the pieces of their paths: the first that fits says what a
// request is. "*" stands for one segment.
var doors = []struct{ method, path, means string }{
	{"POST", "/api/v1/challenges", "challenge"},
	{"POST", "/api/v1/applications", "apply"},
	{"GET", "/api/v1/applications/*", "application"},
	{"GET", "/api/v1/applications/*/credentials", "credentials"},
	{"POST", "/api/v1/applications/*/withdrawal", "withdraw"},
	{"POST", "/api/v1/applications/*/sessions", "session"},
	{"POST", "/api/v1/sessions/*", "exchange"},
	{"GET", "/api/v1/elements/*/ledger", "ledger"},
	{"POST", "/api/v1/elements/*/challenges", "element-challenge"},
	{"POST", "/api/v1/elements/*/orders", "order"},
	{"GET", "/api/v1/elements/*/tickets", "tickets"},
	{"", "/api/v1/elements/**", "element"},
	{"POST", "/api/v1/orders/challenges", "card-challenge"},
	{"POST", "/api/v1/orders", "card-order"},
	{"POST", "/api/v1/suspensions", "suspension"},
	{"POST", "/api/v1/clean-proofs/**", "clean-proof"},
	{"", "/api/v1/devices/**", "devices"},
	{"", "/api/v1/verifications/**", "verification"},
	{"", "/api/v1/webhooks/**", "webhook"},
	{"POST", "/api/v1/card-events", "card-events"},
	{"GET", "/api/v1/logins/*", "login-question"},
	{"", "/api/v1/logins/**", "login-answer"},
	{"", "/api/v1/hotline/**", "hotline"},
	{"", "/ocsp/**", "ocsp"},
	{"", "/crl/**", "crl"},
	{"", "/ca/**", "ca"},
	{"POST", "/tsa", "tsa"},
	{"GET", "/login/**", "login-page"},
	{"POST", "/login/**", "login-page"},
	{"GET", "/l/**", "login-page"},
	{"", "/api/realms/*/protocol/openid-connect/token", "token"},
	{"", "/api/realms/*/protocol/openid-connect/userinfo", "userinfo"},
	{"", "/api/realms/*/protocol/openid-connect/certs", "certs"},
	{"", "/api/realms/*/protocol/openid-connect/auth", "auth"},
	{"", "/api/realms/**", "provider"},
	{"", "/.well-known/**", "provider"},
	{"", "/api/sign-transactions/**", "sign-transaction"},
}

// DoorMeaning is the key of a sentence that says what a request to the server is.
func DoorMeaning(method, path string) string {
	for _, d := range doors {
		if (d.method == "" || d.method == method) && fits(d.path, path) {
			return "trace.door." + d.means
		}
	}
	return "trace.door.other"
}

// fits compares a path with a pattern: "*" is one segment, "**" at the end is any that follow,
// or none.
func fits(pattern, path string) bool {
	p, s := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, part := range p {
		if part == "**" {
			return true
		}
		if i >= len(s) || part != "*" && part != s[i] {
			return false
		}
	}
	return len(p) == len(s)
}

// steps are what people do at the places, in the same way.
var steps = []struct{ place, method, path, means string }{
	{"desk", "POST", "/chips/*/apdu", "reader"},
	{"desk", "POST", "/api/cards/*/events", "event"},
	{"desk", "POST", "/events", "event"},
	{"desk", "POST", "/persons/*/events", "event"},
	{"desk", "POST", "/api/cards/*/orders", "card-order"},
	{"desk", "POST", "/persons/*/orders", "card-order"},
	{"desk", "POST", "/orders", "card-order"},
	{"desk", "POST", "/api/cards/*/**", "card"},
	{"desk", "POST", "/persons/*/**", "card"},
	{"desk", "POST", "/counter", "card"},
	{"desk", "POST", "/api/clock", "clock"},
	{"desk", "POST", "/clock", "clock"},
	{"desk", "POST", "/reader/**", "approve-card"},
	{"desk", "POST", "/**", "desk"},
	{"desk", "GET", "/**", "look"},
	{"phones", "POST", "/api/phones/*/apply", "apply"},
	{"phones", "POST", "/phones/*/apply/**", "apply"},
	{"phones", "POST", "/api/phones/*/personalize", "personalize"},
	{"phones", "POST", "/phones/*/register/**", "personalize"},
	{"phones", "POST", "/api/phones/*/approve", "approve"},
	{"phones", "POST", "/approve/**", "approve"},
	{"phones", "POST", "/phones/*/approve/**", "approve"},
	{"phones", "POST", "/api/phones/*/sign", "sign"},
	{"phones", "POST", "/phones/*/sign", "sign"},
	{"phones", "POST", "/login", "login"},
	{"phones", "POST", "/api/phones/*/login", "login"},
	{"phones", "POST", "/api/phones/*/suspend", "order"},
	{"phones", "POST", "/api/phones/*/resume", "order"},
	{"phones", "POST", "/api/phones/*/revoke", "order"},
	{"phones", "POST", "/phones/*/order", "order"},
	{"phones", "GET", "/**", "look-phone"},
}

// StepMeaning is the key of a sentence that says what a request to a place does, and whom it
// is about: the segment behind "phones", "cards", "chips" or "persons".
func StepMeaning(place, method, path string) (key, subject string) {
	parts := strings.Split(path, "/")
	for i := range len(parts) - 1 {
		switch parts[i] {
		case "phones", "cards", "chips", "persons":
			subject = parts[i+1]
		}
	}
	for _, s := range steps {
		if s.place == place && s.method == method && fits(s.path, path) {
			return "trace.step." + s.means, subject
		}
	}
	if method == "GET" {
		return "trace.step.look", subject
	}
	return "trace.step.other", subject
}
