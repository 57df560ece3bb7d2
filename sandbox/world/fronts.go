package world

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"os"
	"strings"

	"warifu"
	"warifu/profile"
	"warifu/sandbox/bank"
	"warifu/sandbox/counter"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/verify"
)

// bureauPrefix is where the card bureau answers, at the desk's address.
const bureauPrefix = "/bureau"

// front is a place beyond server, desk, phones and bank: one line for each that stands.
type front struct {
	door  int
	place func(*desk.Places) *string
	open  func(*World, context.Context) (http.Handler, error)
}

// fronts are the sample services, in the order of their doors. Each stands in a file of
// its own, front_NAME.go.
var fronts = []front{
	{doorPortal, func(p *desk.Places) *string { return &p.Portal }, (*World).openPortal},
	{doorCarrier, func(p *desk.Places) *string { return &p.Carrier }, (*World).openCarrier},
	{doorCashless, func(p *desk.Places) *string { return &p.Cashless }, (*World).openCashless},
	{doorKiosk, func(p *desk.Places) *string { return &p.Kiosk }, (*World).openKiosk},
	{doorClinic, func(p *desk.Places) *string { return &p.Clinic }, (*World).openClinic},
	{doorMarketplace, func(p *desk.Places) *string { return &p.Marketplace }, (*World).openMarketplace},
	{doorRepair, func(p *desk.Places) *string { return &p.Repair }, (*World).openRepair},
	{doorTax, func(p *desk.Places) *string { return &p.Tax }, (*World).openTax},
	{doorEGov, func(p *desk.Places) *string { return &p.EGov }, (*World).openEGov},
}

// openFronts puts desk, phones, bank and the sample services behind their doors.
func (w *World) openFronts(ctx context.Context) error {
	client, err := w.Client()
	if err != nil {
		return err
	}
	letters, err := w.folder.Sub("counter")
	if err != nil {
		return err
	}
	messages, err := w.folder.Sub("desk")
	if err != nil {
		return err
	}
	tray, err := desk.OpenTray(messages)
	if err != nil {
		return err
	}
	hall := counter.New(w.Bureau, w.Chips, w.Clock)
	var worlds desk.Worlds
	if w.config.keeper != nil {
		worlds = w.config.keeper
	}
	walks, err := desk.OpenWalks(messages, w.Trace)
	if err != nil {
		return err
	}
	personas, err := w.openPersonas()
	if err != nil {
		return err
	}
	w.desk = desk.New(desk.Config{
		Worlds: worlds, Standing: w.Standing, Walks: walks, Faults: w.Faults, Trace: w.Trace, Persona: personaOf(personas), Words: personaWords,
		Places: w.Places, Scheme: w.Scheme, Cards: w.Bureau, Phones: w.Phones.List, Chips: w.Chips, Clock: hands{w, &w.jump}, Calendar: w.Calendar,
		Counter: hall, Kiosk: counter.NewKiosk(hall, w.Clock, letters), Proxies: counter.NewProxies(hall, w.Clock, letters, rand.Reader),
		Server: client, Cascade: w.Cascade, Tray: tray,
	})
	trust, err := w.Trust()
	if err != nil {
		return err
	}
	visited, err := w.visited(ctx, "bank", bank.ClientID, w.Places.Bank, "name", "address", "birthdate", "gender")
	if err != nil {
		return err
	}
	w.bank = bank.New(bank.Config{
		Origin: w.Places.Bank, Phones: w.Places.Phones, Clock: w.Clock, Service: bank.Service{Address: w.Places.Server, Key: BankKey},
		Provider: visited.party, JWKS: visited.jwks, Outside: w.config.Real, Folder: visited.folder, Officer: OfficerPassword,
		Verifier: verify.New(trust, verify.FirstOf{verify.OCSPClient{}, &verify.CRLClient{}}, w.Clock),
	})
	w.put(doorDesk, w.deskSite(trust, personas.Routes))
	w.put(doorPhones, routes(w.Phones.Routes))
	w.put(doorBank, doorway.Opens(routes(w.bank.Routes), w.Scheme, "bank", "bank.title", w.Clock))
	for _, f := range fronts {
		handler, err := f.open(w, ctx)
		if err != nil {
			return err
		}
		w.put(f.door, handler)
	}
	for i := range w.doors {
		if i != doorServer && w.doors[i].site == nil {
			w.put(i, http.NotFoundHandler()) // kept for a place that does not stand yet
		}
	}
	return nil
}

func routes(add func(*http.ServeMux)) http.Handler {
	mux := http.NewServeMux()
	add(mux)
	return doorway.Routed(mux)
}

// deskSite is the desk with the bureau, the municipalities and the insurers below their
// prefixes. The bureau is told apart by hand: a mux would clean the slashes out of an OCSP
// request's base64.
func (w *World) deskSite(trust verify.Trust, more func(*http.ServeMux)) http.Handler {
	front, cards := routes(func(mux *http.ServeMux) { w.desk.Routes(mux); w.Faults.Routes(mux); w.Trace.Routes(mux); more(mux) }), http.StripPrefix(bureauPrefix, w.Bureau.Handler())
	town, insurers := http.StripPrefix(TownPrefix, w.openTown(trust)), http.StripPrefix(InsurersPrefix, w.openInsurers(trust))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, bureauPrefix+"/"):
			cards.ServeHTTP(rw, r)
		case strings.HasPrefix(r.URL.Path, TownPrefix+"/"):
			town.ServeHTTP(rw, r)
		case strings.HasPrefix(r.URL.Path, InsurersPrefix+"/"):
			insurers.ServeHTTP(rw, r)
		default:
			front.ServeHTTP(rw, r)
		}
	})
}

// Trust is what a relying party of this world believes: the server's two authorities
// for phones, the bureau's two for cards.
func (w *World) Trust() (verify.Trust, error) {
	var trust verify.Trust
	for _, kind := range warifu.Kinds {
		authority, err := w.authority(kind)
		if err != nil {
			return trust, err
		}
		if err := trust.Add(profile.ClassPhone, kind, authority); err != nil {
			return trust, err
		}
		if err := trust.Add(profile.ClassCard, kind, w.Bureau.Authority(kind)); err != nil {
			return trust, err
		}
	}
	return trust, nil
}

// authority is the certificate of one of the server's two authorities.
func (w *World) authority(kind warifu.Kind) (*x509.Certificate, error) {
	der, err := os.ReadFile(w.path("server", kind.String()+".cer"))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
