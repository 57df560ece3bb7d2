package municipality

import (
	"context"
	"slices"

	"warifu"
	"warifu/sandbox/person"
	"warifu/text"
)

// The papers.
const (
	Residence = "residence" // 住民票の写し
	Seal      = "seal"      // 印鑑登録証明書
)

// minimumAge is the age from which papers are given at a kiosk (B.6), and from which a seal
// may be registered (印鑑登録証明事務処理要領).
const minimumAge = 15

// Options say what a residence record tells; a seal certificate has none.
type Options struct {
	Household bool `json:"household,omitempty"` // 世帯全員, not the person alone
	Relation  bool `json:"relation,omitempty"`  // 世帯主の氏名と続柄
}

// Order asks for a paper. The authentication serves for one order; the same order again is
// answered with the same paper, since an answer may be lost on the way.
type Order struct {
	Authentication Authentication `json:"authentication"`
	Document       string         `json:"document"`
	Options        Options        `json:"options"`
	Copies         int            `json:"copies"`
}

// Offers are what the person may have.
type Offers struct {
	Municipality Town    `json:"municipality"`
	Offers       []Offer `json:"offers"`
}

// Town is a municipality by its code (JIS X 0402, five digits) and name.
type Town struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	Prefecture string `json:"prefecture"`
}

// Offer is one paper with its fee, or why it cannot be had here.
type Offer struct {
	Document string  `json:"document"`
	Fee      int     `json:"fee"` // yen a copy
	Refused  *Reason `json:"refused,omitempty"`
}

// Reason is why a paper cannot be had, in both languages.
type Reason struct {
	Problem string `json:"problem"`
	Title   string `json:"title"`
	TitleJa string `json:"titleJa"`
	Next    string `json:"next"`
	NextJa  string `json:"nextJa"`
}

func reason(err error) *Reason {
	if err == nil {
		return nil
	}
	e := warifu.ProblemOf(err)
	r := &Reason{Problem: e.Problem}
	r.Title, _, r.Next = text.Problem(e, text.English)
	r.TitleJa, _, r.NextJa = text.Problem(e, text.Japanese)
	return r
}

// usualFee is what a paper costs in yen; a few towns take less (B.6: 200 to 450). The towns
// are real, their fees here are not.
const usualFee = 300

var otherFees = map[string]map[string]int{
	"13221": {Residence: 200, Seal: 200},
	"14104": {Residence: 250, Seal: 250},
	"27127": {Residence: 200, Seal: 250},
	"47201": {Residence: 450, Seal: 450},
}

func feeOf(town, document string) int {
	if fee, ok := otherFees[town][document]; ok {
		return fee
	}
	return usualFee
}

// Fees are one town's.
type Fees struct {
	Name      string `json:"name"`
	Residence int    `json:"residence"`
	Seal      int    `json:"seal"`
}

func fees() map[string]Fees {
	out := map[string]Fees{}
	for _, m := range person.Municipalities() {
		out[m.Code] = Fees{m.Name, feeOf(m.Code, Residence), feeOf(m.Code, Seal)}
	}
	return out
}

// withoutSeal are the persons of the sandbox who have registered none, and restricted those
// whose papers are given at the counter alone (支援措置: somebody must not learn where they live).
var (
	withoutSeal = []string{"uruu", "maria"}
	restricted  = []string{"kyoko"}
)

// admit says whether a person may have papers here at all.
func (s *Server) admit(who Resident) error {
	now := s.config.Clock.Now()
	switch {
	case !who.Died.IsZero():
		return warifu.Refused("resident-closed")
	case slices.Contains(restricted, who.Person.ID):
		return warifu.Refused("resident-restricted")
	case person.Age(who.Person.Birth, now) < minimumAge:
		return warifu.Refused("resident-too-young")
	}
	return nil
}

// may says whether a person may have one paper.
func may(who Resident, document string) error {
	if document == Seal && slices.Contains(withoutSeal, who.Person.ID) {
		return warifu.Conflict("seal-none")
	}
	return nil
}

func (s *Server) offers(who Resident) (Offers, error) {
	if err := s.admit(who); err != nil {
		return Offers{}, err
	}
	m := who.Person.Municipality
	out := Offers{Municipality: Town{m.Code, m.Name, m.Prefecture}}
	for _, d := range []string{Residence, Seal} {
		out.Offers = append(out.Offers, Offer{d, feeOf(m.Code, d), reason(may(who, d))})
	}
	return out, nil
}

// issue makes the paper. The certificate's status is asked again: whoever was locked out
// between the offers and the paper gets none.
func (s *Server) issue(ctx context.Context, o Order) ([]byte, error) {
	if o.Document != Residence && o.Document != Seal || o.Copies < 1 || o.Copies > MaxCopies || o.Document == Seal && o.Options != (Options{}) {
		return nil, warifu.Invalid("municipality-request-malformed")
	}
	who, t, err := s.identify(ctx, o.Authentication)
	if err != nil {
		return nil, err
	}
	if err := s.admit(who); err != nil {
		return nil, err
	}
	if err := may(who, o.Document); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.order != nil {
		if t.order.Document != o.Document || t.order.Options != o.Options || t.order.Copies != o.Copies {
			return nil, warifu.Conflict("municipality-question-used")
		}
		return t.file, nil
	}
	t.file, t.order = s.paper(who, o), &Order{Document: o.Document, Options: o.Options, Copies: o.Copies}
	return t.file, nil
}
