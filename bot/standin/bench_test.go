package standin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkMessageSend is what one platform call costs without a network, so
// that load tests know how much of the machine the stand-in takes.
func BenchmarkMessageSend(b *testing.B) {
	opt := testOptions()
	opt.Limits = Limits{CorpMinute: -1, CorpHour: -1, IPMinute: -1, IPHour: -1, MemberMinute: -1, MemberHour: -1, AppDay: -1}
	s, err := New(opt)
	if err != nil {
		b.Fatal(err)
	}
	tok := s.currentToken(s.apps[testAgent], s.now()).value
	n := 0
	for b.Loop() {
		n++
		body := asJSON(textTo("zhaoyi", fmt.Sprint("告警 ", n)))
		r := httptest.NewRequest(http.MethodPost, "/cgi-bin/message/send?access_token="+tok, strings.NewReader(body))
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), `"errcode":0`) {
			b.Fatal(w.Body.String())
		}
	}
}

// BenchmarkCallback is one message with encryption and a real HTTP answer.
func BenchmarkCallback(b *testing.B) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	opt := testOptions()
	opt.Apps[0].CallbackURL = receiver.URL
	s, err := New(opt)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		r, err := s.Say(b.Context(), SayRequest{User: "zhaoyi", To: AppPlace(testAgent), Text: "行情不刷新", Wait: true})
		if err != nil || !r.Outcome.Acknowledged {
			b.Fatal(r, err)
		}
	}
}
