package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"frontline/bot/chat"
	"frontline/store"
)

func runUser(ctx context.Context, env Env, args []string) error {
	// Not package flag: -tester is a role to take away.
	file, rest := takeConfig(args)
	const usage = "user list, or user role USERID ROLE… (+ROLE adds, -ROLE takes away)"
	if len(rest) == 0 {
		return usagef(usage)
	}
	s, _, err := env.openStore(ctx, file)
	if err != nil {
		return err
	}
	defer s.Close()
	switch {
	case rest[0] == "list" && len(rest) == 1:
		return listUsers(ctx, env, s)
	case rest[0] == "role" && len(rest) >= 3:
		return setRoles(ctx, env, s, rest[1], rest[2:])
	}
	return usagef(usage)
}

func listUsers(ctx context.Context, env Env, s *store.Store) error {
	users, err := s.ListMembers(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 4, 2, ' ', 0)
	for _, u := range users {
		state := ""
		if u.Disabled {
			state = "disabled"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.ID, u.Name, u.Department, u.Roles, state)
	}
	return w.Flush()
}

// setRoles applies changes such as curator, +curator, -tester. Roles without a
// sign replace the whole set; everybody stays a reporter.
func setRoles(ctx context.Context, env Env, s *store.Store, id string, changes []string) error {
	var after chat.RoleSet
	err := s.InTx(ctx, func(tx *store.Tx) error {
		u, err := tx.FindMember(id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if after, err = applyRoles(u.Roles, changes); err != nil {
			return err
		}
		return tx.SetRoles("cli", id, after)
	})
	if err == nil {
		fmt.Fprintf(env.Stdout, "%s: %s\n", id, after)
	}
	return err
}

func applyRoles(have chat.RoleSet, changes []string) (chat.RoleSet, error) {
	want := map[chat.Role]bool{}
	for _, r := range have {
		want[r] = true
	}
	replaced := false
	for _, c := range changes {
		set, err := chat.ParseRoles(strings.TrimLeft(c, "+-"))
		if err != nil {
			return nil, usageError{err}
		}
		plain := !strings.HasPrefix(c, "+") && !strings.HasPrefix(c, "-")
		if plain && !replaced {
			clear(want)
			replaced = true
		}
		for _, r := range set {
			want[r] = !strings.HasPrefix(c, "-")
		}
	}
	want[chat.Reporter] = true
	var out chat.RoleSet
	for _, r := range chat.Roles {
		if want[r] {
			out = append(out, r)
		}
	}
	return out, nil
}

// takeConfig takes -config FILE out of the arguments.
func takeConfig(args []string) (file string, rest []string) {
	for i := 0; i < len(args); i++ {
		name, value, same := strings.Cut(strings.TrimPrefix(args[i], "-"), "=")
		switch {
		case (name == "-config" || name == "config") && strings.HasPrefix(args[i], "-") && same:
			file = value
		case (name == "-config" || name == "config") && strings.HasPrefix(args[i], "-") && i+1 < len(args):
			i++
			file = args[i]
		default:
			rest = append(rest, args[i])
		}
	}
	return file, rest
}
