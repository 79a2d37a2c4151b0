package kb_test

import (
	"testing"
	"time"

	"frontline/kb"
	"frontline/kb/sample"
)

// TestBareEntries takes the similar questions of every fifth entry away and asks them:
// the entry is found nearly as often as where no entry has any.
func TestBareEntries(t *testing.T) {
	all := sample.Entries(time.Now())
	asked, mixed, cold := 0, 0, 0
	for turn := range 5 {
		some, none := make([]kb.Entry, len(all)), make([]kb.Entry, len(all))
		var texts []string
		var owners []int64
		for i, e := range all {
			some[i], none[i] = e, e
			none[i].Similar = nil
			if i%5 == turn {
				some[i].Similar = nil
				for _, text := range e.Similar {
					texts, owners = append(texts, text), append(owners, e.Number)
				}
			}
		}
		asked += len(texts)
		mixed += found(t, load(t, some), texts, owners)
		cold += found(t, load(t, none), texts, owners)
	}
	t.Logf("of %d questions on entries without similar questions %d are found beside entries with them, %d beside others like them", asked, mixed, cold)
	if mixed < cold*85/100 {
		t.Errorf("beside entries with similar questions %d of %d are found, %d without", mixed, asked, cold)
	}
}

// found counts the questions whose first hit is their owner.
func found(t *testing.T, e *kb.Engine, texts []string, owners []int64) (n int) {
	t.Helper()
	for i, text := range texts {
		res, err := e.Search(t.Context(), kb.Query{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if len(res.Hits) > 0 && res.Hits[0].Entry.Number == owners[i] {
			n++
		}
	}
	return n
}
