package registration

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"warifu"
	"warifu/provision"
	"warifu/store"
)

// Bounds of personalization sessions: they live in memory only, because a cut one
// is resumed by opening another.
const (
	maxSessions    = 10_000
	sessionLife    = 5 * time.Minute
	perApplication = 4 // a further one ends the oldest
)

// session is one secure channel on its way through the phone.
type session struct {
	mu          sync.Mutex // one exchange at a time
	script      *provision.Session
	application string
	opened      time.Time
	number      uint64 // in the order of opening
}

type sessions struct {
	mu     sync.Mutex
	open   map[string]*session
	opened uint64 // so far
}

// Exchange is one round of a session: commands for the phone to hand to its chip
// and, when nothing is left, Done, with the suspension code that is shown once.
type Exchange struct {
	Session        string
	Commands       [][]byte
	Done           bool
	SuspensionCode SuspensionCode
}

// CardProof shows that the card is there again (R45): its authentication key
// signed the presence message for this application and challenge.
type CardProof struct {
	Certificate []byte // the card's authentication certificate, DER
	Challenge   []byte // from ChallengeLength octets handed out in problem "card-proof-required"
	Signature   []byte
}

// OpenSession begins personalization (登録, R44) or resumes it after a cut. The
// application must be issued and not held; a personalized one is let in again so
// that an ACTIVATE that was cut off can be repeated. When the application is older
// than the scheme says, the card is asked again: Unauthenticated "card-proof-required".
func (a *Authority) OpenSession(ctx context.Context, id string, proof *CardProof) (Exchange, error) {
	row, held, err := a.row(ctx, id)
	if err != nil {
		return Exchange{}, err
	}
	if held && !warifu.ApplicationLife.Final(row.State) {
		return Exchange{}, warifu.Conflict("application-held")
	}
	switch row.State {
	case warifu.ApplicationIssued:
		if err := a.mayFetch(ctx, row, proof); err != nil {
			return Exchange{}, err
		}
	case warifu.ApplicationPersonalized:
	default:
		return Exchange{}, warifu.Conflict("application-not-issued", "state", string(row.State))
	}
	script, err := a.script(ctx, row)
	if err != nil {
		return Exchange{}, err
	}
	step, err := script.Next(nil)
	if err != nil {
		return Exchange{}, err
	}
	s := &session{script: script, application: id, opened: a.Clock.Now()}
	name, err := a.keep(s)
	if err != nil {
		return Exchange{}, err
	}
	return Exchange{Session: name, Commands: step.Commands, Done: step.Done}, nil
}

// mayFetch applies what the scheme asks of an issued application: that it has not
// lapsed, the card once more (R45), and a waiting time where an older device would be
// superseded.
func (a *Authority) mayFetch(ctx context.Context, row store.Application, proof *CardProof) error {
	if a.Clock.Now().After(row.IssuedAt.Add(a.Scheme.ApplicationLapse)) {
		return warifu.Conflict("application-lapsed") // the sweep is about to say so (K14)
	}
	if err := a.cooled(ctx, row); err != nil {
		return err
	}
	return a.cardAgain(ctx, row, proof)
}

// cooled refuses to let a new device replace an older one before the scheme's cooling
// time has passed since issue: the holder of the older one has been told meanwhile.
func (a *Authority) cooled(ctx context.Context, row store.Application) error {
	until := row.IssuedAt.Add(a.Scheme.SupersedeCooling)
	if !a.Clock.Now().Before(until) {
		return nil
	}
	return a.Store.Read(ctx, func(tx *store.Tx) error {
		live, err := tx.LiveCredentials(row.Person)
		for _, c := range live {
			if c.Element != row.Element {
				return warifu.Conflict("supersede-cooling", "until", until.In(a.Scheme.Hours.Zone).Format(time.RFC3339))
			}
		}
		return err
	})
}

// script unseals what is to be written and makes the chip's script.
func (a *Authority) script(ctx context.Context, row store.Application) (*provision.Session, error) {
	work := provision.Work{Element: row.Element, Application: warifu.DigestOf([]byte(row.ID)), Certificates: map[warifu.Kind][]byte{}, Authorities: a.Authorities}
	var err error
	if work.TicketKeys, err = a.ticketSPKIs(); err != nil {
		return nil, err
	}
	err = a.Store.Read(ctx, func(tx *store.Tx) error {
		document, err := tx.UnsealBlob(row.Signed)
		if err != nil {
			return err
		}
		signer, err := signerOf(document)
		if err != nil {
			return err
		}
		work.Parent = signer.RawSubjectPublicKeyInfo
		credentials, err := tx.CredentialsOfApplication(row.ID)
		if err != nil {
			return err
		}
		for _, c := range credentials {
			if warifu.CredentialLife.Final(c.State) {
				return warifu.Conflict("application-not-issued", "state", string(c.State))
			}
			if work.Certificates[c.Kind], err = tx.UnsealBlob(c.Certificate); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return provision.NewSession(a.Keys, work, a.Random)
}

// keep stores the session under a new name, after forgetting those whose life is over.
// A phone that is cut again and again opens one after another: beyond the bound its
// oldest ends, so that nobody is kept waiting by what is dead already.
func (a *Authority) keep(s *session) (string, error) {
	name, err := a.newID("s")
	if err != nil {
		return "", err
	}
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	var same []string
	for n, other := range a.sessions.open {
		if s.opened.Sub(other.opened) > sessionLife {
			delete(a.sessions.open, n)
		} else if other.application == s.application {
			same = append(same, n)
		}
	}
	if len(same) >= perApplication {
		delete(a.sessions.open, slices.MinFunc(same, func(x, y string) int {
			return cmp.Compare(a.sessions.open[x].number, a.sessions.open[y].number)
		}))
	}
	if len(a.sessions.open) >= maxSessions {
		return "", warifu.TooMany("sessions-too-many")
	}
	a.sessions.opened++
	s.number = a.sessions.opened
	a.sessions.open[name] = s
	return name, nil
}

func (a *Authority) session(name string) (*session, error) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	s, ok := a.sessions.open[name]
	if !ok || a.Clock.Now().Sub(s.opened) > sessionLife {
		delete(a.sessions.open, name)
		return nil, warifu.NotFound("session-unknown")
	}
	return s, nil
}

func (a *Authority) forget(name string) {
	a.sessions.mu.Lock()
	defer a.sessions.mu.Unlock()
	delete(a.sessions.open, name)
}

// Exchange hands the chip's responses to the script and returns the next commands.
// When the chip has signed its receipt, the credentials become active here, in one
// transaction, before the chip is told to activate (design §3.7). Any error ends
// the session; a new one resumes.
func (a *Authority) Exchange(ctx context.Context, name string, responses [][]byte) (Exchange, error) {
	s, err := a.session(name)
	if err != nil {
		return Exchange{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	step, err := s.script.Next(responses)
	if err == nil && step.Receipt != nil {
		if err = a.activate(ctx, s.application, step.Receipt); err == nil {
			step, err = s.script.Continue()
		}
	}
	if err != nil {
		a.forget(name)
		return Exchange{}, err
	}
	out := Exchange{Session: name, Commands: step.Commands, Done: step.Done}
	if step.Done {
		a.forget(name)
		out.SuspensionCode, err = a.chipWritten(ctx, s.application)
	}
	return out, err
}
