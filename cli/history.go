package cli

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"frontline/bot/standin"
	"frontline/config"
	"frontline/handlers/construct"
	"frontline/history"
	"frontline/kb/sample"
	"frontline/store"
)

// pastOptions are the flags about a made-up past.
type pastOptions struct {
	span  string
	seed  uint64
	daily int
	until string
}

func (p *pastOptions) flags(fs *flag.FlagSet) {
	fs.StringVar(&p.span, "history", "", "make up a past of so long in empty data, such as 1y or 90d")
	fs.Uint64Var(&p.seed, "seed", 1, "with -history: the same seed and last day make the same past")
	fs.IntVar(&p.daily, "daily", 40, "with -history: tickets of a usual trading day")
	fs.StringVar(&p.until, "until", "", "with -history: the last day, 2026-11-30 (default: yesterday)")
}

var spanForm = regexp.MustCompile(`^([1-9]\d{0,3})(d|m|y)$`)

// days is when the past begins and ends.
func (p pastOptions) days(now time.Time) (from, to time.Time, err error) {
	f := spanForm.FindStringSubmatch(p.span)
	if f == nil {
		return from, to, usagef("-history %q: give days, months or years, such as 90d, 6m or 1y", p.span)
	}
	to = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	if p.until != "" {
		day, err := time.ParseInLocation(time.DateOnly, p.until, now.Location())
		if err != nil || day.After(to) {
			return from, to, usagef("-until %q: give a past day such as 2026-11-30", p.until)
		}
		to = day.AddDate(0, 0, 1)
	}
	n, _ := strconv.Atoi(f[1])
	switch f[2] {
	case "d":
		from = to.AddDate(0, 0, -n)
	case "m":
		from = to.AddDate(0, -n, 0)
	default:
		from = to.AddDate(-n, 0, 0)
	}
	if from.Before(to.AddDate(-3, 0, 0)) {
		return from, to, usagef("-history goes back three years at most")
	}
	if p.daily < 1 || p.daily > 5000 {
		return from, to, usagef("-daily is from 1 to 5000")
	}
	return from, to, nil
}

// makePast fills the demo's empty database before it is opened for work.
func makePast(ctx context.Context, env Env, dir string, p pastOptions) error {
	if p.span == "" {
		return nil
	}
	cfg := config.Default()
	cfg.Database.URL = config.Secret("sqlite:" + filepath.Join(dir, "frontline.db"))
	zone, err := time.LoadLocation(cfg.Timezone)
	if err != nil {
		return err
	}
	from, to, err := p.days(time.Now().In(zone))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, "frontline.db")
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("-history needs empty data; add -reset to begin anew")
	}
	key, err := encryptionKey(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	clock := &history.Clock{}
	clock.Set(from)
	s, err := store.Open(ctx, store.Options{URL: "sqlite:" + path, Key: key, Now: clock.Now})
	if err != nil {
		return err
	}
	began := time.Now()
	made, err := history.Make(ctx, s, clock, history.Options{From: from, To: to, Seed: p.seed, Daily: p.daily, Entries: pastKnowledge(), Handlers: []string{"guyuan", "fangyichen"}, Groups: [2]string{"account", "trading"}, Recipes: pastRecipes(),
		Progress: func(day time.Time, tickets, questions int) {
			if day.AddDate(0, 0, 1).Day() == 1 {
				fmt.Fprintf(env.Stdout, "%s  %d tickets, %d questions\n", day.Format("2006-01"), tickets, questions)
			}
		}})
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path) // half a past is none
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, pastFile), []byte(p.span+"\n"), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "made up %d tickets, %d questions, %d alerts and %d runs from %s to %s in %s, seed %d\n", made.Tickets, made.Questions, made.Alerts, made.Runs, from.Format(time.DateOnly), to.AddDate(0, 0, -1).Format(time.DateOnly), time.Since(began).Round(time.Second), p.seed)
	return nil
}

// pastRecipes are the recipes that come with the program.
func pastRecipes() (out []history.Recipe) {
	lib, _ := construct.LoadFS(construct.Examples, "recipes")
	for _, r := range lib.Recipes {
		out = append(out, history.Recipe{Name: r.Name, Title: r.Title})
	}
	return out
}

// pastFile marks a demo whose database has a made-up past.
const pastFile = "past"

func hasPast(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, pastFile))
	return err == nil
}

// addPast adds the people of a past to the company, with their branches.
func addPast(o *standin.Options) {
	const first = 100 // department numbers of the branches
	number := map[string]int{}
	for _, d := range o.Departments {
		number[d.Name] = d.ID
	}
	for _, p := range history.People() {
		if number[p.Branch] == 0 {
			number[p.Branch] = first + len(number)
			o.Departments = append(slices.Clip(o.Departments), standin.Department{ID: number[p.Branch], Name: p.Branch, ParentID: 1})
		}
		o.People = append(o.People, standin.Person{UserID: p.ID, Name: p.Name, Position: "客户经理", Departments: []int{number[p.Branch]}})
	}
}

// pastKnowledge is the sample knowledge, as a past asks for it.
func pastKnowledge() []history.Entry {
	var out []history.Entry
	for _, e := range sample.Entries(time.Now()) {
		out = append(out, history.Entry{Number: e.Number, Question: e.Question})
	}
	return out
}
