//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/store"
	"frontline/store/storetest"
)

// Alerts that real senders sent are played to the real program, which is killed
// between any two of them and in the middle of them: what comes out is what
// EXPECTED.json says.

const (
	hooksToken = "hooks-token-of-the-crash-tests"
	apiToken   = "api-token-of-the-crash-tests"
)

// sequence is what one sender sent over a time.
type sequence struct {
	name, kind string
	parts      []part
	want       store.AlertTally
}

type part struct {
	Body     json.RawMessage
	Offset   float64 `json:"offset_s"`
	Sequence string
}

// capturedSequences are the sequences of which EXPECTED.json says what comes of
// them, by name.
func capturedSequences(t *testing.T) (out []sequence) {
	t.Helper()
	const dir = "handlers/alert/testdata"
	text, err := os.ReadFile(filepath.Join(dir, "EXPECTED.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]store.AlertTally
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	parts := map[string][]part{}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files { // sorted, and so in their order
		if filepath.Base(f) == "index.json" {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var p part
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(f, err)
		}
		name := filepath.Base(filepath.Dir(f)) + "/" + p.Sequence
		parts[name] = append(parts[name], p)
	}
	for name, w := range want {
		if len(parts[name]) == 0 {
			t.Fatalf("no deliveries of %s", name)
		}
		kind, _, _ := strings.Cut(name, "/")
		out = append(out, sequence{name, kind, parts[name], w})
	}
	slices.SortFunc(out, func(a, b sequence) int { return strings.Compare(a.name, b.name) })
	return out
}

// source is the name under which a sequence is played once.
func (q sequence) source(play string) string {
	return strings.ReplaceAll(q.name, "/", "-") + "-" + play
}

// alertWorld is a world whose replica takes alerts; each sequence has a source
// of its own for each play.
func alertWorld(t *testing.T, dbURL string, all []sequence, plays ...string) (*world, *replica) {
	t.Helper()
	w := newWorld(t, dbURL, 1)
	r := w.replicas[0]
	var b strings.Builder
	fmt.Fprintf(&b, "groups:\n  - { name: desk, title: 值班群, robot_key: %s }\nalerts:\n  default_group: desk\n  routes: [{ name: quick, match: [team=quick], groups: [desk], interval: 1s }]\n  sources:\n", crashRobot)
	for _, play := range append(plays, "") {
		for _, q := range all {
			if play != "" {
				fmt.Fprintf(&b, "    - { name: %s, kind: %s }\n", q.source(play), q.kind)
			}
		}
	}
	fmt.Fprint(&b, "    - { name: spare, kind: alertmanager }\n")
	if err := os.WriteFile(filepath.Join(r.dir, "frontline.yaml"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	r.env = []string{"FRONTLINE_HOOKS_TOKEN=" + hooksToken, "FRONTLINE_API_TOKEN=" + apiToken}
	return w, r
}

var hookClient = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// hook posts a body to a source once; nil means that it was acknowledged.
func (r *replica) hook(source string, body []byte) error {
	req, err := http.NewRequest("POST", "http://"+r.addr+"/hooks/"+source, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+hooksToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := hookClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %d %s", source, resp.StatusCode, answer)
	}
	return nil
}

// send posts until it is acknowledged, as senders do.
func (w *world) send(r *replica, source string, body []byte) {
	w.t.Helper()
	var last error
	w.until("the sender is answered 2xx", 30*time.Second, func() bool {
		last = r.hook(source, body)
		return last == nil
	})
}

// api reads an answer of the API.
func (r *replica) api(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+r.addr+"/api/v1/"+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+apiToken)
	resp, err := hookClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

func (w *world) tally(r *replica, source string) (t store.AlertTally) {
	w.t.Helper()
	if err := r.api(w.t.Context(), "alerts/counts?source="+source, &t); err != nil {
		w.t.Fatal(err)
	}
	return t
}

var alertsWaiting = regexp.MustCompile(`frontline_queue_depth\{queue="alerts"\} (\d+)`)

// applied waits until everything that was acknowledged is applied.
func (w *world) applied(r *replica) time.Duration {
	w.t.Helper()
	return w.until("nothing waits to be applied", time.Minute, func() bool {
		m := alertsWaiting.FindStringSubmatch(r.get("/metrics"))
		return m != nil && m[1] == "0"
	})
}

// wantTally compares a play of a sequence with what is expected of it. Of one
// whose deliveries may have come twice only repeats may be more.
func (w *world) wantTally(r *replica, q sequence, play string, twice bool) {
	w.t.Helper()
	got, want := w.tally(r, q.source(play)), q.want
	if twice && got.Repeated >= want.Repeated && got.Again >= want.Again && got.NotListed >= want.NotListed {
		got.Repeated, got.Again, got.NotListed = want.Repeated, want.Again, want.NotListed
	}
	if got != want {
		w.t.Errorf("%s, %s:\n%+v, want\n%+v", q.name, play, got, want)
	}
}

// up waits until a started replica takes connections.
func (w *world) up(r *replica) time.Duration {
	w.t.Helper()
	return w.until("it answers", 30*time.Second, func() bool { return r.get("/healthz") != "" })
}

func longest(all []sequence) (n int) {
	for _, q := range all {
		n = max(n, len(q.parts))
	}
	return n
}

// TestAlertKills plays every captured sequence
//
//   - "p1", "p2", …: with one kill -9, after the first, the second, … delivery;
//   - "each": with a kill -9 after every delivery;
//   - "amid": with kills that fall while a delivery is on its way, which is then
//     sent again, as a sender does that was not answered.
//
// Some of the points are tried, FRONTLINE_ALERT_KILLS=all tries each of them, on
// MariaDB too.
func TestAlertKills(t *testing.T) {
	everything := os.Getenv("FRONTLINE_ALERT_KILLS") == "all"
	t.Run("sqlite", func(t *testing.T) {
		playWithKills(t, "sqlite:"+filepath.Join(t.TempDir(), "frontline.db"), everything)
	})
	if everything {
		t.Run("mysql", func(t *testing.T) { playWithKills(t, storetest.MySQL(t), true) })
	}
}

func playWithKills(t *testing.T, dbURL string, everything bool) {
	all := capturedSequences(t)
	points := []int{1, 4, 8}
	rounds := 1
	if everything {
		points, rounds = nil, 5
		for n := 1; n < longest(all); n++ {
			points = append(points, n)
		}
	}
	var plays []string
	for _, n := range points {
		plays = append(plays, fmt.Sprint("p", n))
	}
	for n := range rounds {
		plays = append(plays, fmt.Sprint("amid", n))
	}
	w, r := alertWorld(t, dbURL, all, append(plays, "each")...)
	rnd := rand.New(rand.NewPCG(w.seed, 2))
	r.start()
	w.up(r)
	killed := 0
	again := func() {
		r.kill()
		killed++
		r.start()
		w.up(r)
	}
	// deliver posts the deliveries from, included, until to, not, of every sequence.
	deliver := func(play string, from, to int) {
		var g sync.WaitGroup
		for _, q := range all {
			g.Go(func() {
				for _, p := range q.parts[min(from, len(q.parts)):min(to, len(q.parts))] {
					w.send(r, q.source(play), p.Body)
				}
			})
		}
		g.Wait()
	}
	for _, n := range points {
		play := fmt.Sprint("p", n)
		deliver(play, 0, n)
		again()
		deliver(play, n, longest(all))
	}
	for n := range longest(all) {
		deliver("each", n, n+1)
		again()
	}
	amid := 0
	for round := range rounds {
		for n := range longest(all) {
			done := make(chan struct{})
			go func() { deliver(fmt.Sprint("amid", round), n, n+1); close(done) }()
			time.Sleep(time.Duration(rnd.IntN(12_000)) * time.Microsecond)
			select {
			case <-done:
			default:
				amid++
			}
			again()
			<-done
		}
	}
	w.applied(r)
	for _, q := range all {
		for _, play := range append(plays, "each") {
			w.wantTally(r, q, play, strings.HasPrefix(play, "amid"))
		}
	}
	if !t.Failed() {
		t.Logf("%d sequences, %d plays each, %d kills, %d of them with deliveries on their way: all as expected; %d messages in the group", len(all), len(plays)+1, killed, amid, len(w.pushed()))
	}
}
