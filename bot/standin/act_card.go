package standin

import (
	"fmt"
	"slices"
)

// cardHit is a click that fits the card as the member sees it.
type cardHit struct {
	entry     *entry
	face      *cardFace
	key       string
	menu      bool
	questions []string // in the order of the card
	selected  map[string][]string
}

func (s *Server) actCard(a *Action) (Receipt, error) {
	e := s.findCard(a)
	if e == nil {
		return Receipt{}, fmt.Errorf("%s sees no card %q at %s", a.User, a.TaskID, a.To)
	}
	hit := &cardHit{entry: e, face: e.copy.faceFor(a.User), key: a.Key, selected: map[string][]string{}}
	var err error
	if a.Do == "submit" {
		err = hit.submit(a.Selected)
	} else {
		err = hit.click(a.Selected)
	}
	if err != nil {
		return Receipt{}, err
	}
	hit.face.clicks = append(hit.face.clicks, Click{User: a.User, Key: hit.key, Selected: hit.selected, At: s.now()})
	s.touch(e)
	var cb *callback
	switch kind, id := e.copy.card.scope.split(); {
	case kind == "app" && s.apps[atoi(id)] != nil:
		cb = s.appCardEvent(s.apps[atoi(id)], a.User, hit)
	case kind == "bot" && s.bots[id] != nil:
		cb = s.botCardEvent(s.bots[id], a.User, hit)
	default:
		return Receipt{}, fmt.Errorf("a card of %s causes no event", e.From.Kind)
	}
	return Receipt{Entry: e.ID, Callback: s.launch(cb), MsgID: cb.msgID}, nil
}

// findCard is the newest copy with the task_id, or the entry that was named.
func (s *Server) findCard(a *Action) *entry {
	f := s.feeds[a.To.feedKey(a.User)]
	if f == nil || a.To.kind() == "group" && !s.isMember(a) {
		return nil
	}
	for _, e := range slices.Backward(f.entries) {
		if e.copy == nil || e.Recalled || e.Place != a.To || a.Entry != 0 && e.ID != a.Entry {
			continue
		}
		if a.TaskID == "" && a.Entry != 0 || a.TaskID != "" && e.copy.faceFor(a.User).shape.TaskID == a.TaskID {
			return e
		}
	}
	return nil
}

func (s *Server) isMember(a *Action) bool {
	g := s.groups[idOf(a.To)]
	return g != nil && slices.Contains(g.Members, a.User)
}

// click presses a button, or chooses an entry of the ⋯ menu.
func (h *cardHit) click(selected map[string][]string) error {
	shape := &h.face.shape
	if slices.ContainsFunc(shape.ActionMenu.ActionList, func(b cardButton) bool { return b.Key == h.key }) {
		h.menu = true
		return nil
	}
	i := slices.IndexFunc(shape.ButtonList, func(b cardButton) bool { return b.Key == h.key && b.Type != 1 })
	if i < 0 && shape.SubmitButton != nil && shape.SubmitButton.Key == h.key {
		return h.submit(selected)
	}
	if i < 0 {
		return fmt.Errorf("the card has no button %q", h.key)
	}
	if h.face.replaced != "" {
		return fmt.Errorf("the button is replaced by %q and cannot be clicked", h.face.replaced)
	}
	return h.choose(selected)
}

// submit presses the submit button of a vote or selection card.
func (h *cardHit) submit(selected map[string][]string) error {
	if h.face.shape.SubmitButton == nil {
		return fmt.Errorf("the card has nothing to submit")
	}
	if h.face.replaced != "" {
		return fmt.Errorf("the button is replaced by %q and cannot be clicked", h.face.replaced)
	}
	h.key = h.face.shape.SubmitButton.Key
	return h.choose(selected)
}

// choose checks what was selected against the questions of the card; what was
// not touched keeps its preset.
func (h *cardHit) choose(selected map[string][]string) error {
	for _, q := range h.face.shape.selections() {
		ids, touched := selected[q.QuestionKey]
		if !touched {
			for _, o := range q.OptionList {
				if o.IsChecked || o.ID == q.SelectedID {
					ids = append(ids, o.ID)
				}
			}
		}
		for _, id := range ids {
			known := false
			for _, o := range q.OptionList {
				known = known || o.ID == id
			}
			if !known {
				return fmt.Errorf("question %q has no option %q", q.QuestionKey, id)
			}
		}
		if len(ids) > 1 && q.Mode != 1 {
			return fmt.Errorf("question %q takes one option", q.QuestionKey)
		}
		if len(ids) > 0 {
			h.questions = append(h.questions, q.QuestionKey)
			h.selected[q.QuestionKey] = slices.Clone(ids)
		}
	}
	if h.face.shape.SubmitButton != nil && len(h.selected) == 0 {
		return fmt.Errorf("nothing is selected")
	}
	return nil
}
