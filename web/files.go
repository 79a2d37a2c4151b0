package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"

	"frontline/bot/chat"
	"frontline/picture"
)

const (
	mostFiles = 9
	mostFile  = 10 << 20 // of one photo
	thumbSide = 320
)

// takeFiles keeps the photos of a form: each is drawn anew, so that nothing but
// its points is kept. What is no picture is refused here.
func (s *Server) takeFiles(v *visit) ([]chat.Media, error) {
	if v.r.MultipartForm == nil {
		return nil, nil
	}
	heads := v.r.MultipartForm.File["photo"]
	if len(heads) > mostFiles {
		return nil, badForm(v.t("一次最多 %d 张图片", mostFiles))
	}
	var out []chat.Media
	for _, h := range heads {
		if h.Size == 0 {
			continue
		}
		m, err := s.keepPhoto(v, h)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

func (s *Server) keepPhoto(v *visit, h *multipart.FileHeader) (m chat.Media, err error) {
	if s.opt.Files == nil {
		return m, badForm(v.t("没有设置附件存储"))
	}
	if h.Size > mostFile {
		return m, badForm(v.t("图片太大（最多 10 MB）：%s", fileName(h.Filename)))
	}
	f, err := h.Open()
	if err != nil {
		return m, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err != nil {
		return m, err
	}
	content, kind, err := picture.Clean(raw)
	if errors.Is(err, picture.ErrNone) || errors.Is(err, picture.ErrTooLarge) {
		return m, badForm(v.t("不是能打开的图片：%s", fileName(h.Filename)))
	}
	if err != nil {
		return m, err
	}
	id, err := s.opt.Files.Put(v.r.Context(), content)
	return chat.Media{Kind: "image", Name: fileName(h.Filename), File: id, Size: int64(len(content)), Type: kind}, err
}

// file sends an attachment of a ticket to who may see the ticket. Only pictures
// are shown; everything else is a download that no browser runs.
func (s *Server) file(v *visit) error {
	t, err := s.ticketOf(v)
	if err != nil {
		return err
	}
	if t.Reporter != v.user.ID && !v.user.Roles.Has(deskers...) {
		return errNotFound
	}
	i, err := strconv.Atoi(v.r.PathValue("i"))
	if err != nil {
		return errNotFound
	}
	m, err := s.opt.Store.FindTicketMedia(v.r.Context(), t.ID, number(v.r.PathValue("entry")), i)
	if err != nil {
		return err
	}
	if m.Note && !v.user.Roles.Has(deskers...) {
		return errNotFound // of a note, which its reporter does not see
	}
	if m.File == "" || s.opt.Files == nil {
		return errNotFound
	}
	content, err := s.opt.Files.Get(v.r.Context(), m.File)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Cache-Control", "private, max-age=3600")
	kind := http.DetectContentType(content)
	if v.r.URL.Query().Has("thumb") {
		small, err := picture.Thumb(content, thumbSide)
		if err != nil {
			return fmt.Errorf("%w: %v", errNotFound, err)
		}
		content, kind = small, "image/jpeg"
	}
	switch kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp":
	default:
		kind = "application/octet-stream"
		name := m.Name
		if name == "" {
			name = fmt.Sprintf("T%d-%d", t.Number, i+1)
		}
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	v.w.Write(content)
	return nil
}
