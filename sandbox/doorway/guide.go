package doorway

import (
	"context"
	"net/http"

	"warifu/face"
)

// Guide tells what a person on the guided walk does next at a place; nil for who is on none.
type Guide func(r *http.Request, place string) *face.Guide

type guideKey struct{}

type guided struct {
	guide Guide
	place string
}

// Guided has every page below next, which is a place's, lead whoever is on the guided walk.
func Guided(next http.Handler, place string, guide Guide) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), guideKey{}, guided{guide, place})))
	})
}

// GuideOf is what Guided has the page that answers r say; nil for nothing. Ask when the page
// is drawn, so that it tells of what the request did.
func GuideOf(r *http.Request) *face.Guide {
	if g, there := r.Context().Value(guideKey{}).(guided); there {
		return g.guide(r, g.place)
	}
	return nil
}

// personCookie remembers who the person at the browser is. All places of a host share it.
const personCookie = "warifu-person"

// Person is whom the browser chose to stand for; "" where it chose nobody.
func Person(r *http.Request) string {
	c, err := r.Cookie(personCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// Become has the browser stand for a person.
func Become(w http.ResponseWriter, id string) {
	http.SetCookie(w, &http.Cookie{Name: personCookie, Value: id, Path: "/", MaxAge: 365 * 24 * 60 * 60, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
