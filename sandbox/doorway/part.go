package doorway

import (
	"io"
	"net/http"

	"warifu"
)

// Part reads one uploaded file of a form, at most limit octets. Errors:
// "sandbox-request-malformed" where there is none, "sandbox-request-too-large".
func Part(r *http.Request, name string, limit int64) ([]byte, error) {
	file, _, err := r.FormFile(name)
	if err != nil {
		return nil, readError(err)
	}
	defer file.Close()
	octets, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(octets)) > limit {
		err = warifu.TooLarge("sandbox-request-too-large")
	}
	return octets, err
}
