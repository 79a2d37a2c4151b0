package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"frontline/config"
	"frontline/store"
)

// checkGroups refuses a name that the configuration and the database both have:
// nobody could tell whose robot it means.
func checkGroups(ctx context.Context, cfg *config.Config, s *store.Store) error {
	var faults config.Faults
	for _, g := range cfg.Groups {
		_, err := s.FindGroup(ctx, g.Name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("compare the groups: %w", err)
		}
		faults = append(faults, fmt.Sprintf("groups: the name %q stands in the configuration and was added in the console too; rename it here, or take it out here and keep the console's", g.Name))
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// groupNames are the groups of the database; none when it does not answer.
func groupNames(ctx context.Context, s *store.Store) (names []string) {
	groups, _ := s.ListGroups(ctx)
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return names
}

// configured is a group of the configuration, or nil.
func (e *engine) configured(name string) *config.Group {
	for i, g := range e.cfg.Groups {
		if g.Name == name {
			return &e.cfg.Groups[i]
		}
	}
	return nil
}

// robotKey finds a group's robot at the moment of sending: a change in the
// console counts for the next message, in every replica.
func (e *engine) robotKey(ctx context.Context, name string) (string, error) {
	if g := e.configured(name); g != nil {
		return string(g.RobotKey), nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	key, err := e.store.RobotKey(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return key, err
}

// groupOwners are whom to tell when something is wrong with a group.
func (e *engine) groupOwners(ctx context.Context, name string) (title string, owners []string, err error) {
	if g := e.configured(name); g != nil {
		return g.Title, g.Owners, nil
	}
	g, err := e.store.FindGroup(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return g.Title, g.Owners, err
}
