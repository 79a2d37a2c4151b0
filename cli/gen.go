package cli

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"frontline/handlers/construct/gen"
)

// maxGen bounds what one call prints.
const maxGen = 10_000_000

// runGen prints generated values, one a line. Every flag that is not its own
// is an option of the kind: -sex f -age 30.
func runGen(ctx context.Context, env Env, args []string) error {
	kind, count, check := "", 1, ""
	conf, opt := gen.Config{Seed: rand.Uint64()}, gen.Options{}
	for i := 0; i < len(args); i++ {
		name, dashed := strings.CutPrefix(args[i], "-")
		if !dashed {
			if kind != "" {
				return usagef("gen takes one kind, not %q too", args[i])
			}
			kind = args[i]
			continue
		}
		name, value, inline := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if !inline {
			if i+1 < len(args) && (!strings.HasPrefix(args[i+1], "-") || name == "offset") {
				i++
				value = args[i]
			} else {
				value = "true"
			}
		}
		var err error
		switch name {
		case "count":
			if count, err = strconv.Atoi(value); err != nil || count < 1 || count > maxGen {
				return usagef("-count must be a number from 1 to %d", maxGen)
			}
		case "seed":
			if conf.Seed, err = strconv.ParseUint(value, 10, 64); err != nil {
				return usagef("-seed must be a number")
			}
		case "profile":
			if conf.Profile = gen.Profile(value); conf.Profile != gen.Safe && conf.Profile != gen.Strict {
				return usagef("-profile must be safe or strict")
			}
		case "check":
			check = value
		default:
			opt[name] = value
		}
	}
	if kind == "" {
		return usagef("gen KIND [-count N] [-seed N] [-profile safe|strict] [-OPTION VALUE…] [-check VALUE]; kinds: %s", strings.Join(gen.Names(), ", "))
	}
	if !gen.Known(kind) {
		return usagef("no kind %q; kinds: %s", kind, strings.Join(gen.Names(), ", "))
	}
	if check != "" {
		if err := gen.Check(kind, check); err != nil {
			return err
		}
		fmt.Fprintln(env.Stdout, "ok")
		return nil
	}
	g := gen.New(conf)
	out := bufio.NewWriter(env.Stdout)
	defer out.Flush()
	for range count {
		v, err := g.Make(kind, opt)
		if err != nil {
			return usageError{err}
		}
		fmt.Fprintln(out, v)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
