package cli

import (
	"fmt"
	"time"

	"frontline/config"
	"frontline/handlers"
)

// ticketRules makes the desk's rules of the configuration, which was checked:
// what it leaves out keeps its default.
func ticketRules(cfg *config.Config) handlers.Rules {
	r := handlers.DefaultRules()
	span := func(text string) time.Duration {
		d, err := config.Span(text, r.Calendar.Day())
		if err != nil {
			panic(fmt.Sprintf("a checked configuration has the time %q", text))
		}
		return d
	}
	r.Silence = span(cfg.Tickets.Silence)
	for _, c := range cfg.Tickets.Clocks {
		r.Clocks[c.Priority] = handlers.Clock{Respond: span(c.Respond), Resolve: span(c.Resolve), Always: c.Always}
	}
	if len(cfg.Tickets.Classes) > 0 {
		r.Classes = nil
	}
	for _, c := range cfg.Tickets.Classes {
		r.Classes = append(r.Classes, handlers.Class{Name: c.Name, Title: c.Title, Subclasses: c.Subclasses, Group: c.Group, Words: c.Words, Required: c.Required})
	}
	for _, g := range cfg.ServiceGroups {
		group := handlers.ServiceGroup{Name: g.Name, Title: g.Title, Leader: g.Leader, Skills: g.SkillsOf()}
		for _, line := range g.Duty {
			d, err := config.ParseDuty(line)
			if err != nil {
				panic(fmt.Sprintf("a checked configuration has the roster line %q", line))
			}
			group.Duty = append(group.Duty, handlers.DutyLine(d))
		}
		r.Groups = append(r.Groups, group)
	}
	return r
}
