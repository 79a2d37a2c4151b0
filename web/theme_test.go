package web

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The dark theme is written twice, for who chooses it and for whose system
// does; both must say the same.
func TestDarkThemesAgree(t *testing.T) {
	b, err := embedded.ReadFile("static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	tokens := func(pattern string) []string {
		var all []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(b), -1) {
			all = append(all, strings.Split(m[1], ";")...)
		}
		slices.Sort(all)
		return all
	}
	chosen := tokens(`(?m)^(?::root)?\[data-theme=dark\]\{([^}]*)\}`)
	system := tokens(`prefers-color-scheme:dark\)\{:root:not\(\[data-theme=light\]\)\{([^}]*)\}`)
	if len(chosen) < 30 || !slices.Equal(chosen, system) {
		t.Errorf("chosen: %d %v\nsystem: %d %v", len(chosen), chosen, len(system), system)
	}
}
