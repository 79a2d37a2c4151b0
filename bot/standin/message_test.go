package standin

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestMessageKinds(t *testing.T) {
	var last *incoming
	w := newWorld(t, answering(t, func(in *incoming) string { last = in; return "" }))
	at := AppPlace(testAgent)
	for _, c := range []struct {
		req  SayRequest
		want []string
	}{
		{SayRequest{File: &File{Kind: "image", Name: "a.png", Data: png}}, []string{"PicUrl", "MediaId"}},
		{SayRequest{File: &File{Kind: "voice", Name: "a.amr", Data: amr(2)}}, []string{"MediaId", "Format"}},
		{SayRequest{File: &File{Kind: "video", Name: "a.mp4", Data: png}}, []string{"MediaId", "ThumbMediaId"}},
		{SayRequest{Location: &Location{Lat: 31.2, Lng: 121.5, Scale: 15, Label: "上海"}}, []string{"Location_X", "Location_Y", "Scale", "Label", "AppType"}},
		{SayRequest{Link: &Link{Title: "t", URL: "u"}}, []string{"Title", "Url"}},
	} {
		c.req.User, c.req.To, c.req.Wait = "zhaoyi", at, true
		if _, err := w.s.Say(t.Context(), c.req); err != nil {
			t.Error(err)
			continue
		}
		for _, field := range c.want {
			if last.xml.child(field) == nil {
				t.Errorf("%s lacks %s: %s", last.xml.value("MsgType"), field, last.inner)
			}
		}
		if id := last.xml.value("MediaId"); id != "" { // a member's media can be fetched with the app's token
			resp, err := http.Get(w.url + "/cgi-bin/media/get?access_token=" + w.token("app-secret") + "&media_id=" + id)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
				t.Errorf("%s cannot be fetched", last.xml.value("MsgType"))
			}
		}
	}
	for name, req := range map[string]SayRequest{
		"file to an app": {File: &File{Kind: "file", Name: "a.txt", Data: png}}, "nothing": {}, "stranger": {User: "nobody", Text: "x"}, "disabled": {User: "lisi", Text: "x"},
	} {
		req.To = at
		if req.User == "" {
			req.User = "zhaoyi"
		}
		if _, err := w.s.Say(t.Context(), req); err == nil {
			t.Errorf("%s is sent", name)
		}
	}
}

func TestOrderAndIDsCanBeForced(t *testing.T) {
	var ids, times []string
	w := newWorld(t, answering(t, func(in *incoming) string {
		ids, times = append(ids, in.xml.value("MsgId")), append(times, in.xml.value("CreateTime"))
		return ""
	}))
	for i, u := range []string{"zhaoyi", "qianer"} {
		if _, err := w.s.Say(context.Background(), SayRequest{User: u, To: AppPlace(testAgent), Text: "x", MsgID: "4561255354251345929", CreateTime: int64(1700000100 - i), Wait: true}); err != nil {
			t.Fatal(err)
		}
	}
	if ids[0] != ids[1] || !slices.Equal(times, []string{"1700000100", "1700000099"}) {
		t.Errorf("ids %v, times %v", ids, times)
	}
}
