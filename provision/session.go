package provision

import (
	"io"

	"warifu"
	"warifu/globalplatform"
	"warifu/iso7816"
	"warifu/jpki"
)

// Work is what one session is to bring about.
type Work struct {
	Element      warifu.ElementID
	Application  warifu.Digest          // SHA-256 of the application's identifier, for the receipt
	Parent       []byte                 // SubjectPublicKeyInfo of the parent card's signature key
	Certificates map[warifu.Kind][]byte // DER, one or both kinds
	Authorities  map[warifu.Kind][]byte // DER of the CA certificates that go beside them; may be absent
	// TicketKeys are the SubjectPublicKeyInfo (P-256) of each authority's ticket key, of both
	// kinds always. Without them the chip obeys no kill ticket, or those it obeyed before.
	TicketKeys map[warifu.Kind][]byte
}

// Step is what the caller does next: carry Commands to the chip and hand the responses to
// Next; commit when there is a Receipt; forget the session when it is Done.
type Step struct {
	Commands [][]byte
	Receipt  []byte // the chip's signed word (attest.OpenReceipt), set once
	Done     bool
	Sent     int // APDUs handed out so far, these included
	Total    int // APDUs the whole session takes as far as is known now
}

// stage is where a session stands: what the responses awaited answer.
type stage int

const (
	stageNew      stage = iota
	stageOpening        // SELECT, INITIALIZE UPDATE
	stageAsking         // EXTERNAL AUTHENTICATE, INSTALL, what is there
	stageWriting        // certificates, parent, receipt
	stageReceipt        // the receipt is with the caller, who commits
	stageActivate       // ACTIVATE, or what was left to write behind it
	stageOver
)

// Session is one run of the script. Cut at any APDU, it is left behind and a new one begun
// with the same Work. It is for one caller at a time.
type Session struct {
	keys    Keys
	work    Work
	host    *globalplatform.Host
	stage   stage
	pending []iso7816.Command // commands handed out and not yet answered
	shadow  jpki.SlotHalf
	sent    int
	total   int
}

// NewSession prepares a session; eight octets are read from random. Errors: Invalid
// "personalization-empty" for work without a certificate or a parent key, and
// "ticket-key-malformed".
func NewSession(keys Keys, work Work, random io.Reader) (*Session, error) {
	if len(work.Certificates) == 0 || len(work.Parent) == 0 {
		return nil, warifu.Invalid("personalization-empty")
	}
	for kind := range work.Certificates {
		if !kind.Valid() {
			return nil, warifu.Invalid("kind-unknown", "kind", kind.String())
		}
	}
	for kind, spki := range work.TicketKeys {
		if !kind.Valid() || !ticketKey(spki) {
			return nil, warifu.Invalid("ticket-key-malformed", "kind", kind.String())
		}
	}
	host, err := globalplatform.NewHost(jpki.AIDDomain, random)
	if err != nil {
		return nil, err
	}
	return &Session{keys: keys, work: work, host: host}, nil
}

// Next takes the responses to the commands handed out last (none at first) and returns what
// is to be done then. Errors end the session: "session-broken" where octets or MACs do not
// fit, "element-refused" and "element-state" where the chip says no, "element-keys-gone"
// where it no longer has the keys that were certified.
func (s *Session) Next(responses [][]byte) (Step, error) {
	step, err := s.next(responses)
	if err != nil {
		s.stage = stageOver
	}
	return step, err
}

func (s *Session) next(responses [][]byte) (Step, error) {
	if len(responses) != len(s.pending) {
		return Step{}, broken(nil)
	}
	answers := make([]iso7816.Response, len(responses))
	for i, r := range responses {
		var err error
		if answers[i], err = iso7816.ParseResponse(r); err != nil {
			return Step{}, broken(err)
		}
	}
	switch s.stage {
	case stageNew:
		return s.open()
	case stageOpening:
		return s.ask(answers)
	case stageAsking:
		return s.write(answers)
	case stageWriting:
		return s.receive(answers)
	case stageActivate:
		return s.finish(answers)
	}
	return Step{}, warifu.Conflict("session-over")
}

// Continue returns ACTIVATE. It is called after the caller has committed what the receipt
// attests, and never before.
func (s *Session) Continue() (Step, error) {
	if s.stage != stageReceipt {
		return Step{}, warifu.Conflict("session-over")
	}
	return s.protected(stageActivate, globalplatform.StoreData(jpki.Activate(s.digests())))
}

func (s *Session) digests() map[warifu.Kind]warifu.Digest {
	out := map[warifu.Kind]warifu.Digest{}
	for kind, der := range s.work.Certificates {
		out[kind] = warifu.DigestOf(der)
	}
	return out
}

// hand gives commands out and remembers that they are awaited.
func (s *Session) hand(next stage, commands []iso7816.Command) (Step, error) {
	out := make([][]byte, len(commands))
	for i, c := range commands {
		var err error
		if out[i], err = c.Bytes(); err != nil {
			return Step{}, err
		}
	}
	s.stage, s.pending = next, commands
	s.sent += len(commands)
	s.total = max(s.total, s.sent)
	return Step{Commands: out, Sent: s.sent, Total: s.total}, nil
}

// protected hands out commands wrapped in the secure channel.
func (s *Session) protected(next stage, commands []iso7816.Command) (Step, error) {
	wrapped := make([]iso7816.Command, len(commands))
	for i, c := range commands {
		c.Ne = iso7816.MaxShortNe // room for the R-MAC
		var err error
		if wrapped[i], err = s.host.Wrap(c); err != nil {
			return Step{}, broken(err)
		}
	}
	return s.hand(next, wrapped)
}

// unwrap checks the answers to protected commands and refuses any that is not a success.
func (s *Session) unwrap(answers []iso7816.Response) ([][]byte, error) {
	out := make([][]byte, len(answers))
	for i, a := range answers {
		r, err := s.host.Unwrap(a)
		if err != nil {
			return nil, broken(err)
		}
		if r.SW != iso7816.SWOK {
			return nil, refused(s.pending[i], r.SW, s.sent-len(answers)+i+1)
		}
		out[i] = r.Data
	}
	return out, nil
}
