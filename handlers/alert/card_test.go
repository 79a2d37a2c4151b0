package alert

import "testing"

func TestCardAlert(t *testing.T) {
	for task, want := range map[string]int64{"alert-7-3-0": 7, "alert-7-3": 0, "alert-x-1-0": 0, "T1042": 0, "": 0} {
		if got := CardAlert(task); got != want {
			t.Errorf("%q: %d", task, got)
		}
	}
}
