package cli

import (
	"context"
	"flag"
	"fmt"

	"frontline/config"
	"frontline/store"
)

func runConfig(ctx context.Context, env Env, args []string) error {
	var file string
	rest, err := flags(env, "config", args, func(fs *flag.FlagSet) { fs.StringVar(&file, "config", "", "configuration file") })
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("config example, or config check [-config FILE]")
	}
	switch rest[0] {
	case "example":
		fmt.Fprint(env.Stdout, config.Example)
		return nil
	case "check":
		cfg, err := env.load(file)
		if err != nil {
			return err
		}
		if err := cfg.NeedWeCom(); err != nil {
			return err
		}
		if _, _, err := alertRules(cfg); err != nil {
			return err
		}
		if s, _, err := loadMonitors(cfg); err != nil {
			return err
		} else {
			s.Close()
		}
		for _, w := range cfg.Warnings(file) {
			fmt.Fprintln(env.Stderr, "warning:", w)
		}
		fmt.Fprintln(env.Stdout, "the configuration is in order")
		return nil
	}
	return usagef("config knows example and check, not %q", rest[0])
}

// openStore opens the configured database for a short command.
func (e Env) openStore(ctx context.Context, file string) (*store.Store, *config.Config, error) {
	cfg, err := e.load(file)
	if err != nil {
		return nil, nil, err
	}
	log := newLogger(e.Stderr, cfg.Log)
	key, err := encryptionKey(cfg, log)
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(ctx, store.Options{URL: string(cfg.Database.URL), Key: key, Log: log})
	return s, cfg, err
}

func runMigrate(ctx context.Context, env Env, args []string) error {
	var file string
	rest, err := flags(env, "migrate", args, func(fs *flag.FlagSet) { fs.StringVar(&file, "config", "", "configuration file") })
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("migrate takes no arguments")
	}
	s, _, err := env.openStore(ctx, file)
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Fprintln(env.Stdout, "the database schema is up to date")
	return nil
}
