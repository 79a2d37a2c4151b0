package bot

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"frontline/bot/chat"
)

// sealMedia encrypts bytes as the platform keeps them behind a media address.
func sealMedia(k *Keys, plain []byte) []byte {
	pad := padBlock - len(plain)%padBlock
	out := append(append([]byte(nil), plain...), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(k.aes, k.iv[:]).CryptBlocks(out, out)
	return out
}

var png = append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 500)...)

func TestFetchMedia(t *testing.T) {
	k, old := mustKeys(t, "t", rigAES, ""), mustKeys(t, "t", oldAES, "")
	sealed := sealMedia(k, png)
	mux := http.NewServeMux()
	serve := func(path, disposition string, body []byte) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			if disposition != "" {
				w.Header().Set("Content-Disposition", disposition)
			}
			w.Write(body)
		})
	}
	serve("/good", `attachment; filename="shot.png"`, sealed)
	serve("/star", `attachment; filename="x.png"; filename*=UTF-8''%E6%88%AA%E5%9B%BE.png`, sealed)
	serve("/raw", `attachment; filename="截图.png"`, sealed)
	serve("/escaped", `attachment; filename="%E6%88%AA%E5%9B%BE.png"`, sealed)
	serve("/path", `attachment; filename="..\\..\\etc/passwd`+"\u202e"+`.png"`, sealed)
	serve("/bare", "", sealed)
	serve("/cut", "", sealed[:len(sealed)-16])
	serve("/odd", "", sealed[:len(sealed)-1])
	serve("/empty", "", nil)
	tampered := append([]byte(nil), sealed...)
	tampered[len(tampered)-1] ^= 1
	serve("/tampered", "", tampered)
	serve("/big", "", make([]byte, 2000))
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			w.Write(make([]byte, 64))
			w.(http.Flusher).Flush()
		}
	})
	for _, code := range []int{403, 404, 410, 500} {
		mux.HandleFunc(fmt.Sprint("/status/", code), func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	for name, to := range map[string]string{"/away": "ftp://127.0.0.1/x", "/file": "file:///etc/passwd", "/private": "https://192.168.0.1/x", "/user": "http://u:p@127.0.0.1/"} {
		mux.Handle(name, http.RedirectHandler(to, http.StatusFound))
	}
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/hop", http.RedirectHandler("/good", http.StatusFound))
	server := httptest.NewServer(mux)
	defer server.Close()
	f := NewMediaFetcher(1000, true)
	defer f.client.CloseIdleConnections()

	for _, c := range []struct {
		path, name string
		err        error
	}{
		{"/good", "shot.png", nil}, {"/star", "截图.png", nil}, {"/raw", "截图.png", nil}, {"/escaped", "截图.png", nil}, {"/path", "passwd.png", nil},
		{"/bare", "as sent.png", nil}, {"/hop", "shot.png", nil},
		{"/cut", "", ErrMediaDamaged}, {"/odd", "", ErrMediaDamaged}, {"/empty", "", ErrMediaDamaged}, {"/tampered", "", ErrMediaDamaged},
		{"/big", "", ErrMediaTooBig}, {"/stream", "", ErrMediaTooBig},
		{"/status/403", "", ErrMediaExpired}, {"/status/404", "", ErrMediaExpired}, {"/status/410", "", ErrMediaExpired},
		{"/away", "", ErrMediaAddress}, {"/file", "", ErrMediaAddress}, {"/private", "", ErrMediaAddress}, {"/user", "", ErrMediaAddress}, {"/loop", "", ErrMediaAddress},
	} {
		got, err := f.Fetch(context.Background(), chat.Media{URL: server.URL + c.path, Name: "dir/as sent.png"}, []*Keys{old, k})
		if !errors.Is(err, c.err) || c.err == nil && (got.Name != c.name || got.Type != "image/png" || !bytes.Equal(got.Body, png)) {
			t.Errorf("%s: %q %q, %d bytes, %v", c.path, got.Name, got.Type, len(got.Body), err)
		}
		if c.err != nil && (!errors.Is(err, chat.ErrGiveUp) || strings.Contains(err.Error(), server.URL)) {
			t.Errorf("%s: %v", c.path, err)
		}
	}
	_, err := f.Fetch(context.Background(), chat.Media{URL: server.URL + "/status/500"}, []*Keys{k})
	if err == nil || errors.Is(err, chat.ErrGiveUp) {
		t.Errorf("500 must be tried again: %v", err)
	}
	_, err = f.Fetch(context.Background(), chat.Media{URL: server.URL + "/good"}, []*Keys{old})
	if !errors.Is(err, ErrMediaDamaged) {
		t.Errorf("wrong key: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = f.Fetch(ctx, chat.Media{URL: server.URL + "/good?secret"}, []*Keys{k}); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "secret") {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFetchMediaWithItsOwnKey(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	k := &Keys{aes: block}
	copy(k.iv[:], key)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(sealMedia(k, []byte("文件"))) }))
	defer server.Close()
	f := NewMediaFetcher(1000, true)
	defer f.client.CloseIdleConnections()
	got, err := f.Fetch(context.Background(), chat.Media{URL: server.URL, Key: base64.StdEncoding.EncodeToString(key)}, nil)
	if err != nil || string(got.Body) != "文件" || !strings.HasPrefix(got.Type, "text/plain") {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := f.Fetch(context.Background(), chat.Media{URL: server.URL, Key: "short"}, nil); !errors.Is(err, ErrMediaDamaged) {
		t.Errorf("bad key: %v", err)
	}
}

func TestMediaAddresses(t *testing.T) {
	k := mustKeys(t, "t", rigAES, "")
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	strict := NewMediaFetcher(1000, false)
	for _, address := range []string{
		server.URL, strings.Replace(server.URL, "http:", "https:", 1), "https://localhost:1/", "https://127.1/", "https://0x7f000001/", "https://[::ffff:127.0.0.1]/", "https://[::1]/",
		"https://10.0.0.1/", "https://169.254.169.254/latest", "https://100.100.100.200/latest", "https://0.0.0.0/", "https://[fe80::1]/", "https://[fd00::1]/",
		"http://192.0.2.1/", "file:///etc/passwd", "/etc/passwd", "https://u:p@192.0.2.1/", "https:", "", "::",
	} {
		ctx, cancel := context.WithCancel(context.Background())
		if _, err := strict.Fetch(ctx, chat.Media{URL: address}, []*Keys{k}); err == nil || errors.Is(err, ErrMediaExpired) {
			t.Errorf("%q: %v", address, err)
		}
		cancel()
	}
	for _, address := range []string{"10.0.0.1:443", "169.254.169.254:80", "100.100.100.200:80", "[::ffff:10.0.0.1]:443", "224.0.0.1:1", "0.0.0.0:1", "[::]:1", "x:1"} {
		if err := NewMediaFetcher(1, true).checkDial("tcp", address, nil); !errors.Is(err, ErrMediaAddress) {
			t.Errorf("dial %s: %v", address, err)
		}
	}
	if err := strict.checkDial("tcp", "[2001:db8::1]:443", nil); err != nil {
		t.Errorf("a public address: %v", err)
	}
}

func TestCleanName(t *testing.T) {
	long := strings.Repeat("名", 100) + ".xlsx"
	for in, want := range map[string]string{
		"a.txt": "a.txt", "../../etc/x": "x", `C:\dir\b.doc`: "b.doc", "a\r\nb": "ab", "..": "", ".": "", "/": "", "": "", "100%": "100%", " a ": "a",
		"a\x00b": "ab", "\xff.png": ".png", "a%2Fb.png": "b.png",
	} {
		if got := cleanName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := cleanName(long); len(got) > mediaName || !strings.HasSuffix(got, "名.xlsx") {
		t.Errorf("%q", got)
	}
}
