package standin

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"
	"time"
)

// png is the smallest thing that is recognised as one.
var png = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte{0}, 32)...)

// amr is a silent voice of the given length.
func amr(seconds int) []byte {
	frame := append([]byte{0x3c}, bytes.Repeat([]byte{0}, 31)...) // 12.2 kbit/s, 20 ms
	return append([]byte("#!AMR\n"), bytes.Repeat(frame, 50*seconds)...)
}

func (w *world) upload(path, name string, data []byte) got {
	w.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, _ := m.CreateFormFile("media", name)
	_, _ = part.Write(data)
	_ = m.Close()
	return w.do("POST", path, m.FormDataContentType(), &body)
}

func TestRobotRefusals(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Limits.RobotMinute = -1 })
	send := "webhook/send?key=" + robotKey
	kind := func(msgtype string, part any) any { return map[string]any{"msgtype": msgtype, msgtype: part} }
	content := func(n int) any { return map[string]any{"content": strings.Repeat("a", n)} }
	sum := md5.Sum(png)
	image := func(md5 string) any {
		return kind("image", map[string]any{"base64": base64.StdEncoding.EncodeToString(png), "md5": md5})
	}
	big := append(bytes.Clone(png), make([]byte, 2<<20)...)
	bigSum := md5.Sum(big)
	for _, c := range []struct {
		name string
		body any
		code int
	}{
		{"text", kind("text", content(2048)), 0},
		{"text 2049", kind("text", content(2049)), 40058},
		{"empty text", kind("text", content(0)), 44004},
		{"markdown 4096", kind("markdown", content(4096)), 0},
		{"markdown 4097", kind("markdown", content(4097)), 40058},
		{"markdown_v2 4096", kind("markdown_v2", content(4096)), 0},
		{"markdown_v2 4097", kind("markdown_v2", content(4097)), 40058},
		{"image", image(hex.EncodeToString(sum[:])), 0},
		{"image md5", image("00"), 301019},
		{"image too big", kind("image", map[string]any{"base64": base64.StdEncoding.EncodeToString(big), "md5": hex.EncodeToString(bigSum[:])}), 45001},
		{"video", kind("video", map[string]any{"media_id": "x"}), 40008},
		{"news", kind("news", map[string]any{"articles": []any{map[string]any{"title": "t", "url": "u"}}}), 0},
		{"file unknown", kind("file", map[string]any{"media_id": "x"}), 40007},
		{"text_notice", kind("template_card", map[string]any{"card_type": "text_notice", "main_title": map[string]any{"title": "t"}, "card_action": map[string]any{"type": 1, "url": "https://e.com"}}), 0},
		{"buttons", kind("template_card", map[string]any{"card_type": "button_interaction", "task_id": "t", "main_title": map[string]any{"title": "t"}, "button_list": []any{map[string]any{"text": "a", "key": "a"}}}), 40058},
	} {
		if g := w.post(send, c.body); g.code() != c.code {
			t.Errorf("%s: errcode %d, want %d: %v", c.name, g.code(), c.code, g["errmsg"])
		}
	}
	wantCode(t, w.post("webhook/send?key=wrong", kind("text", content(3))), 93000)
	w.s.RemoveRobot(robotKey)
	wantCode(t, w.post(send, kind("text", content(3))), 93000)
}

func TestRobotErrmsgNamesTheLimit(t *testing.T) {
	w := newWorld(t)
	g := w.post("webhook/send?key="+robotKey, map[string]any{"msgtype": "markdown", "markdown": map[string]any{"content": strings.Repeat("x", 4097)}})
	if msg := fmt.Sprint(g["errmsg"]); !strings.HasPrefix(msg, "markdown.content exceed max length 4096. invalid Request Parameter, hint: [") || !strings.Contains(msg, "from ip: 127.0.0.1") {
		t.Errorf("errmsg %q", msg)
	}
}

func TestRobotWindowSlides(t *testing.T) {
	w := newWorld(t)
	send := func() got {
		return w.post("webhook/send?key="+robotKey, map[string]any{"msgtype": "text", "text": map[string]any{"content": "x", "mentioned_list": []string{"zhaoyi"}, "mentioned_mobile_list": []string{"13800000002", "@all"}}})
	}
	for range 20 {
		wantCode(t, send(), 0)
		w.clock.add(time.Second)
	}
	wantCode(t, send(), 45009)
	w.clock.add(39 * time.Second) // 59 s after the first
	wantCode(t, send(), 45009)
	w.clock.add(time.Second)
	wantCode(t, send(), 0)
	wantCode(t, send(), 45009)
	entries := w.group("wrGroup1", "")
	if len(entries) != 21 || fmt.Sprint(entries[0].Mentions) != "[zhaoyi qianer @all]" {
		t.Errorf("%d messages, mentions %v", len(entries), entries[0].Mentions)
	}
}

func TestRobotMediaIsBoundToTheRobot(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Robots = append(o.Robots, Robot{Key: "second", Name: "二号", Group: "wrGroup1"}) })
	up := "webhook/upload_media?key=" + robotKey + "&type="
	wantCode(t, w.upload("webhook/upload_media?key=wrong&type=file", "a.txt", []byte("hello world")), 93000)
	wantCode(t, w.upload(up+"image", "a.png", png), 40004)
	wantCode(t, w.upload(up+"file", "a.txt", []byte("12345")), 40006)
	wantCode(t, w.upload(up+"voice", "a.amr", amr(61)), 45007)
	wantCode(t, w.upload(up+"voice", "a.mp3", []byte("ID3 something")), 40004)
	wantCode(t, w.upload(up+"file", "big", make([]byte, 20<<20+1)), 45001)
	g := w.upload(up+"file", "C:\\desk\\清单.txt", []byte("hello world"))
	wantCode(t, g, 0)
	file := func(id any) any { return map[string]any{"msgtype": "file", "file": map[string]any{"media_id": id}} }
	wantCode(t, w.post("webhook/send?key=second", file(g["media_id"])), 40007)
	wantCode(t, w.post("webhook/send?key="+robotKey, file(g["media_id"])), 0)
	if m := w.group("wrGroup1", "")[0].Media; m == nil || m.Name != "清单.txt" || m.Size != 11 {
		t.Errorf("media %+v", m)
	}
	voice := w.upload(up+"voice", "a.amr", amr(60))
	wantCode(t, voice, 0)
	w.clock.add(72 * time.Hour)
	wantCode(t, w.post("webhook/send?key="+robotKey, file(g["media_id"])), 40007)
}
