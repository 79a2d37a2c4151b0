package bot_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/bot"
	"frontline/bot/chat"
)

// The vector of the Standard Webhooks specification's own libraries
// (github.com/standard-webhooks/standard-webhooks, libraries/*/test).
func TestHookSignatureVector(t *testing.T) {
	got := bot.HookSignature(hookKey, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

var hookKey, _ = base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

// subscriber is an outside program: it answers as told and keeps what it took.
type subscriber struct {
	*httptest.Server
	mu      sync.Mutex
	answers []int // status of the next posts; then 204
	took    []map[string]any
	ids     []string
	faults  []string
}

func newSubscriber(t *testing.T, answers ...int) *subscriber {
	s := &subscriber{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		id, stamp := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
		var at int64
		fmt.Sscan(stamp, &at)
		if r.Header.Get("webhook-signature") != bot.HookSignature(hookKey, id, time.Unix(at, 0), body) {
			s.faults = append(s.faults, "a wrong signature")
		}
		status := http.StatusNoContent
		if len(s.answers) > 0 {
			status, s.answers = s.answers[0], s.answers[1:]
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		if r.URL.Path != "/in" {
			s.faults = append(s.faults, "followed a redirect to "+r.URL.Path)
		}
		s.ids = append(s.ids, id)
		if status/100 == 2 {
			var e map[string]any
			json.Unmarshal(body, &e)
			if e["id"] != id {
				s.faults = append(s.faults, "the id of header and body differ")
			}
			s.took = append(s.took, e)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s
}

func event(n int) chat.Outgoing {
	return chat.Outgoing{Key: fmt.Sprint("event ", n), To: chat.Address{Kind: chat.Hook, ID: "itsm"}, Body: chat.Body{Event: &chat.Event{Type: "ticket.changed", At: time.Now(), Data: json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))}}}
}

func hookWorld(t *testing.T, s *subscriber) *world {
	w := newWorld(t)
	hooks := bot.NewHooks([]bot.Hook{{Name: "itsm", URL: s.URL + "/in", Key: hookKey}}, w.clock.Now)
	w.hooks = hooks
	w.crash() // the deliverer begins with them
	return w
}

// Events come in order, signed, again until they are taken, with one id for all
// tries; a crash in between changes nothing.
func TestHookDelivery(t *testing.T) {
	s := newSubscriber(t, 500, 302, 404, 204)
	w := hookWorld(t, s)
	w.say(event(1), event(2), event(3))
	w.run(2 * time.Second)
	w.crash()
	w.run(time.Minute)
	w.wantStates("sent\nsent\nsent")
	for _, r := range w.rows() {
		if r.Receipt.Status != http.StatusNoContent {
			t.Errorf("kept as the answer: %d", r.Receipt.Status)
		}
	}
	var order []any
	for _, e := range s.took {
		order = append(order, e["data"].(map[string]any)["n"])
	}
	if fmt.Sprint(order) != "[1 2 3]" || len(s.ids) != 6 || s.ids[0] != s.ids[3] || s.ids[3] == s.ids[4] || len(s.faults) > 0 {
		t.Errorf("took %v in %v, faults %v", order, s.ids, s.faults)
	}
	if log := w.log.String(); strings.Contains(log, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") {
		t.Error("the secret is in the log")
	}
}

// Who wants no more, who is unknown and who is away for a day make dead letters
// with their reason.
func TestHookDeadLetters(t *testing.T) {
	s := newSubscriber(t, http.StatusGone)
	w := hookWorld(t, s)
	stranger := event(2)
	stranger.To.ID = "stranger"
	w.say(event(1), stranger, event(3))
	w.run(time.Second)
	statuses := map[int]int{}
	for _, r := range w.rows() {
		statuses[r.Receipt.Status]++
	}
	if statuses[http.StatusGone] != 1 || statuses[0] != 1 || statuses[http.StatusNoContent] != 1 {
		t.Errorf("kept as the answers: %v", statuses)
	}
	if got := w.states(); !strings.Contains(got, "410") || !strings.Contains(got, "没有订阅方 stranger") || strings.Count(got, "sent") != 1 {
		t.Errorf("states:\n%s", got)
	}
	s.Close()
	w.say(event(4))
	w.run(25 * time.Hour)
	if got := w.states(); strings.Count(got, "dead") != 3 {
		t.Errorf("a subscriber that is away for a day:\n%s", got)
	}
}
