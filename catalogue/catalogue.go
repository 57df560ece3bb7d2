package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"warifu"
)

// Catalogue answers from memory and changes through its storage.
type Catalogue struct {
	storage    Storage
	clock      warifu.Clock
	minimumApp int // of the scheme (R20)

	index    atomic.Pointer[index]
	changing sync.Mutex // one change at a time; readers never wait
}

// New reads the catalogue from storage. minimumApp is the scheme's MinimumAppVersion.
// An empty storage makes an empty catalogue: nothing is eligible until models are
// imported (Samples and Replace, or Import).
func New(ctx context.Context, storage Storage, clock warifu.Clock, minimumApp int) (*Catalogue, error) {
	c := &Catalogue{storage: storage, clock: clock, minimumApp: minimumApp}
	return c, c.Reload(ctx)
}

// Reload reads what other processes wrote.
func (c *Catalogue) Reload(ctx context.Context) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	return c.reload(ctx)
}

func (c *Catalogue) reload(ctx context.Context) error {
	rows, err := c.storage.Models(ctx)
	if err != nil {
		return err
	}
	models := make([]Model, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal(r.JSON, &models[i]); err != nil {
			return fmt.Errorf("catalogue row %q: %w", r.ID, err)
		}
	}
	waiting, err := c.storage.Submissions(ctx, Open)
	if err != nil {
		return err
	}
	pending := make(map[string]bool, len(waiting))
	for _, b := range waiting {
		pending[key(b.Model.ID)] = true
	}
	x, err := newIndex(models, pending)
	if err != nil {
		return err
	}
	c.index.Store(x)
	return nil
}

// Replace makes the catalogue exactly these models, or leaves it as it was. Errors:
// Invalid "model-invalid", Conflict "model-twice", TooLarge "catalogue-too-large".
func (c *Catalogue) Replace(ctx context.Context, models []Model, actor string) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	before := c.index.Load()
	models = slices.Clone(models)
	for i := range models {
		if old, known := before.find(models[i].ID); known {
			models[i].Earlier = old.recordsWith(models[i].Verification)
		}
	}
	x, err := newIndex(models, before.pending)
	if err != nil {
		return err
	}
	now := c.clock.Now()
	rows := make([]Row, len(x.models))
	for i, m := range x.models {
		if rows[i], err = rowOf(m, now); err != nil {
			return err
		}
	}
	why := Change{now, actor, "import", map[string]string{"models": strconv.Itoa(len(models))}}
	if err := c.storage.Replace(ctx, rows, why); err != nil {
		return err
	}
	c.index.Store(x)
	return nil
}

func rowOf(m Model, at time.Time) (Row, error) {
	b, err := json.Marshal(m)
	return Row{ID: m.ID, JSON: b, Revised: at}, err
}

// Eligible returns nil when a device may carry certificates, else the one reason that
// comes first, each under its own slug: device-unknown, device-iphone (K4),
// device-no-secure-element (R14), device-global-model (R13), device-not-verified (R17),
// device-verification-failed, device-listed-later, device-os-update (R19), app-too-old
// (R20); device-malformed for what no phone reports.
func (c *Catalogue) Eligible(model, osBuild string, appVersion int) error {
	return c.index.Load().eligible(Device{model, osBuild, appVersion}, DateOf(c.clock.Now()), c.minimumApp)
}

// Banner says what the app's top screen shows the device (R21, R22).
func (c *Catalogue) Banner(model, osBuild string, appVersion int) Banner {
	return banner(c.Eligible(model, osBuild, appVersion))
}

// Model returns a model by what the phone calls itself; NotFound "model-unknown".
func (c *Catalogue) Model(id string) (Model, error) {
	m, ok := c.index.Load().find(id)
	if !ok {
		return Model{}, warifu.NotFound("model-unknown", "model", id)
	}
	return m, nil
}

// Refusal returns why a model is not on today's public list, nil when it is.
func (c *Catalogue) Refusal(m Model) error { return m.unfit(DateOf(c.clock.Now())) }

// Len returns the number of models, the refused ones included.
func (c *Catalogue) Len() int { return len(c.index.Load().models) }

// All returns every model, the refused ones included, by maker, name and identifier.
func (c *Catalogue) All() []Model { return append([]Model(nil), c.index.Load().models...) }

// Search returns up to limit models whose identifier, maker and names contain every
// word of text, blind to case and width.
func (c *Catalogue) Search(text string, limit int) []Model { return c.index.Load().search(text, limit) }

// List returns the public list as of a day (R16); the empty day is today.
func (c *Catalogue) List(day Date) List {
	if day == "" {
		day = DateOf(c.clock.Now())
	}
	return c.index.Load().list(day)
}
