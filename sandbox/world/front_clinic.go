package world

import (
	"context"
	"net/http"

	"warifu"
	"warifu/sandbox/clinic"
	"warifu/sandbox/insurer"
	"warifu/verify"
)

// InsurersPrefix is where the insurers answer, at the desk's address, and ClinicKey is the
// sandbox clinic's key there: it protects nothing.
const (
	InsurersPrefix = "/insurers"
	ClinicKey      = "sandbox-clinic"
)

// openInsurers is the insurers' server.
func (w *World) openInsurers(trust verify.Trust) http.Handler {
	status := verify.FirstOf{verify.OCSPClient{}, &verify.CRLClient{}}
	return insurer.New(insurer.Config{
		Origin: w.Places.Desk, Register: residents{w}, Clock: w.Clock, Clinics: map[string]string{ClinicKey: "sandbox clinic"},
		Status: status, Verifier: verify.New(trust, status, w.Clock),
	}).Handler()
}

func (w *World) openClinic(context.Context) (http.Handler, error) {
	trust, err := w.Trust()
	if err != nil {
		return nil, err
	}
	phones, err := w.authority(warifu.Authentication)
	if err != nil {
		return nil, err
	}
	kept := &clinic.Kept{
		Pack: w.Places.Server + "/offline/" + warifu.Authentication.String(), Phones: phones,
		List: w.Places.Desk + bureauPrefix + "/crl/" + warifu.Authentication.String() + ".crl", Clock: w.Clock,
	}
	return routes(clinic.New(clinic.Config{
		Origin: w.Places.Clinic, Insurers: clinic.NewInsurers(w.Places.Desk+InsurersPrefix, ClinicKey), Clock: w.Clock, Scheme: w.Scheme,
		Trust: trust, Kept: kept, Refresh: kept.Refresh,
		Chips: w.touchable, Touched: w.touched, Reader: w.config.ClinicReader,
	}).Routes), nil
}
