package handlers

import (
	"encoding/json"
	"slices"

	"frontline/store"
)

// 改一改: a draft begun in chat goes on in the mobile form, by a link that is
// good for one report of one person.

// formDraft is what the form shows of a chat's draft; the names are those of the
// form's own draft.
type formDraft struct {
	Mark     string   `json:"mark,omitempty"`
	Class    string   `json:"class,omitempty"`
	Subclass string   `json:"subclass,omitempty"`
	Text     string   `json:"text,omitempty"`
	Urgent   bool     `json:"urgent,omitempty"`
	Customer string   `json:"customer,omitempty"`
	Identity string   `json:"identity,omitempty"`
	Phone    string   `json:"phone,omitempty"`
	System   string   `json:"system,omitempty"`
	Version  string   `json:"version,omitempty"`
	Name     string   `json:"name,omitempty"`
	Photos   []string `json:"photos,omitempty"`
}

// withForm adds the link to an answer that asks about a draft. Without an
// address of the pages there is none.
func (d *Desk) withForm(r Request, g reportDraft, res Result) Result {
	if d.PublicURL == "" || len(res.Say) == 0 || res.Write != nil {
		return res
	}
	f := formDraft{Mark: g.Mark, Class: g.Class, Subclass: g.Subclass, Text: g.Fields.Symptom, Urgent: g.Fields.Urgency == "urgent", Customer: g.Fields.Customer, Identity: g.Fields.Identity, Phone: g.Fields.Phone,
		System: g.Fields.System, Version: g.Fields.AppVersion, Name: r.Actor.Show()}
	if f.Customer == "无" {
		f.Customer = ""
	}
	for _, m := range g.Media {
		if m.File != "" && m.Kind == "image" {
			f.Photos = append(f.Photos, d.Store.PhotoName(r.Actor.ID, m.File))
		}
	}
	said := res.Say
	res.Write = func(tx *store.Tx, out *Result) error {
		body, err := json.Marshal(f)
		if err != nil {
			return err
		}
		token, err := tx.NewPrefill(r.Actor.ID, body, reportLife)
		if err != nil {
			return err
		}
		url := d.PublicURL + "/m/report?p=" + token
		out.Say = slices.Clone(said) // a repeated transaction starts anew
		if c := said[0].Body.Card; c != nil {
			card := *c
			card.URL, card.Desc = url, c.Desc+"。点卡片可以改一改" // cards with buttons have no jump links
			card.Twin += "\n改一改：" + url
			out.Say[0].Body.Card = &card
		} else {
			out.Say[0].Body.Text += "\n改一改：" + url
		}
		return nil
	}
	return res
}
