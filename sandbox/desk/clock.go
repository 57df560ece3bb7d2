package desk

import (
	"context"
	"net/http"
	"time"

	"warifu"
	"warifu/sandbox/doorway"
)

// Time is the world's time; it is also how the world's clock is moved: To an instant
// (RFC 3339) or Forward by a duration ("2h30m"), one of the two.
type Time struct {
	Now     time.Time `json:"now,omitzero"`
	To      time.Time `json:"to,omitzero"`
	Forward string    `json:"forward,omitempty"`
}

func (d *Desk) time(http.ResponseWriter, *http.Request) (any, error) {
	return Time{Now: d.config.Clock.Now().In(d.config.Scheme.Hours.Zone)}, nil
}

func (d *Desk) moveTime(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Time
	if err := doorway.Read(w, r, doorway.MaxBody, &in); err != nil {
		return nil, err
	}
	if err := d.move(r.Context(), in); err != nil {
		return nil, err
	}
	return d.time(w, r)
}

func (d *Desk) move(ctx context.Context, in Time) error {
	if in.Forward != "" {
		by, err := time.ParseDuration(in.Forward)
		if err != nil {
			return warifu.Invalid("clock-malformed")
		}
		in.To = d.config.Clock.Now().Add(by)
	}
	if in.To.IsZero() {
		return warifu.Invalid("clock-malformed")
	}
	return d.config.Clock.To(ctx, in.To)
}

// moveTimeByForm is the page's door to the same; the field has no zone: it is the scheme's.
func (d *Desk) moveTimeByForm(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, doorway.MaxBody)
	to, err := time.ParseInLocation("2006-01-02T15:04", r.FormValue("to"), d.config.Scheme.Hours.Zone)
	if err != nil {
		err = warifu.Invalid("clock-malformed")
	} else {
		err = d.config.Clock.To(r.Context(), to)
	}
	if err != nil {
		d.draw(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
