package phone

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"warifu"
)

// maxEventLine bounds one line of the stream of notices.
const maxEventLine = 4 << 10

// Notices listens for notices to this phone (R42) and hands each application's
// identifier to told, until ctx ends (nil) or the server hangs up (an error: listen
// again). A notice carries nothing but the identifier. began, where not nil, is
// called once the server has answered, so that nothing is missed after.
func (a *App) Notices(ctx context.Context, began func(), told func(application string)) error {
	path := "/api/v1/notices/" + a.Device.Element.String() + "/events"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Server.base.String()+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "text/event-stream")
	endless := *a.Server.client
	endless.Timeout = 0
	response, err := endless.Do(request)
	if err != nil {
		return a.notReached(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		return ParseProblem(response.StatusCode, body)
	}
	if began != nil {
		began()
	}
	return a.notReached(ctx, readEvents(response.Body, told))
}

// AllowNotices keeps whether the holder wants notices shown; without them the app's menu tells
// where an application stands (R43).
func (a *App) AllowNotices(allowed bool) error {
	return a.remember(func(s *State) { s.Quiet = !allowed })
}

// notReached keeps the end of ctx from looking like a failure.
func (a *App) notReached(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return warifu.Unavailable("server-unreachable", "server", a.Server.Origin()).With(err)
}

// readEvents reads server-sent events (WHATWG HTML §9.2): data lines up to an empty
// line make one event; comments and other fields are skipped.
func readEvents(r io.Reader, told func(string)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxEventLine), maxEventLine)
	var data []string
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if len(data) > 0 {
				told(strings.Join(data, "\n"))
			}
			data = nil
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		if field == "data" && len(data) < 16 {
			data = append(data, strings.TrimPrefix(value, " "))
		}
	}
	return errors.Join(lines.Err(), io.EOF)
}
