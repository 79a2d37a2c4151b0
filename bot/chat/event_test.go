package chat

import "testing"

func TestSubscribersWant(t *testing.T) {
	list := Subscribers{{Name: "all"}, {Name: "alerts", Events: []string{"alert.*"}}, {Name: "one", Events: []string{AlertClaimed, RunFailed}}}
	for event, want := range map[string]string{AlertClaimed: "all alerts one", AlertOpened: "all alerts", RunFailed: "all one", TicketCreated: "all"} {
		got := ""
		for _, s := range list.Wanting(event) {
			got += " " + s.Name
		}
		if got != " "+want {
			t.Errorf("%s: %s, want %s", event, got, want)
		}
	}
	for text, want := range map[string]bool{"alert.*": true, "run.failed": true, "*": false, "al*": false, "alert.": false, "alert": false, "nothing.*": false, "": false, HookTest: false} {
		if Choosable(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
