package main

import (
	"cmp"
	"strconv"

	"warifu/sandbox/persona"
	"warifu/text"
)

// personaCommand makes persons in a state (docs/personas.md).
type personaCommand struct {
	Make personaMake `cmd:"" help:"Bring a person into a state: taro+hold@signature. Made again, nothing changes."`
	List personaList `cmd:"" help:"List the words, and the personas of this world."`
}

type personaMake struct {
	Name  string `arg:"" help:"Person and words joined by +, such as jiro+pin2left."`
	Phone string `placeholder:"PHONE" help:"On this phone; by default a new one."`
}

func (c personaMake) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	if _, err := persona.Parse(c.Name); err != nil {
		return err
	}
	var made persona.Made
	end := s.working("progress.persona")
	err = d.Post(s.ctx, "/api/personas", persona.Wish{Name: c.Name, Phone: c.Phone}, &made)
	end()
	if err != nil {
		return err
	}
	if made.Phone == "" {
		return s.say(made, "cli.persona-card", map[string]string{"name": made.Name, "person": made.Person})
	}
	err = s.say(made, "cli.persona-made", map[string]string{
		"name": made.Name, "person": made.Person, "phone": made.Phone, "password": cmp.Or(made.Password, "-"), "pin": cmp.Or(made.PIN, "-"),
	})
	if err != nil || s.json {
		return err
	}
	var rows [][]string
	for _, k := range made.Kinds {
		left := ""
		if n, ok := made.Tries[k.Kind]; ok {
			left = strconv.Itoa(n)
		}
		row := []string{s.kind(k.Kind), "", left, s.sentence("phone.finding."+string(k.Finding), nil)}
		if k.Standing != nil {
			row[1] = s.standingWord(*k.Standing)
		}
		rows = append(rows, row)
	}
	return s.table(made, rows)
}

type personaList struct{}

// Run lists the words, which need no world, and what was made where one runs.
func (personaList) Run(s *session) error {
	out := struct {
		Words    []persona.Word `json:"words"`
		Personas []persona.Made `json:"personas,omitempty"`
	}{Words: persona.Grammar()}
	d, err := s.desk()
	if err == nil {
		err = d.Get(s.ctx, "/api/personas", &out.Personas)
	}
	if err != nil && exitCode(err) != exitUnreachable {
		return err
	}
	var rows [][]string
	for _, w := range out.Words {
		row := []string{w.Word, w.En}
		if s.lang == text.Japanese {
			row[1] = w.Ja
		}
		rows = append(rows, row)
	}
	for _, made := range out.Personas {
		rows = append(rows, []string{made.Name, made.Phone})
	}
	return s.table(out, rows)
}
