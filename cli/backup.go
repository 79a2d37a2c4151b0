package cli

import (
	"context"
	"fmt"
)

func runBackup(ctx context.Context, env Env, args []string) error {
	file, rest := takeConfig(args)
	if len(rest) != 1 {
		return usagef("backup FILE")
	}
	s, _, err := env.openStore(ctx, file)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Backup(ctx, rest[0]); err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "%s holds everything; keep the encryption key with it, it is not inside\n", rest[0])
	return nil
}
