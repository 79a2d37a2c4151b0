package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

func inTx(t testing.TB, s *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := s.InTx(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

// On SQLite the numbers have no gaps, whatever fails; on MySQL two replicas
// never give out the same one.
func TestNumbers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		a := open(store.Options{NumberBlock: 3})
		b := a
		if a.Kind() == "mysql" {
			b = open(store.Options{NumberBlock: 3})
		}
		var mu sync.Mutex
		seen := map[int64]bool{}
		var wg sync.WaitGroup
		for i := range 60 {
			s := []*store.Store{a, b}[i%2]
			wg.Go(func() {
				var n int64
				err := s.InTx(context.Background(), func(tx *store.Tx) error {
					tk := store.Ticket{Title: "x", Reporter: "r"}
					if err := tx.CreateTicket(&tk); err != nil {
						return err
					}
					n = tk.Number
					if i%5 == 0 {
						return errors.New("taken back")
					}
					return nil
				})
				if (err != nil) != (i%5 == 0) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					if seen[n] {
						t.Errorf("T%d was given out twice", n)
					}
					seen[n] = true
				}
			})
		}
		wg.Wait()
		if a.Kind() == "sqlite" {
			for n := int64(1); n <= 48; n++ {
				if !seen[n] {
					t.Errorf("T%d is missing", n)
				}
			}
		}
	})
}

func TestOneTicketForAMessage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		made := func() error {
			return s.InTx(context.Background(), func(tx *store.Tx) error {
				return tx.CreateTicket(&store.Ticket{Title: "x", Reporter: "r", Source: message("a", "1", "").ID})
			})
		}
		if err := made(); err != nil {
			t.Fatal(err)
		}
		if err := made(); !errors.Is(err, store.ErrExists) {
			t.Errorf("second ticket of a message: %v", err)
		}
	})
}

func TestTicketMoves(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		s := open(store.Options{})
		tk := store.Ticket{Title: "x", Reporter: "r"}
		inTx(t, s, func(tx *store.Tx) error { tk = store.Ticket{Title: "x", Reporter: "r"}; return tx.CreateTicket(&tk) })
		stale := tk
		inTx(t, s, func(tx *store.Tx) error { c := tk; return tx.ChangeTicket(&c, store.TicketAssigned) })
		err := s.InTx(context.Background(), func(tx *store.Tx) error { return tx.ChangeTicket(&stale, store.TicketVoid) })
		if !errors.Is(err, store.ErrStale) {
			t.Errorf("a move from an old reading: %v", err)
		}
		now, err := s.FindTicket(context.Background(), tk.Number)
		if err != nil || now.State != store.TicketAssigned {
			t.Fatalf("%+v, %v", now, err)
		}
		err = s.InTx(context.Background(), func(tx *store.Tx) error { return tx.ChangeTicket(&now, store.TicketClosed) })
		if !errors.Is(err, store.ErrMove) {
			t.Errorf("a move that the table does not have: %v", err)
		}
	})
}

func entry(q, a string) kb.Entry { return kb.Entry{Question: q, Answer: a} }

func put(t testing.TB, s *store.Store, entries ...kb.Entry) (p store.Put) {
	t.Helper()
	inTx(t, s, func(tx *store.Tx) (err error) { p, err = tx.PutEntries("me", entries); return err })
	return p
}

func TestPutEntries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		list := []kb.Entry{entry("怎么开户", "到柜台"), entry("密码忘了", "点找回"), {Question: "手续费", Answer: "万三", Similar: []string{"佣金"}, Tags: []string{"费"}}}
		for _, x := range []struct {
			name string
			put  []kb.Entry
			want store.Put
		}{
			{"new", list, store.Put{Created: 3}},
			{"again", list, store.Put{Same: 3}},
			{"white space and case do not make a new one", []kb.Entry{entry(" 怎么开户 ", "到柜台")}, store.Put{Updated: 1}},
			{"number of another base", []kb.Entry{{Number: 700, Question: "外来", Answer: "x"}}, store.Put{Created: 1}},
			{"the same twice in one file", []kb.Entry{entry("双", "1"), entry("双", "1")}, store.Put{Created: 1, Same: 1}},
			{"number wins over question", []kb.Entry{{Number: 2, Question: "密码忘记了", Answer: "点找回"}}, store.Put{Updated: 1}},
		} {
			if got := put(t, s, x.put...); got != x.want {
				t.Errorf("%s: %+v, want %+v", x.name, got, x.want)
			}
		}
		put(t, s, entry("在外来之后", "x"))
		all, err := s.ListEntries(ctx, 0, 100)
		if err != nil || len(all) != 6 || all[5].Number <= 700 {
			t.Errorf("%d entries, %v; the last is K%d", len(all), err, all[len(all)-1].Number)
		}
		e, err := s.FindEntry(ctx, 3)
		if err != nil || len(e.Similar) != 1 || e.State != "published" {
			t.Errorf("%+v, %v", e, err)
		}
		if _, err := s.FindEntry(ctx, 99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown entry: %v", err)
		}
	})
}

// Who follows the changes while several write misses none, and two imports of
// the same file at once make no entry twice.
func TestChangedMissesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		a := open(store.Options{})
		b := a
		if a.Kind() == "mysql" {
			b = open(store.Options{})
		}
		var writers sync.WaitGroup
		for w := range 6 {
			s := []*store.Store{a, b}[w%2]
			writers.Go(func() {
				for i := range 8 {
					err := s.InTx(ctx, func(tx *store.Tx) error {
						_, err := tx.PutEntries("w", []kb.Entry{entry(fmt.Sprint("own ", w, " ", i), "x"), entry(fmt.Sprint("common ", i), fmt.Sprint(w))})
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		over := make(chan struct{})
		go func() { writers.Wait(); close(over) }()
		seen := map[string]int64{}
		last := int64(0)
		for ending := false; ; {
			list, err := a.Changed(ctx, last, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				if e.Changed <= last {
					t.Fatalf("change %d after %d", e.Changed, last)
				}
				last, seen[e.Question] = e.Changed, e.Number
			}
			if len(list) > 0 {
				continue
			}
			if ending {
				break
			}
			select {
			case <-over:
				ending = true // one more look
			case <-time.After(time.Millisecond):
			}
		}
		all, err := a.ListEntries(ctx, 0, 1000)
		if err != nil || len(all) != 6*8+8 || len(seen) != len(all) {
			t.Errorf("%d entries, %d followed, %v; want 56", len(all), len(seen), err)
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now().Add(-20 * 24 * time.Hour)
		s := lead(t, open(store.Options{Serve: true, Now: func() time.Time { return now }, Lease: time.Hour}))
		for i := range 3 {
			accept(t, s, message(fmt.Sprint("p", i), "1", "x"))
		}
		turns := claim(t, s, 2) // one is done, one in work, one new
		if err := s.FinishTurn(ctx, turns[0], store.Outcome{}, func(tx *store.Tx) error {
			if err := tx.SaveConversation(turns[0].Thread(), store.Conversation{Command: "report", Expires: now.Add(time.Minute)}); err != nil {
				return err
			}
			return tx.KeepCode("task", "p", "code")
		}); err != nil {
			t.Fatal(err)
		}
		enqueue(t, s, words("z1", toZhou), words("w1", toWang))
		sent(t, s, claimWords(t, s, "z1", "w1")[0])
		for _, x := range []struct {
			after, keep time.Duration
			want        int64
		}{{6 * 24 * time.Hour, time.Hour, 0}, {10 * 24 * time.Hour, 30 * 24 * time.Hour, 0}, {10 * 24 * time.Hour, time.Hour, 4}, {10 * 24 * time.Hour, time.Hour, 0}} {
			at := now
			now = now.Add(x.after)
			n, err := s.Sweep(ctx, x.keep)
			if err != nil || n != x.want {
				t.Errorf("after %s, keep %s: %d rows, %v; want %d", x.after, x.keep, n, err, x.want)
			}
			now = at
		}
		in, _ := s.InboxDepth(ctx)
		out, _ := s.OutboxDepth(ctx)
		if in.Waiting != 2 || out.Waiting != 1 {
			t.Errorf("unfinished rows were swept: %+v %+v", in, out)
		}
	})
}

func TestConversationExpires(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now()
		s := open(store.Options{Now: func() time.Time { return now }})
		if c, err := s.Conversation(ctx, "nothing"); err != nil || c.Command != "" {
			t.Errorf("%+v, %v", c, err)
		}
		want := store.Conversation{Command: "report", Step: "phone", Draft: json.RawMessage(`{"a":"13800138000"}`), Expires: now.Add(time.Minute),
			List: []string{"查 1", "查 2"}, ListEnd: now.Add(2 * time.Minute), Topic: json.RawMessage(`{"k":1}`), TopicEnd: now.Add(3 * time.Minute)}
		for range 2 { // made, then replaced
			inTx(t, s, func(tx *store.Tx) error { return tx.SaveConversation("t", want) })
		}
		for _, x := range []struct {
			after               time.Duration
			command, list, talk bool
		}{{59 * time.Second, true, true, true}, {61 * time.Second, false, true, true}, {121 * time.Second, false, false, true}, {181 * time.Second, false, false, false}} {
			at := now
			now = now.Add(x.after)
			c, err := s.Conversation(ctx, "t")
			if err != nil || (c.Command != "") != x.command || (c.Draft != nil) != x.command || (len(c.List) == 2) != x.list || (c.Topic != nil) != x.talk {
				t.Errorf("after %s: %+v, %v", x.after, c, err)
			}
			now = at
		}
	})
}

func TestTalk(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now()
		s := lead(t, open(store.Options{Serve: true, Lease: time.Hour, Now: func() time.Time { now = now.Add(time.Millisecond); return now }}))
		group := chat.Address{Kind: chat.Group, ID: "g", Via: chat.Bot}
		say := func(sender, key, text string) chat.Message {
			m := message(sender, key, text)
			m.Via, m.From = chat.Bot, group
			accept(t, s, m)
			for _, turn := range claim(t, s, 1) {
				if err := s.FinishTurn(ctx, turn, store.Outcome{}, func(tx *store.Tx) error {
					return tx.Enqueue(chat.Outgoing{Body: chat.Body{Text: "答 " + text}})
				}); err != nil {
					t.Fatal(err)
				}
			}
			return m
		}
		m := say("zhou", "1", "一")
		say("wang", "2", "别人的")
		say("zhou", "3", "二")
		lines, err := s.Talk(ctx, m, now.Add(-time.Hour), 10)
		var got []string
		for _, l := range lines {
			got = append(got, l.From+":"+l.Text+l.Body.Text)
		}
		if want := "zhou:一 :答 一 zhou:二 :答 二"; err != nil || strings.Join(got, " ") != want {
			t.Errorf("talk %v, %v; want %s", got, err, want)
		}
	})
}

func TestRevealIsOnRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		tk := store.Ticket{Title: "x", Reporter: "r", Phone: store.Personal{Value: "13800138000", Mask: "138****8000"}}
		inTx(t, s, func(tx *store.Tx) error { return tx.CreateTicket(&tk) })
		plain, err := s.FindTicket(ctx, tk.Number)
		if err != nil || plain.Phone.Value != "" || plain.Phone.Mask != "138****8000" {
			t.Errorf("%+v, %v", plain.Phone, err)
		}
		seen, err := s.Reveal(ctx, "leader", tk.Number, "回访")
		if err != nil || seen.Phone.Value != "13800138000" {
			t.Fatalf("%+v, %v", seen.Phone, err)
		}
		log, err := s.ListAudit(ctx, store.AuditQuery{Object: fmt.Sprintf("T%d", tk.Number), N: 10})
		if err != nil || len(log) != 1 || log[0].Actor != "leader" || !strings.Contains(log[0].Detail, "回访") {
			t.Errorf("%+v, %v", log, err)
		}
		if _, err := s.Reveal(ctx, "leader", 99, "x"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown ticket: %v", err)
		}
		if err := s.Exec("DROP TABLE audit_chain"); err != nil {
			t.Fatal(err)
		}
		if seen, err := s.Reveal(ctx, "leader", tk.Number, "x"); err == nil || seen.Phone.Value != "" {
			t.Errorf("seen without a record: %q, %v", seen.Phone.Value, err)
		}
	})
}

func TestSealing(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	ctx := context.Background()
	s := lead(t, storetest.Open(t, url, store.Options{Serve: true}))
	accept(t, s, message("zhou", "1", "秘密"))
	tk := store.Ticket{Title: "x", Reporter: "r", Phone: store.Personal{Value: "13800138000"}, Identity: store.Personal{Value: "110101199003070000"}}
	inTx(t, s, func(tx *store.Tx) error { return tx.CreateTicket(&tk) })
	if err := s.Exec("UPDATE ticket SET phone=identity"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Reveal(ctx, "l", tk.Number, "x"); err == nil {
		t.Errorf("a column moved to another opens: %+v", got.Phone)
	}
	sealed := s.Seal("spool", []byte("x"))
	if _, err := s.Unseal("file", sealed); err == nil {
		t.Error("opens for another purpose")
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := s.Unseal("spool", bad); err == nil {
			t.Errorf("opens with byte %d changed", i)
		}
	}
	for n := range sealed {
		if _, err := s.Unseal("spool", sealed[:n]); err == nil {
			t.Errorf("opens when cut to %d bytes", n)
		}
	}
	if a, b := s.Blind("phone", "1"), s.Blind("customer", "1"); a == b || a != s.Blind("phone", "1") {
		t.Error("blind indexes of two kinds are equal, or one is not stable")
	}
	s.Close()
	other := lead(t, storetest.Open(t, url, store.Options{Serve: true, Key: []byte("ffffffffffffffffffffffffffffffff")}))
	if got := claim(t, other, 5); len(got) != 0 {
		t.Errorf("another key opens %+v", got)
	}
	if _, err := other.Unseal("spool", sealed); err == nil || !strings.Contains(err.Error(), "FRONTLINE_ENCRYPTION_KEY") {
		t.Errorf("another key: %v", err)
	}
	if _, err := store.Open(ctx, store.Options{URL: url, Key: []byte("short")}); err == nil {
		t.Error("a short key was taken")
	}
}

// What identifies people or was written by them is nowhere in the files.
func TestNothingInClear(t *testing.T) {
	t.Parallel()
	url := storetest.SQLite(t)
	dir := filepath.Dir(strings.TrimPrefix(url, "sqlite:"))
	ctx := context.Background()
	s := lead(t, storetest.Open(t, url, store.Options{Serve: true}))
	planted := []string{"13912345678", "110101199003071234", "客户的原话", "https://response.example/secret", "CARDCODE42", "草稿内容", "只回你一个人", "附件里的字"}
	m := message("zhou", "1", planted[2]+planted[0]+planted[1])
	m.ReplyURL = planted[3]
	m.Click = &chat.Click{TaskID: "task", Key: "k", ResponseCode: planted[4]}
	m.Quote = &chat.Quote{Text: planted[2]}
	accept(t, s, m)
	turn := claim(t, s, 1)[0]
	err := s.FinishTurn(ctx, turn, store.Outcome{Command: "report"}, func(tx *store.Tx) error {
		tk := store.Ticket{Title: "登录 139****5678", Reporter: "zhou", Phone: store.Personal{Value: planted[0], Mask: "139****5678"}, Identity: store.Personal{Value: planted[1]}, Customer: store.Personal{Value: planted[0]}}
		return errors.Join(tx.CreateTicket(&tk), tx.AddTicketEntry(tk.ID, store.TicketEntry{Kind: "report", Text: "139****5678", Original: planted[2] + planted[0], Media: []chat.Media{{URL: planted[3]}}}),
			tx.Enqueue(chat.Outgoing{Body: chat.Body{Text: planted[6]}}), tx.KeepCode("task", "zhou", planted[4]),
			tx.SaveConversation(turn.Thread(), store.Conversation{Command: "report", Draft: json.RawMessage(`"` + planted[5] + planted[0] + `"`), Expires: time.Now().Add(time.Hour), List: []string{planted[2]}, ListEnd: time.Now().Add(time.Hour), Topic: json.RawMessage(`"` + planted[0] + `"`), TopicEnd: time.Now().Add(time.Hour)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	d := claimWords(t, s, planted[6])[0]
	if err := s.Freeze(ctx, d, []chat.Part{{API: "message/send", Body: json.RawMessage(`{"content":"` + planted[6] + `"}`)}}); err != nil {
		t.Fatal(err)
	}
	files, err := s.OpenFiles(ctx, "dir:"+filepath.Join(dir, "files"), store.FilesKeys{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := files.Put(ctx, []byte(planted[7]))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := files.Get(ctx, id); err != nil || string(back) != planted[7] {
		t.Errorf("file %q, %v", back, err)
	}
	if _, err := files.Get(ctx, "../../etc/passwd"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a path as file id: %v", err)
	}
	read := 0
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		read += len(b)
		for _, p := range planted {
			if bytes.Contains(b, []byte(p)) {
				t.Errorf("%s holds %q", filepath.Base(path), p)
			}
		}
		if info, _ := e.Info(); info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", filepath.Base(path), info.Mode())
		}
		return err
	})
	if err != nil || read < 50000 {
		t.Errorf("read %d bytes, %v", read, err)
	}
	if !bytes.Contains(readAll(t, dir), []byte("139****5678")) {
		t.Error("the masked title is not where this test looks")
	}
}

func readAll(t *testing.T, dir string) (all []byte) {
	t.Helper()
	for _, name := range []string{"frontline.db", "frontline.db-wal"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func TestTakeJobOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		now := time.Now()
		clock := func() time.Time { return now }
		a, b := open(store.Options{Now: clock}), open(store.Options{Now: clock})
		next := func(at time.Time) time.Time { return at.Add(time.Minute) }
		for round := range 3 {
			var mu sync.Mutex
			won := 0
			var wg sync.WaitGroup
			for i := range 8 {
				s := []*store.Store{a, b}[i%2]
				wg.Go(func() {
					ok, err := s.TakeJob(ctx, "daily", next)
					if err != nil {
						t.Error(err)
					}
					if ok {
						mu.Lock()
						won++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if won != 1 {
				t.Errorf("round %d: %d replicas won", round, won)
			}
			if ok, _ := a.TakeJob(ctx, "daily", next); ok {
				t.Error("won before it was due")
			}
			now = now.Add(time.Minute)
		}
		if err := a.EndJob(ctx, "daily", errors.New(strings.Repeat("很长", 2000))); err != nil {
			t.Error(err)
		}
	})
}

func TestMembers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func(store.Options) *store.Store) {
		ctx := context.Background()
		s := open(store.Options{})
		var wg sync.WaitGroup
		for range 8 { // everybody meets the same person at once
			wg.Go(func() {
				if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.MeetMember("zhou", "周岚", "运营") }); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		inTx(t, s, func(tx *store.Tx) error { return tx.MeetMember("zhou", "", "") })
		u, err := s.FindMember(ctx, "zhou")
		if err != nil || u.Name != "周岚" || !u.Roles.Has(chat.Reporter) {
			t.Fatalf("%+v, %v", u, err)
		}
		inTx(t, s, func(tx *store.Tx) error {
			return tx.SetRoles("admin", "zhou", chat.RoleSet{chat.Reporter, chat.Leader})
		})
		list, err := s.MembersWith(ctx, chat.Leader)
		if err != nil || len(list) != 1 {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := s.FindMember(ctx, "nobody"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown member: %v", err)
		}
		if _, faults, err := s.VerifyAudit(ctx); err != nil || len(faults) != 0 {
			t.Errorf("audit: %v, %v", faults, err)
		}
	})
}
