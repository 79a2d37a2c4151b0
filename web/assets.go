package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed templates static
var embedded embed.FS

// asset is one file under static, by the hash of its content: it may be cached
// for ever, and a changed one has another address.
type asset struct {
	kind        string
	body, small []byte
}

type assets struct {
	byPath map[string]asset  // /static/app-1a2b3c4d.css
	byName map[string]string // app.css -> its path
}

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png"}

func loadAssets() (assets, error) {
	a := assets{byPath: map[string]asset{}, byName: map[string]string{}}
	files, err := fs.ReadDir(embedded, "static")
	if err != nil {
		return a, err
	}
	for _, f := range files {
		body, err := embedded.ReadFile("static/" + f.Name())
		if err != nil {
			return a, err
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		at := "/static/" + strings.TrimSuffix(f.Name(), ext) + "-" + hex.EncodeToString(sum[:4]) + ext
		var small bytes.Buffer
		z, _ := gzip.NewWriterLevel(&small, gzip.BestCompression)
		z.Write(body)
		z.Close()
		a.byPath[at] = asset{kinds[ext], body, small.Bytes()}
		a.byName[f.Name()] = at
	}
	return a, nil
}

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		w.Write(f.small)
		return
	}
	w.Write(f.body)
}
