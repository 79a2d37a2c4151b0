package store

import (
	"regexp"
	"slices"
	"testing"
)

// Every table with ids of ours is looked at when a process begins to make ids.
func TestTablesWithIDs(t *testing.T) {
	create := regexp.MustCompile(`^CREATE TABLE (\w+) \(id BIGINT PRIMARY KEY`)
	for _, m := range migrations {
		for _, step := range m.steps {
			if f := create.FindStringSubmatch(step); f != nil && f[1] != "shard" && !slices.Contains(tablesWithIDs, f[1]) {
				t.Errorf("table %s is missing in tablesWithIDs", f[1])
			}
		}
	}
}
