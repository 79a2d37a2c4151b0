package web

import (
	"fmt"
	"maps"
	"net/http"
)

// The catalogue: the Chinese text is the key, so a page reads as it is written.
// A test finds keys without English.
var english = catalogue(
	englishShell,
	englishPages,
	englishWords,
	englishSimulator,
	englishGroups,
	englishHooks,
	englishMachines,
	englishTickets,
	englishReport,
	englishCommands,
	englishConstruct,
	englishConstructReport,
	englishKnowledge,
	englishCare,
	englishAlerts,
	englishMonitors,
	englishMessages,
	englishOncall,
	englishSharing,
	englishProfile,
	englishAnalysis,
	englishHelp,
	englishModel,
)

func catalogue(parts ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

// langOf is the visitor's choice, else the configured language.
func (s *Server) langOf(r *http.Request) string {
	if c, err := r.Cookie("lang"); err == nil && (c.Value == "zh" || c.Value == "en") {
		return c.Value
	}
	return s.opt.Lang
}

// t translates a text of ours, with arguments as fmt has them.
func (v *visit) t(key string, args ...any) string {
	if v.lang == "en" {
		if e, ok := english[key]; ok {
			key = e
		}
	}
	if len(args) == 0 {
		return key
	}
	return fmt.Sprintf(key, args...)
}

// theme is dark, light, or "" for what the system says.
func (v *visit) theme() string {
	if c, err := v.r.Cookie("theme"); err == nil && (c.Value == "dark" || c.Value == "light") {
		return c.Value
	}
	return ""
}
