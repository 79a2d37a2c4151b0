package web

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
)

// funcs are what templates may call; they format, they decide nothing.
func (s *Server) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":    func(name string) string { return s.assets.byName[name] },
		"icon":     s.icon,
		"full":     func(t time.Time) string { return fullTime(t, s.opt.Now()) },
		"masked":   mask.Text,
		"id":       func(n int64) string { return strconv.FormatInt(n, 10) },
		"initial":  initial,
		"cut":      chat.Cut,
		"has":      func(u chat.User, role string) bool { return u.Roles.Has(chat.Role(role)) },
		"meters":   func(s shell, m []SimMeter) map[string]any { return map[string]any{"S": s, "Meters": m} },
		"said":     s.saidLine,
		"chatText": chatText,
		"stepJSON": stepJSON,
		"bar":      bar,
		"tint":     tint,
		"skeleton": func(n int) []struct{} { return make([]struct{}, n) },
		"isGroup":  func(place string) bool { return strings.HasPrefix(place, "group:") },
		"isBot":    func(place string) bool { return strings.HasPrefix(place, "bot:") },
		"clock":    func(t time.Time) string { return t.In(s.opt.Now().Location()).Format("15:04:05") },
	}
}

// icon refers to one picture of the sprite.
func (s *Server) icon(name string) template.HTML {
	return template.HTML(`<svg class="i" aria-hidden="true"><use href="` + template.HTMLEscapeString(s.assets.byName["sprite.svg"]+"#i-"+name) + `"/></svg>`)
}

// initial is the first character of a name, for a round picture.
func initial(name string) string {
	for _, r := range name {
		return string(r)
	}
	return "·"
}

// when says a time as people do: today's by the hour, this year's without the year.
func when(t, now time.Time, today string) string {
	if t.IsZero() {
		return "—"
	}
	t = t.In(now.Location())
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return today + " " + t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("01-02 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

func fullTime(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(now.Location()).Format("2006-01-02 15:04:05.000 MST")
}
