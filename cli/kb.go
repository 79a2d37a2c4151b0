package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/kb"
	"frontline/store"
)

type kbFlags struct {
	config, kb, queries, out, track string
	dryRun, explain                 bool
	n                               int
}

func runKB(ctx context.Context, env Env, args []string) error {
	var f kbFlags
	rest, err := flags(env, "kb", args, func(fs *flag.FlagSet) {
		fs.StringVar(&f.config, "config", "", "configuration file")
		fs.BoolVar(&f.dryRun, "dry-run", false, "import: say what would be done and change nothing")
		fs.BoolVar(&f.explain, "explain", false, "search: say why each hit was found")
		fs.IntVar(&f.n, "n", 5, "search: hits to show")
		fs.StringVar(&f.kb, "kb", "", "eval: knowledge (jsonl)")
		fs.StringVar(&f.queries, "queries", "", "eval: questions (jsonl)")
		fs.StringVar(&f.out, "out", "", "eval: where the results go (jsonl)")
		fs.StringVar(&f.track, "track", "warm", "eval: warm uses the similar questions, cold does not")
	})
	if err != nil {
		return err
	}
	const usage = "kb import FILE… | kb export FILE | kb search TEXT | kb eval -kb F -queries F -out F"
	if len(rest) == 0 {
		return usagef(usage)
	}
	switch verb, names := rest[0], rest[1:]; {
	case verb == "import" && len(names) > 0:
		return importKB(ctx, env, f, names)
	case verb == "export" && len(names) == 1:
		return exportKB(ctx, env, f, names[0])
	case verb == "search" && len(names) > 0:
		return searchKB(ctx, env, f, strings.Join(names, " "))
	case verb == "eval" && len(names) == 0:
		return evalKB(env, f)
	}
	return usagef(usage)
}

// importKB reads all files first: one bad row anywhere, and nothing is stored.
func importKB(ctx context.Context, env Env, f kbFlags, names []string) error {
	var entries []kb.Entry
	bad := 0
	for _, name := range names {
		got, wrong, err := readEntries(env, name)
		if err != nil {
			return err
		}
		entries, bad = append(entries, got...), bad+wrong
	}
	if bad > 0 {
		return fmt.Errorf("%d rows are wrong; nothing was imported", bad)
	}
	s, cfg, err := env.openStore(ctx, f.config)
	if err != nil {
		return err
	}
	defer s.Close()
	desk := &handlers.Desk{Store: s, Subscribers: subscribersOf(cfg)}
	var p store.Put
	err = s.InTx(ctx, func(tx *store.Tx) error {
		var err error
		p, err = tx.PutEntriesTelling("cli", entries, func(e store.EntryPut) error {
			return desk.EmitEntry(tx, chat.EntryPublished, "cli", e.Number, e.Before > 0)
		})
		if err == nil && f.dryRun {
			err = errDryRun
		}
		return err
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return err
	}
	verb := "imported"
	if f.dryRun {
		verb = "would import"
	}
	fmt.Fprintf(env.Stdout, "%s %d entries: %d new, %d changed, %d the same\n", verb, len(entries), p.Created, p.Updated, p.Same)
	return nil
}

// errDryRun takes everything back.
var errDryRun = errors.New("dry run")

func readEntries(env Env, name string) (entries []kb.Entry, bad int, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	rows, warnings, err := kb.ReadFile(name, file)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w", name, err)
	}
	for _, w := range warnings {
		fmt.Fprintf(env.Stderr, "%s: warning: %s\n", name, w)
	}
	for _, r := range rows {
		if r.Err != nil {
			bad++
			fmt.Fprintf(env.Stderr, "%s:%d: %v\n", name, r.Line, r.Err)
			continue
		}
		entries = append(entries, r.Entry)
	}
	return entries, bad, nil
}

func exportKB(ctx context.Context, env Env, f kbFlags, name string) (err error) {
	s, _, err := env.openStore(ctx, f.config)
	if err != nil {
		return err
	}
	defer s.Close()
	var all []kb.Entry
	for after := int64(0); ; {
		page, err := s.ListEntries(ctx, after, 1000)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		all, after = append(all, page...), page[len(page)-1].Number
	}
	if err := writeFile(name, func(w io.Writer) error { return kb.WriteFile(name, w, all) }); err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "exported %d entries\n", len(all))
	return nil
}

// writeFile writes beside the target and renames, so that a failure leaves the
// old file as it was.
func writeFile(name string, write func(w io.Writer) error) error {
	tmp, err := os.CreateTemp(dirOf(name), ".frontline-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(write(tmp), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

func dirOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i+1]
	}
	return "."
}

func searchKB(ctx context.Context, env Env, f kbFlags, text string) error {
	s, cfg, err := env.openStore(ctx, f.config)
	if err != nil {
		return err
	}
	defer s.Close()
	engine := kb.NewEngine(kb.Options{})
	if err := engine.Load(ctx, s); err != nil {
		return err
	}
	found, err := engine.Search(ctx, kb.Query{Text: text, N: f.n, Now: time.Now().In(cfg.Location())})
	if err != nil {
		return err
	}
	bands := map[kb.Band]string{kb.Answer: "有把握", kb.Clarify: "可能是", kb.Refuse: "没有可靠的答案"}
	fmt.Fprintf(env.Stdout, "%s (%s)\n", bands[found.Band], found.Reason)
	for i, h := range found.Hits {
		fmt.Fprintf(env.Stdout, "%d  %.2f  K%d  %s\n", i+1, h.Score, h.Entry.Number, h.Entry.Question)
		if f.explain {
			explain(env.Stdout, h)
		}
	}
	return nil
}

func explain(w io.Writer, h kb.Hit) {
	x := h.Explanation
	fmt.Fprintf(w, "      matched %s %q, exact %v\n", x.Field, h.Matched, x.Exact)
	for _, t := range x.Terms {
		fmt.Fprintf(w, "      %-12s %.3f\n", t.Text, t.Weight)
	}
	if len(x.Missing) > 0 {
		fmt.Fprintf(w, "      not in the entry: %s\n", strings.Join(x.Missing, " "))
	}
	for _, s := range x.Synonyms {
		fmt.Fprintf(w, "      read %q as %q\n", s.From, s.To)
	}
}

func evalKB(env Env, f kbFlags) error {
	if f.kb == "" || f.queries == "" || f.out == "" {
		return usagef("kb eval needs -kb, -queries and -out")
	}
	if f.track != "warm" && f.track != "cold" {
		return usagef("-track is warm or cold")
	}
	base, err := os.Open(f.kb)
	if err != nil {
		return err
	}
	defer base.Close()
	queries, err := os.Open(f.queries)
	if err != nil {
		return err
	}
	defer queries.Close()
	var sum kb.Summary
	began := time.Now()
	err = writeFile(f.out, func(w io.Writer) error {
		sum, err = kb.Eval(base, queries, w, f.track)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "%d questions against %d entries, %d answered, %.1f s\n", sum.Queries, sum.Entries, sum.Answered, time.Since(began).Seconds())
	printReliability(env.Stdout, sum)
	return nil
}

// printReliability is the calibration of queries whose right answers are known.
func printReliability(w io.Writer, sum kb.Summary) {
	r := sum.Labelled
	if r.N == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-13s %9s %9s %9s\n", "probability", "questions", "stated", "right")
	for _, b := range r.Bins {
		fmt.Fprintf(w, "%.1f to %.1f    %9d %8.1f%% %8.1f%%\n", b.From, b.To, b.N, 100*b.Stated, 100*b.Right)
	}
	fmt.Fprintf(w, "expected calibration error %.1f %% over %d labelled questions; answered from %.2f\n", 100*r.Error, r.N, sum.Threshold)
}
