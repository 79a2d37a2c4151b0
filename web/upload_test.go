package web

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"frontline/bot/chat"
	"frontline/store"
)

// Pictures that are none, or too large, are refused; what is a picture and
// something else too is drawn anew: B82, B83.
func TestBadPictures(t *testing.T) {
	c := startConsole(t, withFiles(t))
	b := c.as(chat.Reporter)
	b.get("/m/report")
	huge := bytes.Clone(dot(t))
	binary.BigEndian.PutUint32(huge[16:], 60_000)
	binary.BigEndian.PutUint32(huge[20:], 60_000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for name, content := range map[string][]byte{
		"shell.php.png": []byte("<?php system($_GET['c']); ?>"),
		"program.png":   append([]byte("MZ\x90\x00\x03\x00\x00\x00PE\x00\x00"), make([]byte, 4096)...),
		"vector.png":    []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`),
		"page.png":      []byte("<html><script>alert(1)</script></html>"),
		"head.png":      []byte("\x89PNG\r\n\x1a\n<script>alert(1)</script>"),
		"huge.png":      huge,
	} {
		for _, path := range []string{"/m/report/photo", "/m/report"} {
			form := url.Values{}
			if path == "/m/report" {
				form = whole()
				form.Set("mark", name)
			}
			if code, page := b.attach(path, form, map[string][]byte{name: content}); code != http.StatusUnprocessableEntity {
				t.Errorf("%s to %s: %d %.200s", name, path, code, page)
			}
		}
	}
	if list, err := c.store.ListTickets(t.Context(), store.TicketQuery{N: 9}); err != nil || len(list) != 0 {
		t.Errorf("%d reports were made, %v", len(list), err)
	}
	// A GIF that is a script too: GIF89a begins a name, and its comment a statement.
	var both bytes.Buffer
	if err := gif.Encode(&both, image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.Black, color.White}), nil); err != nil {
		t.Fatal(err)
	}
	both.WriteString("=1;alert(document.cookie)//")
	code, body := b.attach("/m/report/photo", url.Values{}, map[string][]byte{"polyglot.png": both.Bytes()})
	var kept struct{ Path string }
	if err := json.Unmarshal([]byte(body), &kept); code != http.StatusOK || err != nil {
		t.Fatalf("%d %s", code, body)
	}
	resp, err := b.client.Get(c.URL + kept.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var back bytes.Buffer
	back.ReadFrom(resp.Body)
	if !bytes.HasPrefix(back.Bytes(), []byte("\x89PNG")) || bytes.Contains(back.Bytes(), []byte("alert")) || resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%v %.60q", resp.Header, back.Bytes())
	}
}

// Names of files are words, and lead nowhere: B84.
func TestNamesOfUploads(t *testing.T) {
	c := startConsole(t, withFiles(t))
	b := c.as(chat.Reporter)
	b.get("/m/report")
	for i, sent := range []string{"../../etc/x", `..\..\windows\con.txt`, "con.txt", strings.Repeat("长", 300) + ".png", "a\r\nSet-Cookie: x=1.png", "photo\u202egnp.exe", `"><script>alert(1)</script>.png`} {
		form := whole()
		form.Set("mark", fmt.Sprint("names", i))
		form.Set("text", fmt.Sprintf("%s 第 %d 次", form.Get("text"), i))
		code, to := b.attach("/m/report", form, map[string][]byte{sent: dot(t)})
		if code != http.StatusSeeOther {
			t.Errorf("%q: %d %.300s", sent, code, to)
			continue
		}
		entries, err := c.store.ListTicketEntries(t.Context(), c.read(numberIn(t, to)).ID, 10)
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, e := range entries {
			for _, m := range e.Media {
				kept++
				if strings.ContainsAny(m.Name, "/\\\r\n\u202e\x00") || len([]rune(m.Name)) > 60 || strings.ContainsAny(m.File, "/\\.") {
					t.Errorf("%q is kept as %q in %q", sent, m.Name, m.File)
				}
			}
		}
		if kept != 1 {
			t.Errorf("%q: %d pictures", sent, kept)
		}
		if _, page := b.get(to); strings.Contains(page, "<script>alert") {
			t.Errorf("%q is on the page as it is", sent)
		}
	}
}

// A form that no browser sends is told as that, and is no fault of ours.
func TestBrokenForms(t *testing.T) {
	c := startConsole(t, withFiles(t))
	b := c.as(chat.Curator)
	b.get("/kb/import")
	for name, body := range map[string]string{
		"a zero byte in a name": "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\x00.csv\"\r\n\r\na\r\n--x--\r\n",
		"cut in the middle":     "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n标准问题",
		"many heads":            "--x\r\n" + strings.Repeat("X-A: b\r\n", 20_000) + "\r\n\r\n--x--\r\n",
		"nothing":               "",
	} {
		resp, err := b.client.Post(c.URL+"/kb/import", "multipart/form-data; boundary=x", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnprocessableEntity && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
}
