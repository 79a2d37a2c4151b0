package cli

import (
	"context"
	"flag"
	"fmt"
	"os"

	"frontline/handlers"
)

// runTicket imports tickets. All files are read first: one bad row anywhere, and
// nothing is stored.
func runTicket(ctx context.Context, env Env, args []string) error {
	config, dry := "", false
	rest, err := flags(env, "ticket", args, func(fs *flag.FlagSet) {
		fs.StringVar(&config, "config", "", "configuration file")
		fs.BoolVar(&dry, "dry-run", false, "import: say what would be done and change nothing")
	})
	if err != nil {
		return err
	}
	if len(rest) < 2 || rest[0] != "import" {
		return usagef("ticket import FILE… [-dry-run]")
	}
	s, cfg, err := env.openStore(ctx, config)
	if err != nil {
		return err
	}
	defer s.Close()
	desk := &handlers.Desk{Store: s, Rules: ticketRules(cfg)}
	var rows []handlers.ImportRow
	bad := 0
	for _, name := range rest[1:] {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		got, warnings, err := desk.ReadTickets(name, file)
		file.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, w := range warnings {
			fmt.Fprintf(env.Stderr, "%s: warning: %s\n", name, w)
		}
		for _, r := range got {
			for _, f := range r.Faults {
				fmt.Fprintf(env.Stderr, "%s:%d: %s\n", name, r.Line, f)
			}
			if len(r.Faults) > 0 {
				bad++
			}
		}
		rows = append(rows, got...)
	}
	if bad > 0 {
		return fmt.Errorf("%d rows are wrong; nothing was imported", bad)
	}
	done, err := desk.ImportTickets(ctx, "cli", rows, dry)
	if err != nil {
		return err
	}
	verb := "imported"
	if dry {
		verb = "would import"
	}
	fmt.Fprintf(env.Stdout, "%s %d tickets, %d were here already\n", verb, done.New, done.Same)
	return nil
}
