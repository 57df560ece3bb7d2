package clinic

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"warifu/face"
	"warifu/sandbox/doorway"
	"warifu/sandbox/insurer"
	"warifu/sandbox/person"
)

// Bounds of what waits for the staff: as long as somebody may sit in the waiting room, and
// no more than fits a screen.
const (
	waitsFor = 30 * time.Minute
	maxDesk  = 20
)

// received is an answer as the staff see it: the reader tells the person only what to do next.
type received struct {
	Number int
	At     time.Time
	View   View
}

// receive hands an answer to the staff. The reader itself forgets it with the visit.
func (c *Clinic) receive(v View) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	c.desk = append(c.desk, received{c.count, c.config.Clock.Now(), v})
	if len(c.desk) > maxDesk {
		c.desk = slices.Delete(c.desk, 0, len(c.desk)-maxDesk)
	}
}

// waiting lists what the staff have not taken over, the newest first.
func (c *Clinic) waiting() []received {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Clock.Now()
	c.desk = slices.DeleteFunc(c.desk, func(r received) bool { return now.Sub(r.At) > waitsFor })
	out := slices.Clone(c.desk)
	slices.Reverse(out)
	return out
}

// taken says that the staff have an answer in their own records.
func (c *Clinic) taken(number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.desk = slices.DeleteFunc(c.desk, func(r received) bool { return r.Number == number })
}

var staffPage = face.Terminal("clinic/staff")

// Fine says whether the clinic may go on.
func (r received) Fine() bool { return fine(r.View) }

// Picture goes with it.
func (r received) Picture() string {
	if r.Fine() {
		return "good"
	}
	return ""
}

// Age is how old the status is by which a provisional answer was given.
func (r received) Age() age { return ageOf(r.View.StatusAge) }

func fine(v View) bool { return v.State == insurer.Insured || v.State == insurer.Changed }

type staffData struct {
	Line     bool
	Received []received
}

// Day reads a day as the insurers write it, "2006-01-02".
func (staffData) Day(day string) (time.Time, error) {
	return time.ParseInLocation(time.DateOnly, day, person.Tokyo)
}

func (c *Clinic) staffRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /staff", func(w http.ResponseWriter, r *http.Request) {
		doorway.Show(w, r, staffPage, "clinic.staff", staffData{c.line(), c.waiting()}, nil)
	})
	mux.HandleFunc("POST /staff/taken", func(w http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(r.FormValue("number")) // none has number zero
		c.taken(number)
		http.Redirect(w, r, "/staff", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /line", func(w http.ResponseWriter, r *http.Request) {
		c.Cut(r.FormValue("line") == "cut")
		http.Redirect(w, r, "/staff", http.StatusSeeOther)
	})
}
