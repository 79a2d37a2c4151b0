package cli

import (
	"context"
	"fmt"
)

func runAudit(ctx context.Context, env Env, args []string) error {
	file, rest := takeConfig(args)
	if len(rest) != 1 || rest[0] != "verify" {
		return usagef("audit verify")
	}
	s, _, err := env.openStore(ctx, file)
	if err != nil {
		return err
	}
	defer s.Close()
	lines, faults, err := s.VerifyAudit(ctx)
	if err != nil {
		return err
	}
	for _, f := range faults {
		fmt.Fprintln(env.Stdout, f)
	}
	if len(faults) > 0 {
		return fmt.Errorf("the audit log was tampered with: %d of its chains do not hold", len(faults))
	}
	fmt.Fprintf(env.Stdout, "the audit log holds: %d lines\n", lines)
	return nil
}
