package cli

import "testing"

// The way to the platform counts as broken after some failures in a row that
// are not about one message, and as whole again after one success.
func TestCallsInARow(t *testing.T) {
	var c calls
	see := func(want string, seen ...string) {
		t.Helper()
		for i := 0; i < len(seen); i += 2 {
			c.saw(seen[i], seen[i+1])
		}
		if got := c.failing(); got != want {
			t.Errorf("after %v: %q, want %q", seen, got, want)
		}
	}
	see("", "message/send", "60020", "message/send", "60020")
	see("60020", "gettoken", "60020")
	see("60020", "message/send", "81013") // a receiver: nothing about the way
	see("", "message/send", "0")
	see("", "webhook/send", "93000", "webhook/send", "93000", "webhook/send", "45009", "message/send", "43012")
	see("none", "message/send", "none", "message/send", "http502", "message/send", "none")
}
