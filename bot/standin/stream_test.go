package standin

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func streamReply(id string, finish bool, content string) string {
	return asJSON(object{"msgtype": "stream", "stream": object{"id": id, "finish": finish, "content": content}})
}

// botReceiver answers with what f makes of the callback.
func botReceiver(t *testing.T, f func(*incoming) string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		in := receive(t, r)
		if reply := f(in); reply != "" {
			return respond(200, in.answer(reply)), nil
		}
		return respond(200, ""), nil
	}
}

func TestStreamIsPolledUntilItIsFinished(t *testing.T) {
	polls := 0
	bubble(t, botReceiver(t, func(in *incoming) string {
		if in.json["msgtype"] != "stream" {
			return streamReply("s1", false, "<think>查</think>")
		}
		polls++
		if in.json["response_url"] != nil || in.json["stream"].(object)["id"] != "s1" || in.json["chattype"] != "single" {
			t.Errorf("poll %s", in.inner)
		}
		return streamReply("s1", polls == 3, fmt.Sprintf("第 %d 版", polls))
	}), func(t *testing.T, s *Server) {
		start := time.Now()
		if _, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "可转债", Wait: true}); err != nil {
			t.Fatal(err)
		}
		var last Entry
		after := int64(0)
		for last.Stream == nil || !last.Stream.Finished {
			page := s.Feed(t.Context(), FeedQuery{User: "zhaoyi", After: after, Wait: 30 * time.Second})
			after = page.Next
			last = page.Entries[len(page.Entries)-1]
		}
		if last.Text != "第 3 版" || time.Since(start) != 3*time.Second || last.Stream.Polls != 3 {
			t.Errorf("after %v: %+v", time.Since(start), last)
		}
		time.Sleep(10 * time.Minute)
		if polls != 3 {
			t.Errorf("%d polls, although finish=true was answered", polls)
		}
	})
}

func TestStreamExpiresAfterSixMinutes(t *testing.T) {
	polls := 0
	bubble(t, botReceiver(t, func(in *incoming) string {
		if in.json["msgtype"] == "stream" {
			polls++
		}
		return streamReply("s1", false, "还在查")
	}), func(t *testing.T, s *Server) {
		if _, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		entries := s.Feed(t.Context(), FeedQuery{User: "zhaoyi"}).Entries
		if st := entries[len(entries)-1].Stream; !st.Expired || st.Finished || polls < 358 || polls > 360 {
			t.Errorf("%d polls, %+v", polls, st)
		}
		if s.Counters().StreamsExpired != 1 {
			t.Error("the expiry is not counted")
		}
	})
}

func TestStreamSurvivesLostAnswers(t *testing.T) {
	polls := 0
	bubble(t, botReceiver(t, func(in *incoming) string {
		if in.json["msgtype"] == "stream" {
			polls++
		}
		return streamReply("s1", polls == 5, fmt.Sprint(polls))
	}), func(t *testing.T, s *Server) {
		s.AddFault(Fault{API: "callback/bot", Drop: DropAfter, Count: 1})
		s.AddFault(Fault{API: "poll/bot", Drop: DropBefore, Count: 2})
		s.AddFault(Fault{API: "poll/bot", DelayMS: 5000, Count: 1})
		r, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true})
		if err != nil || r.Outcome.Tries != 2 {
			t.Fatalf("%+v %v", r.Outcome, err)
		}
		time.Sleep(time.Minute)
		entries := s.Feed(t.Context(), FeedQuery{User: "zhaoyi"}).Entries
		if last := entries[len(entries)-1]; len(entries) != 2 || !last.Stream.Finished || last.Text != "5" || last.Stream.Polls != 7 {
			t.Errorf("%d entries, %+v %+v", len(entries), last, last.Stream)
		}
	})
}

func TestRedeliveredMessageStartsItsStream(t *testing.T) {
	answering := false
	bubble(t, botReceiver(t, func(in *incoming) string {
		if !answering {
			return ""
		}
		return streamReply("s1", in.json["msgtype"] == "stream", "好")
	}), func(t *testing.T, s *Server) {
		r, err := s.Say(t.Context(), SayRequest{User: "zhaoyi", To: BotPlace("aib-1"), Text: "x", Wait: true})
		if err != nil {
			t.Fatal(err)
		}
		answering = true
		if _, err := s.Redeliver(t.Context(), RedeliverRequest{Callback: r.Callback, Times: 2}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		entries := s.Feed(t.Context(), FeedQuery{User: "zhaoyi"}).Entries
		if last := entries[len(entries)-1]; len(entries) != 2 || !last.Stream.Finished {
			t.Errorf("%d entries, %+v", len(entries), last.Stream)
		}
	})
}
