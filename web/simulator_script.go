package web

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
)

// simulatorScript gives the conversation as a script of the tests: what was
// said and pressed, and the first line of every answer.
func (s *Server) simulatorScript(v *visit) error {
	p, err := s.simulatorPage(v)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="conversation.txt"`)
	_, err = v.w.Write([]byte(s.script(p)))
	return err
}

func (s *Server) script(p simulatorPage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# A conversation from the simulator.\nas %s\n", p.As)
	switch {
	case strings.HasPrefix(p.At, "bot:"):
		b.WriteString("bot\n")
	case p.Group != "":
		b.WriteString("in " + s.groupName(p.Group) + "\n")
	}
	// A press is no message of its own: it comes after the card it is about, in
	// the order of time.
	type line struct {
		at   time.Time
		text string
	}
	var lines []line
	for _, e := range p.Entries {
		switch {
		case e.From.ID == p.As && e.Text != "":
			lines = append(lines, line{e.At, "> " + strings.Join(strings.Fields(e.Text), " ")})
		case e.From.Kind != "user" && e.firstLine() != "":
			lines = append(lines, line{e.At, "< " + e.firstLine()})
		}
		if at, n := pressed(p, e); n > 0 {
			lines = append(lines, line{at, fmt.Sprintf("press %d", n)})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

// groupName is the configured name of a group chat.
func (s *Server) groupName(id string) string {
	for _, g := range s.opt.Groups {
		if g.ChatID == id {
			return g.Name
		}
	}
	return id
}

// firstLine is what a script can look for: words without markup.
func (e SimEntry) firstLine() string {
	text := e.Text
	if e.Card != nil {
		text = e.Card.Title
	}
	line, _, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(text, "*", "")), "\n")
	return chat.Cut(line, 40)
}

var eventKey = regexp.MustCompile(`EventKey><!\[CDATA\[(.*?)\]\]>|"event_key":\s*"([^"]*)"`)

// pressed finds which button of a card the played person pressed, from 1, and when.
func pressed(p simulatorPage, e SimEntry) (time.Time, int) {
	if e.Card == nil || e.Card.Active || e.Card.TaskID == "" {
		return time.Time{}, 0
	}
	for _, t := range p.Steps {
		if !strings.HasPrefix(t.Name, "callback/") || t.User != p.As || !strings.Contains(t.Request, e.Card.TaskID) {
			continue
		}
		m := eventKey.FindStringSubmatch(t.Request)
		if m == nil {
			continue
		}
		for i, b := range e.Card.Buttons {
			if b.Key == m[1]+m[2] {
				return t.At, i + 1
			}
		}
	}
	return time.Time{}, 0
}

// simulatorReplay plays a short conversation: ask, turn to a person,
// ask for the ticket. The page shows each step while it happens.
func (s *Server) simulatorReplay(v *visit) error {
	p, err := s.simulatorPage(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), replayTime)
	defer cancel()
	if err := s.replay(ctx, p); err != nil {
		s.opt.Log.Warn("replay", "err", err)
		return problem{http.StatusConflict, v.t("示例没有放完，会话里看得到停在哪一步")}
	}
	return s.backToSimulator(v)
}

const replayTime = 20 * time.Second

var newTicket = regexp.MustCompile(`(?:单号|已建单) (T\d+)`)

func (s *Server) replay(ctx context.Context, p simulatorPage) error {
	say := func(text string) error {
		_, err := s.opt.Platform.Say(ctx, SimSay{User: p.As, Place: p.At, Text: text, Mention: p.Group != ""})
		return err
	}
	if err := say(scenes[0].Text); err != nil {
		return err
	}
	var act SimAct
	p, err := s.replayUntil(ctx, p, func(e SimEntry) bool {
		if e.Card == nil || !e.Card.Active {
			return false
		}
		i := slices.IndexFunc(e.Card.Buttons, func(b simButton) bool { return b.Text == "转人工" })
		if i >= 0 {
			act = SimAct{Do: "click", User: p.As, Place: p.At, TaskID: e.Card.TaskID, Entry: e.ID, Key: e.Card.Buttons[i].Key}
		}
		return i >= 0
	})
	if err != nil {
		return err
	}
	if err := s.opt.Platform.Act(ctx, act); err != nil {
		return err
	}
	number := ""
	if p, err = s.replayUntil(ctx, p, func(e SimEntry) bool {
		if m := newTicket.FindStringSubmatch(e.Text); m != nil {
			number = m[1]
		}
		return number != ""
	}); err != nil {
		return err
	}
	if err := say("查 " + number); err != nil {
		return err
	}
	_, err = s.replayUntil(ctx, p, func(e SimEntry) bool {
		return strings.HasPrefix(e.Text, number) || strings.Contains(e.Text, number+" ")
	})
	return err
}

// replayUntil waits for a new message that fits; it returns the page that has it.
func (s *Server) replayUntil(ctx context.Context, p simulatorPage, fits func(SimEntry) bool) (simulatorPage, error) {
	last := int64(0)
	for _, e := range p.Entries {
		last = max(last, e.ID)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		p.Entries, p.Steps = nil, nil
		if err := s.simulatorFeed(ctx, &p); err != nil {
			return p, err
		}
		for _, e := range p.Entries {
			if e.ID > last && e.From.ID != p.As && fits(e) {
				return p, nil
			}
		}
		select {
		case <-ctx.Done():
			return p, fmt.Errorf("wait for an answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}
