// Package cli holds the sub-commands of frontline, one file each, and puts the
// parts of the program together. It has no rules of its own.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"frontline/config"
)

// Version is set at build time: -ldflags "-X frontline/cli.Version=1.2.3".
var Version = "dev"

// Env is the outside of a run; tests give their own.
type Env struct {
	Vars           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// OSEnv is the environment of the process.
func OSEnv() Env {
	return Env{Vars: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError ends with code 2: wrong usage or configuration.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

type command struct {
	name, usage, summary string
	run                  func(ctx context.Context, env Env, args []string) error
}

func commands() []command {
	return []command{
		{"demo", "[-listen 127.0.0.1:8080] [-dir DIR] [-reset]", "everything, with nothing else installed and no account", runDemo},
		{"serve", "[-config frontline.yaml]", "the real thing", runServe},
		{"chat", "[-as USER] [-dir DIR] [-group NAME] [-json]", "talk to the demo in this terminal", runChat},
		{"config", "example | check [-config FILE]", "the documented example, or a dry run", runConfig},
		{"migrate", "[-config FILE]", "bring the database schema up to date", runMigrate},
		{"doctor", "[-config FILE] [-json]", "check everything and say what to do", runDoctor},
		{"kb", "import FILE… | export FILE | search TEXT | eval", "the knowledge base", runKB},
		{"gen", "KIND [-count N] [-seed N] [-sex f] [-age 30] …", "test data that can hit no real person", runGen},
		{"construct", "list | run RECIPE KEY=VALUE… | check FILE…", "data construction: recipes and runs", runConstruct},
		{"uat", "[-listen ADDR] [-dir DIR] [-environment]", "a stand-in for test systems, to try recipes against", runUAT},
		{"user", "list | role USERID ROLE…", "people and rights", runUser},
		{"ticket", "import FILE… [-dry-run]", "tickets of an other system: csv, xlsx", runTicket},
		{"alerts", "route [-config FILE] LABEL=VALUE…", "where an alert would go, and why", runAlerts},
		{"monitor", "list | check FILE… | run NAME|FILE | replay NAME|FILE", "monitor items: check a file, run one, try its rules", runMonitor},
		{"audit", "verify", "proves that the audit log is whole", runAudit},
		{"backup", "[-config FILE] FILE", "a whole copy of the SQLite database, while it is in use", runBackup},
		{"version", "", "the version", runVersion},
	}
}

// Run runs one sub-command and returns the exit code.
func Run(ctx context.Context, args []string, env Env) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(env.Stdout)
		if len(args) == 0 {
			return exitUsage
		}
		return exitDone
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return exitCode(env, c.run(ctx, env, args[1:]))
		}
	}
	fmt.Fprintf(env.Stderr, "frontline: unknown command %q; run frontline help\n", args[0])
	return exitUsage
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "Frontline (一线), a chat-ops desk for WeChat Work.\n\nUsage: frontline COMMAND")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %-52s %s\n", c.name, c.usage, c.summary)
	}
	fmt.Fprintln(w, "\nTo try it: frontline demo, and in a second terminal: frontline chat")
}

func exitCode(env Env, err error) int {
	var wrong usageError
	var faults config.Faults
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.As(err, &faults):
		for _, f := range faults {
			fmt.Fprintln(env.Stderr, f)
		}
		return exitUsage
	case errors.As(err, &wrong):
		fmt.Fprintln(env.Stderr, "frontline:", wrong.Error())
		return exitUsage
	}
	fmt.Fprintln(env.Stderr, "frontline:", err)
	return exitFailed
}

// flags parses the flags of a sub-command; what is left are its arguments.
func flags(env Env, name string, args []string, define func(fs *flag.FlagSet)) ([]string, error) {
	fs := flag.NewFlagSet("frontline "+name, flag.ContinueOnError)
	fs.SetOutput(env.Stderr)
	define(fs)
	// Flags may stand before and after the arguments.
	var rest []string
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, usageError{err}
		}
		args = fs.Args()
		if len(args) > 0 {
			rest = append(rest, args[0])
			args = args[1:]
		}
	}
	return rest, nil
}

func (e Env) get(name string) string {
	for _, kv := range e.Vars {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			return v
		}
	}
	return ""
}

// load reads the configuration: the named file, else frontline.yaml where
// there is one.
func (e Env) load(file string) (*config.Config, error) {
	if file == "" {
		if _, err := os.Stat("frontline.yaml"); err == nil {
			file = "frontline.yaml"
		}
	}
	return config.Load(file, e.Vars)
}

func newLogger(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	level.UnmarshalText([]byte(c.Level)) // checked by config
	opt := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

func runVersion(_ context.Context, env Env, _ []string) error {
	fmt.Fprintln(env.Stdout, "frontline", Version)
	return nil
}
