package standin

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// medium is an uploaded file, or one that a member sent. The limits are those of
// https://developer.work.weixin.qq.com/document/path/90253.
type medium struct {
	id    string
	kind  string // image, voice, video, file
	name  string
	ctype string
	data  []byte
	at    time.Time
	owner string        // "" the company's; a robot's key; "member" when a member sent it
	life  time.Duration // after which the id is unknown

	fileID    string // of the plain URL, for people to look at
	sealed    []byte // encrypted for a bot
	sealedID  string
	permanent bool
}

// upload is the file of a multipart body.
type upload struct {
	name, ctype string
	data        []byte
	values      url.Values
}

// readUpload takes the field "media", whatever its file name is.
func readUpload(r *http.Request) (*upload, error) {
	if err := r.ParseMultipartForm(64 << 20); err != nil {
		return nil, err
	}
	f, head, err := r.FormFile("media")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	name := head.Filename
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return &upload{name: name, ctype: head.Header.Get("Content-Type"), data: data, values: r.MultipartForm.Value}, nil
}

// looksLike tells whether the bytes are what the kind demands.
func looksLike(kind string, data []byte) bool {
	sniffed := http.DetectContentType(data)
	switch kind {
	case "image":
		return sniffed == "image/jpeg" || sniffed == "image/png"
	case "voice":
		return bytes.HasPrefix(data, []byte("#!AMR"))
	case "video":
		return sniffed == "video/mp4" || len(data) > 8 && string(data[4:8]) == "ftyp"
	}
	return true
}

var mediaMax = map[string]int{"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "file": 20 << 20}

// amrSeconds reads the length of an AMR-NB voice: frames of 20 ms.
func amrSeconds(data []byte) int {
	sizes := [16]int{13, 14, 16, 18, 20, 21, 27, 32, 6, 1, 1, 1, 1, 1, 1, 1}
	frames := 0
	for i := len("#!AMR\n"); i < len(data); frames++ {
		i += sizes[data[i]>>3&15]
	}
	return frames / 50
}

func checkMedia(kind string, u *upload, max map[string]int) *apiError {
	limit, known := max[kind]
	switch {
	case !known:
		return refuse(codeBadMediaType, "invalid media type")
	case u == nil || len(u.data) == 0:
		return refuse(codeEmptyMedia, "empty media data")
	case len(u.data) <= 5:
		return refuse(40006, "invalid media size: not more than 5 bytes")
	case len(u.data) > limit:
		return refuse(codeMediaTooBig, "media size out of limit")
	case !looksLike(kind, u.data):
		return refuse(codeBadMediaType, "invalid media type: the bytes are no %s that the platform takes", kind)
	case kind == "voice" && amrSeconds(u.data) > 60:
		return refuse(codeVoiceTooLong, "voice is longer than 60 s")
	}
	return nil
}

// mediaBytes bounds all files together; the oldest go first.
const mediaBytes = 512 << 20

// mediaStore finds files by media_id and by the random part of their address.
type mediaStore struct {
	byID, byFile map[string]*medium
	order        []*medium // oldest first
	bytes        int
}

func (st *mediaStore) init() { st.byID, st.byFile = map[string]*medium{}, map[string]*medium{} }

func (st *mediaStore) add(m *medium, now time.Time) {
	st.byID[m.id] = m
	for _, f := range []string{m.fileID, m.sealedID} {
		if f != "" {
			st.byFile[f] = m
		}
	}
	st.order = append(st.order, m)
	st.bytes += len(m.data) + len(m.sealed)
	// Lives differ (five minutes, three days), so the sweep looks only at the oldest.
	for len(st.order) > 1 {
		old := st.order[0]
		if expired := now.Sub(old.at) >= old.life && !old.permanent; !expired && st.bytes <= mediaBytes {
			return
		}
		delete(st.byID, old.id)
		delete(st.byFile, old.fileID)
		delete(st.byFile, old.sealedID)
		st.bytes -= len(old.data) + len(old.sealed)
		st.order = st.order[1:]
	}
}

// keepMedia stores a file for its life.
func (s *Server) keepMedia(kind string, u *upload, owner string) *medium {
	ctype := u.ctype
	if ctype == "" || ctype == "application/octet-stream" {
		ctype = http.DetectContentType(u.data)
	}
	m := &medium{id: s.randomID(64), kind: kind, name: u.name, ctype: ctype, data: u.data, at: s.now(), owner: owner,
		life: s.limits.MediaLife, fileID: s.randomID(40)}
	s.media.add(m, m.at)
	return m
}

// findMedia is nil when the id is unknown, too old, or bound to another owner.
func (s *Server) findMedia(id, owner string, now time.Time) *medium {
	m := s.media.byID[id]
	if m == nil || now.Sub(m.at) >= m.life || m.permanent {
		return nil
	}
	if m.owner != owner && (owner != "" || m.owner != "member") {
		return nil
	}
	return m
}

func (s *Server) mediaView(m *medium) *MediaView {
	return &MediaView{Kind: m.kind, Name: m.name, URL: s.fileURL(m.fileID), Size: len(m.data), MediaID: m.id}
}

func (s *Server) fileURL(fileID string) string { return s.baseURL + "/standin/files/" + fileID }

func (s *Server) mediaUpload(c *call) (answer, *apiError) {
	kind := c.query.Get("type")
	if bad := checkMedia(kind, c.upload, mediaMax); bad != nil {
		return nil, bad
	}
	m := s.keepMedia(kind, c.upload, "")
	c.entry.Target, c.entry.Text = m.id, m.name
	return answer{"type": kind, "media_id": m.id, "created_at": fmt.Sprint(c.now.Unix())}, nil
}

// mediaUploadImage answers a permanent URL: https://developer.work.weixin.qq.com/document/path/90256.
func (s *Server) mediaUploadImage(c *call) (answer, *apiError) {
	if bad := checkMedia("image", c.upload, map[string]int{"image": 2 << 20}); bad != nil {
		return nil, bad
	}
	m := s.keepMedia("image", c.upload, "")
	m.permanent = true
	return answer{"url": s.fileURL(m.fileID)}, nil
}

// mediaGet: https://developer.work.weixin.qq.com/document/path/90254. Above 20 MB only in ranges.
func (s *Server) mediaGet(c *call) (answer, *apiError) {
	m := s.findMedia(c.query.Get("media_id"), "", c.now)
	if m == nil {
		return nil, refuse(codeBadMediaID, "invalid media_id")
	}
	if len(m.data) > 20<<20 && c.r.Header.Get("Range") == "" {
		return nil, refuse(codeNeedRange, "media is larger than 20 MB, use Range")
	}
	c.entry.Target, c.trace.Response = m.id, fmt.Sprintf("(%s, %d bytes)", m.ctype, len(m.data))
	c.blob = &blob{name: m.name, ctype: m.ctype, data: m.data}
	return nil, nil
}

// serveFile answers the plain URLs, and the encrypted five-minute URLs of bot
// messages (doc 100719), whose bytes only the bot's key opens.
func (s *Server) serveFile(w http.ResponseWriter, r *http.Request) {
	id := path.Base(r.URL.Path)
	s.mu.Lock()
	now := s.now()
	var b *blob
	switch m := s.media.byFile[id]; {
	case m == nil:
	case m.fileID == id:
		b = &blob{m.name, m.ctype, m.data}
	case now.Sub(m.at) < s.limits.FileLife:
		b = &blob{m.name, "application/octet-stream", m.sealed}
	}
	s.mu.Unlock()
	if b == nil {
		http.Error(w, "the file does not exist or its address has expired", http.StatusForbidden)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "sandbox")
	writeBlob(w, r, b, now)
}

// contentDisposition names the file in plain and in RFC 5987 form.
func contentDisposition(name string) string {
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": name}); v != "" && name != "" {
		return v
	}
	return "attachment"
}
