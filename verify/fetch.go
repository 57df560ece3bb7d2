package verify

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu"
)

const fetchTimeout = 10 * time.Second

// defaultClient follows no redirect: a certificate names an address, and what that
// address points to was named by nobody.
var defaultClient = &http.Client{
	Timeout:       fetchTimeout,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// pick returns the address to ask: the caller's, or the certificate's only http one.
func pick(fixed string, named []string) (string, error) {
	if fixed != "" {
		return fixed, nil
	}
	for _, address := range named {
		if u, err := url.Parse(address); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil {
			return address, nil
		}
	}
	return "", warifu.Unavailable("status-address-absent")
}

// fetch does the request and returns a body of at most limit octets and the wanted type.
func fetch(client *http.Client, request *http.Request, mediaType string, limit int64) ([]byte, error) {
	if client == nil {
		client = defaultClient
	}
	unavailable := warifu.Unavailable("status-unavailable")
	response, err := client.Do(request)
	if err != nil {
		return nil, unavailable.With(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	if response.StatusCode != http.StatusOK || strings.TrimSpace(got) != mediaType {
		return nil, warifu.Unavailable("status-unavailable", "http", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, unavailable.With(err)
	}
	if int64(len(body)) > limit {
		return nil, warifu.TooLarge("status-answer-too-large")
	}
	return body, nil
}
