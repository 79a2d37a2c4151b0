package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/store"
	"frontline/store/storetest"
)

var (
	toZhou = chat.Address{Kind: chat.Person, ID: "zhou", Via: chat.App}
	toWang = chat.Address{Kind: chat.Person, ID: "wang", Via: chat.App}
)

func enqueue(t testing.TB, s *store.Store, out ...chat.Outgoing) {
	t.Helper()
	err := s.InTx(context.Background(), func(tx *store.Tx) error {
		for _, o := range out {
			if err := tx.Enqueue(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func words(key string, to chat.Address) chat.Outgoing {
	return chat.Outgoing{Key: key, To: to, Body: chat.Body{Text: key}}
}

func claimWords(t testing.TB, s *store.Store, want ...string) []chat.Delivery {
	t.Helper()
	list, err := s.Claim(context.Background(), 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range list {
		got = append(got, d.Body.Text)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("claimed %v, want %v", got, want)
	}
	return list
}

func sent(t testing.TB, s *store.Store, d chat.Delivery) {
	t.Helper()
	ctx := context.Background()
	d.Parts = []chat.Part{{API: "message/send", Body: json.RawMessage(`{}`)}}
	if err := s.Freeze(ctx, d, d.Parts); err != nil {
		t.Fatal(err)
	}
	if err := s.Sent(ctx, d, chat.Receipt{MsgID: "m", Road: "app"}); err != nil {
		t.Fatal(err)
	}
}

func TestOutboxOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now()
		s := lead(t, open(store.Options{Serve: true, Now: func() time.Time { return now }}))
		enqueue(t, s, words("z1", toZhou), words("w1", toWang), words("z2", toZhou), words("z1", toZhou))
		urgent := words("z3!", toZhou)
		urgent.Urgent = true
		first := claimWords(t, s, "z1", "w1")
		claimWords(t, s)
		enqueue(t, s, urgent)
		claimWords(t, s) // z1 is on its way
		sent(t, s, first[0])
		u := claimWords(t, s, "z3!")
		if err := s.Again(ctx, u[0], now.Add(time.Minute), false, errors.New("busy")); err != nil {
			t.Fatal(err)
		}
		z2 := claimWords(t, s, "z2") // what is urgent waits, the rest goes on
		sent(t, s, z2[0])
		now = now.Add(2 * time.Minute)
		u = claimWords(t, s, "z3!")
		if err := s.Never(ctx, u[0], errors.New("no such member")); err != nil {
			t.Fatal(err)
		}
		if err := s.Never(ctx, u[0], errors.New("x")); !errors.Is(err, store.ErrFenced) || !errors.Is(err, chat.ErrFenced) {
			t.Errorf("ended twice: %v", err)
		}
		d, err := s.OutboxDepth(ctx)
		if err != nil || d.Waiting != 1 || d.Dead != 1 {
			t.Errorf("depth %+v, %v", d, err)
		}
	})
}

func TestOutboxRetryHoldsThePlace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		now := time.Now()
		s := lead(t, open(store.Options{Serve: true, Now: func() time.Time { return now }}))
		enqueue(t, s, words("z1", toZhou), words("z2", toZhou))
		d := claimWords(t, s, "z1")[0]
		if err := s.Freeze(context.Background(), d, []chat.Part{{API: "message/send", Body: json.RawMessage(`{"a":1}`)}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Again(context.Background(), d, now.Add(time.Second), true, errors.New("no answer")); err != nil {
			t.Fatal(err)
		}
		claimWords(t, s)
		now = now.Add(time.Second)
		d = claimWords(t, s, "z1")[0]
		if !d.Unknown || d.Attempt != 1 || len(d.Parts) != 1 || string(d.Parts[0].Body) != `{"a":1}` {
			t.Errorf("second claim %+v", d)
		}
	})
}

// Who dies between the call and its record leaves a delivery that may have
// arrived; the bytes are the same and the parts that arrived are not repeated.
// Words that were in another worker's hands during the look, and were put back
// before the claim, still go first.
func TestOutboxLookIsCheckedAtTheClaim(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := lead(t, open(store.Options{Serve: true}))
		enqueue(t, s, words("z1", toZhou), words("z2", toZhou), words("w1", toWang))
		mark := func(state int) {
			if err := s.Exec("UPDATE outbox SET state=? WHERE send_key='z1'", state); err != nil {
				t.Fatal(err)
			}
		}
		mark(3)
		got, err := s.ClaimAfter(t.Context(), 10, func() { mark(0) })
		if err != nil || len(got) != 1 || got[0].Body.Text != "w1" {
			t.Fatalf("claimed %v (%v), want w1 alone: z1 is before z2", got, err)
		}
		claimWords(t, s, "z1")
	})
}

func TestOutboxAfterACrash(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := leadAll(t, open(store.Options{Serve: true, Lease: long}))
		enqueue(t, s, words("z1", toZhou), words("w1", toWang), words("z2", toZhou))
		list := claimWords(t, s, "z1", "w1")
		two := []chat.Part{{API: "message/send", Body: json.RawMessage(`{"n":1}`)}, {API: "message/send", Body: json.RawMessage(`{"n":2}`)}}
		d := list[0]
		if err := s.Freeze(ctx, d, two); err != nil {
			t.Fatal(err)
		}
		d.Parts = two
		if err := s.Sent(ctx, d, chat.Receipt{Road: "app"}); err != nil {
			t.Fatal(err)
		}
		s.Crash()
		s = leadAll(t, open(store.Options{Serve: true, Lease: long}))
		again := claimWords(t, s, "z1", "w1")
		if d := again[0]; !d.Unknown || d.Sent != 1 || string(d.Parts[1].Body) != `{"n":2}` {
			t.Errorf("after the crash %+v", d)
		}
		if d := again[1]; d.Unknown || d.Parts != nil {
			t.Errorf("what was never sent: %+v", d)
		}
		if err := s.Sent(ctx, list[1], chat.Receipt{}); !errors.Is(err, chat.ErrFenced) {
			t.Errorf("the claim from before the crash: %v", err)
		}
		again[0].Sent = 1
		if err := s.Sent(ctx, again[0], chat.Receipt{Road: "app", MsgID: "x"}); err != nil {
			t.Fatal(err)
		}
		claimWords(t, s, "z2")
		at, err := s.Recent(ctx, toZhou, time.Now().Add(-time.Minute))
		if err != nil || len(at) != 2 {
			t.Errorf("recent %v, %v; want one for each part", at, err)
		}
	})
}

func TestOutboxFencedBetweenReplicas(t *testing.T) {
	t.Parallel()
	url := storetest.MySQL(t)
	ctx := context.Background()
	a := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-a", Lease: long}))
	enqueue(t, a, words("z1", toZhou))
	d := claimWords(t, a, "z1")[0]
	b := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-b", Lease: long}))
	taken := claimWords(t, b, "z1")[0]
	for name, err := range map[string]error{
		"freeze": a.Freeze(ctx, d, []chat.Part{{}}), "sent": a.Sent(ctx, d, chat.Receipt{}),
		"again": a.Again(ctx, d, time.Now(), false, nil), "never": a.Never(ctx, d, errors.New("x")),
	} {
		if !errors.Is(err, chat.ErrFenced) {
			t.Errorf("%s by the one that slept: %v", name, err)
		}
	}
	sent(t, b, taken)
}

// A replica is stopped between the update that freezes the bytes and its
// commit. The one that takes over waits for the row, and must then see the
// bytes that may have been sent.
func TestClaimSeesWhatASleeperFroze(t *testing.T) {
	t.Parallel()
	url := storetest.MySQL(t)
	ctx := context.Background()
	a := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-a", Lease: long}))
	enqueue(t, a, words("z1", toZhou))
	d := claimWords(t, a, "z1")[0]
	b := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-b", Lease: long}))
	got := make(chan []chat.Delivery, 1)
	err := a.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.FreezeNow(d, []byte("bytes")); err != nil {
			return err
		}
		go func() {
			list, err := b.Claim(ctx, 5)
			if err != nil {
				t.Error(err)
			}
			got <- list
		}()
		time.Sleep(300 * time.Millisecond) // b waits for the row
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if list := <-got; len(list) != 0 {
		t.Fatalf("claimed as it was before: %+v", list)
	}
	again := claimWords(t, b, "z1")[0]
	if !again.Unknown || again.Parts == nil {
		t.Errorf("%+v", again)
	}
}

// The locks of a stopped replica end by themselves.
func TestSleepersLocksEnd(t *testing.T) {
	t.Parallel()
	url := storetest.MySQL(t)
	ctx := context.Background()
	a := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-a", Lease: long}))
	enqueue(t, a, words("z1", toZhou))
	d := claimWords(t, a, "z1")[0]
	b := leadAll(t, storetest.Open(t, url, store.Options{Serve: true, Replica: "serve-b", Lease: long}))
	awake := make(chan struct{})
	ended := make(chan error, 1)
	first := true
	began := make(chan struct{})
	go func() {
		ended <- a.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.FreezeNow(d, []byte("bytes")); err != nil {
				return err
			}
			if first {
				first = false
				close(began)
				<-awake // stopped
			}
			return nil
		})
	}()
	<-began
	at := time.Now()
	later(t, "the other claims it", func() bool {
		list, err := b.Claim(ctx, 5)
		return err == nil && len(list) == 1
	})
	t.Logf("claimed after %s", time.Since(at).Round(time.Millisecond))
	close(awake)
	if err := <-ended; !errors.Is(err, store.ErrFenced) {
		t.Errorf("the sleeper: %v", err)
	}
}

func TestEnqueueKeys(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := lead(t, open(store.Options{Serve: true}))
		long := strings.Repeat("很长的键", 100)
		enqueue(t, s, words(long, toZhou), words(long, toZhou), words(long+"2", toWang))
		if d, err := s.OutboxDepth(ctx); err != nil || d.Waiting != 2 {
			t.Errorf("depth %+v, %v", d, err)
		}
		for _, bad := range []chat.Outgoing{{To: toZhou}, {Key: "k"}} {
			if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.Enqueue(bad) }); err == nil {
				t.Errorf("queued %+v", bad)
			}
		}
	})
}

func TestCardCodes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now()
		s := lead(t, open(store.Options{Serve: true, Now: func() time.Time { return now }}))
		for _, code := range []string{"code-1", "code-2", "code-2"} {
			if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.KeepCode("task", "zhou", code) }); err != nil {
				t.Fatal(err)
			}
		}
		check := func(user, want string) {
			t.Helper()
			if got, err := s.Card(ctx, "task", user); err != nil || got != want {
				t.Errorf("Card(%s) = %q, %v; want %q", user, got, err, want)
			}
		}
		check("zhou", "code-2")
		check("wang", "")
		if err := s.SpendCard(ctx, "code-2"); err != nil {
			t.Fatal(err)
		}
		check("zhou", "code-1")
		now = now.Add(73 * time.Hour)
		check("zhou", "")
	})
}

// Words that ride on the answer of a smart bot's callback are taken once, come
// again on every poll, and go by no other road.
func TestInline(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now()
		s := lead(t, open(store.Options{Serve: true, Now: func() time.Time { return now }}))
		m := message("zhou", "1", "怎么开户")
		m.Via, m.From = chat.Bot, chat.Address{Kind: chat.Person, ID: "zhou", Via: chat.Bot}
		accept(t, s, m)
		all := func(chat.Outgoing) bool { return true }
		inline := func(fits func(chat.Outgoing) bool, wait time.Duration, done bool, want ...string) {
			t.Helper()
			ctx, cancel := context.WithTimeout(ctx, wait)
			defer cancel()
			say, over, err := s.Inline(ctx, m.ID, fits)
			var got []string
			for _, o := range say {
				got = append(got, o.Body.Text)
			}
			if err != nil || over != done || strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("Inline = %v, %v, %v; want %v, %v", got, over, err, want, done)
			}
		}
		inline(all, 20*time.Millisecond, false)
		turn := claim(t, s, 1)[0]
		go func() {
			s.FinishTurn(ctx, turn, store.Outcome{}, func(tx *store.Tx) error {
				for _, text := range []string{"一", "二", "三"} {
					if err := tx.Enqueue(chat.Outgoing{Body: chat.Body{Text: text}}); err != nil {
						return err
					}
				}
				other := words("else", toWang)
				return tx.Enqueue(other)
			})
		}()
		some := func(o chat.Outgoing) bool { return o.Body.Text != "二" }
		inline(some, 5*time.Second, true, "一", "三")
		inline(some, time.Second, true, "一", "三")
		claimWords(t, s, "else") // the rest still waits for a poll
		now = now.Add(9 * time.Second)
		d := claimWords(t, s, "二")[0]
		inline(all, time.Second, true, "一", "三") // too late: it is on another road
		sent(t, s, d)
		inline(all, time.Second, true, "一", "三")
		if at, err := s.Recent(ctx, m.From, now.Add(-time.Hour)); err != nil || len(at) != 1 {
			t.Errorf("recent %v, %v: what rode on an answer was not sent", at, err)
		}
	})
}

// Both roads want the same words at the same time: one gets them.
func TestInlineAgainstDelivery(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := lead(t, open(store.Options{Serve: true, Grace: time.Nanosecond}))
		for i := range 20 {
			m := message("zhou", fmt.Sprint(i), "x")
			m.Via, m.From = chat.Bot, chat.Address{Kind: chat.Person, ID: fmt.Sprint("p", i), Via: chat.Bot}
			accept(t, s, m)
			turn := claim(t, s, 1)[0]
			if err := s.FinishTurn(ctx, turn, store.Outcome{}, func(tx *store.Tx) error { return tx.Enqueue(chat.Outgoing{Body: chat.Body{Text: "a"}}) }); err != nil {
				t.Fatal(err)
			}
			got := make(chan int, 1)
			go func() {
				say, _, err := s.Inline(ctx, m.ID, func(chat.Outgoing) bool { return true })
				if err != nil {
					t.Error(err)
				}
				got <- len(say)
			}()
			list, err := s.Claim(ctx, 5)
			if err != nil {
				t.Fatal(err)
			}
			if n := <-got; n+len(list) > 1 {
				t.Fatalf("round %d: %d rode and %d were claimed", i, n, len(list))
			}
			for _, d := range list {
				sent(t, s, d)
			}
		}
	})
}

// What a smart bot says over its long connection waits for no callback, and is
// sent by one replica: the one that holds the connection.
func TestWordsOfTheLongConnection(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		a := leadAll(t, open(store.Options{Serve: true, Lease: long}))
		if !a.SpeaksForBot() {
			t.Fatal("nobody speaks for the bot")
		}
		m := message("zhou", "1", "x")
		m.Via, m.From.Via, m.ReplyURL = chat.Bot, chat.Bot, chat.LiveReply+"aibot_respond_msg?req_id=1"
		other := message("zhou", "2", "x")
		other.Via, other.From.Via, other.ReplyURL = chat.Bot, chat.Bot, "https://example.com/r?response_code=1"
		accept(t, a, m)
		accept(t, a, other)
		say := func(key, answers string, to chat.Address) {
			t.Helper()
			if err := a.InTx(context.Background(), func(tx *store.Tx) error {
				return tx.Enqueue(chat.Outgoing{Key: key, To: to, ReplyTo: answers, Body: chat.Body{Text: key}})
			}); err != nil {
				t.Fatal(err)
			}
		}
		say("live", m.ID, m.From)
		say("callback", other.ID, chat.Address{Kind: chat.Group, ID: "g1", Via: chat.Bot})
		say("push", "", chat.Address{Kind: chat.Group, ID: "g2", Via: chat.Bot})
		if n := a.Count("SELECT COUNT(DISTINCT shard) FROM outbox"); n != 1 {
			t.Errorf("words of the bot wait in %d shards", n)
		}
		if err := a.Exec("UPDATE outbox SET shard=(shard+1)%64 WHERE send_key='push'"); err != nil { // an earlier version
			t.Fatal(err)
		}
		leadAll(t, a)
		list, err := a.Claim(context.Background(), 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range list {
			got = append(got, d.Key)
		}
		if fmt.Sprint(got) != "[live push]" {
			t.Errorf("claimed %v", got)
		}
		if n := a.Count("SELECT COUNT(DISTINCT shard) FROM outbox"); n != 1 {
			t.Errorf("words of the bot wait in %d shards after a start", n)
		}
	})
}
