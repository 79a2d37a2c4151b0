package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers"
	"frontline/picture"
	"frontline/store"
)

// The phone page of a session, for who watches, and its materials.

type attendPage struct {
	store.Sharing
	Questions []store.SharingQuestion
	Materials []store.SharingMaterial
	Voted     map[int64]bool
	People    int64
	Joined    bool
	Text      string // a question that was refused
	Fault     string
	Me        string
}

func (s *Server) attendSharing(v *visit) error { return s.showAttending(v, http.StatusOK, "", "") }

func (s *Server) showAttending(v *visit, status int, text, fault string) (err error) {
	ctx := v.r.Context()
	x, err := s.findSharing(v)
	if err != nil {
		return err
	}
	p := attendPage{Sharing: x, Text: text, Fault: fault, Me: v.user.ID}
	if p.Questions, err = s.opt.Store.ListSharingQuestions(ctx, x.Number); err != nil {
		return err
	}
	slices.SortStableFunc(p.Questions, func(a, b store.SharingQuestion) int { return int(b.Votes - a.Votes) })
	if p.Materials, err = s.opt.Store.ListSharingMaterials(ctx, x.Number); err != nil {
		return err
	}
	if p.Voted, err = s.opt.Store.SharingVotes(ctx, x.Number, v.user.ID); err != nil {
		return err
	}
	people, err := s.opt.Store.SharingPeople(ctx, x.Number)
	if err != nil {
		return err
	}
	p.People, p.Joined = int64(len(people)), slices.Contains(people, v.user.ID)
	return v.renderMobile(status, "m_sharing", p)
}

// actAttending signs up or off, asks, or joins a question.
func (s *Server) actAttending(v *visit) error {
	desk, words, text := s.opt.Desk, "", v.r.PostFormValue("text")
	err := s.onSharing(v, func(tx *store.Tx, x *store.Sharing) error {
		switch do := v.r.PostFormValue("do"); do {
		case "join", "leave":
			words = v.t("已报名，开始前提醒你")
			if do == "leave" {
				words = v.t("已取消报名")
			}
			return desk.SignUp(tx, v.user, x, do == "join")
		case "ask":
			message := chat.MessageID("", "", "", "", fmt.Sprintf("sharing/%s/%d", v.user.ID, tx.Serial()))
			q, err := desk.AskSharing(tx, v.user, x, message, text)
			words = v.t("已提交，第 %d 问", q.Place)
			return err
		case "vote", "unvote":
			words = v.t("已记下")
			return desk.VoteSharing(tx, v.user, x, number(v.r.PostFormValue("place")), do == "vote")
		}
		return badForm(v.t("表单不完整"))
	})
	var no chat.Refusal
	if errors.As(err, &no) {
		return s.showAttending(v, http.StatusUnprocessableEntity, text, no.Text)
	}
	if err != nil {
		return err
	}
	v.notice(words)
	return v.redirect(handlers.SharingPath(number(v.r.PathValue("number"))))
}

// changeMaterials adds a link or a file, or takes one away.
func (s *Server) changeMaterials(v *visit) error {
	n := number(v.r.PathValue("number"))
	m := store.SharingMaterial{Sharing: n, Author: v.user.ID, Title: strings.TrimSpace(v.r.PostFormValue("title"))}
	drop := number(v.r.PostFormValue("drop"))
	if drop == 0 {
		link, err := handlers.WebLink(v.r.PostFormValue("link"))
		var no chat.Refusal
		if errors.As(err, &no) {
			return s.showSharing(v, http.StatusUnprocessableEntity, no.Text)
		}
		m.Link = link
		x, err := s.findSharing(v)
		if err != nil {
			return err
		}
		if !handlers.Leads(v.user, x) {
			return needs(organisers)
		}
		if m.Link == "" {
			if fault, err := s.keepMaterial(v, &m); err != nil {
				return err
			} else if fault != "" {
				return s.showSharing(v, http.StatusUnprocessableEntity, fault)
			}
		}
		if m.Title == "" {
			m.Title = m.Link
		}
		m.Title = chat.Cut(m.Title, 60)
	}
	err := s.onSharing(v, func(tx *store.Tx, x *store.Sharing) error {
		if !handlers.Leads(v.user, *x) {
			return needs(organisers)
		}
		if drop > 0 {
			if err := tx.DropSharingMaterial(n, drop); err != nil {
				return err
			}
			return tx.Audit(v.user.ID, "sharing.material.drop", "S"+strconv.FormatInt(n, 10), map[string]string{"id": strconv.FormatInt(drop, 10)})
		}
		add := m
		if err := tx.AddSharingMaterial(&add); err != nil {
			return err
		}
		return tx.Audit(v.user.ID, "sharing.material.add", "S"+strconv.FormatInt(n, 10), map[string]string{"title": m.Title})
	})
	if err != nil {
		return err
	}
	v.notice(v.t("已保存"))
	return v.redirect(sharingPath(n) + "#materials")
}

// keepMaterial keeps the file of the form; a fault is what its sender is told.
func (s *Server) keepMaterial(v *visit, m *store.SharingMaterial) (fault string, err error) {
	f, head, err := v.r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return v.t("填一个链接，或选一个文件"), nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	if s.opt.Files == nil {
		return v.t("没有设置附件存储"), nil
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	switch {
	case len(content) == 0:
		return v.t("文件是空的"), nil
	case len(content) > maxUpload:
		return v.t("文件太大，最多 10 MB；大的放到微盘，这里填链接"), nil
	}
	name := fileName(head.Filename)
	if content, err = materialOf(name, content); err != nil {
		return v.t("只收 pdf、pptx、docx、xlsx、txt、csv 和图片，内容要和扩展名一致；别的放到微盘，这里填链接"), nil
	}
	if m.File, err = s.opt.Files.Put(v.r.Context(), content); err != nil {
		return "", err
	}
	m.Size = int64(len(content))
	if m.Title == "" || !strings.Contains(m.Title, ".") { // the ending says what it is
		m.Title = strings.TrimSpace(m.Title + " " + name)
	}
	return "", nil
}

// materialKinds are the files that a session may have: by ending, what their
// first bytes say.
var materialKinds = map[string]string{".pdf": "application/pdf", ".pptx": "application/zip", ".docx": "application/zip", ".xlsx": "application/zip", ".txt": "text/plain", ".csv": "text/plain",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}

var errMaterial = errors.New("no file that a session may have")

// materialOf is a file as it may be kept: of a kind that is known and that its
// ending tells; a picture is drawn anew, without what it says of its place.
func materialOf(name string, content []byte) ([]byte, error) {
	want, known := materialKinds[strings.ToLower(path.Ext(name))]
	kind, _, _ := strings.Cut(http.DetectContentType(content), ";")
	if !known || kind != want {
		return nil, errMaterial
	}
	if strings.HasPrefix(want, "image/") {
		clean, _, err := picture.Clean(content)
		return clean, err
	}
	return content, nil
}

// material sends a file, always as a download that no browser runs.
func (s *Server) material(v *visit) error {
	x, err := s.findSharing(v)
	if err != nil {
		return err
	}
	list, err := s.opt.Store.ListSharingMaterials(v.r.Context(), x.Number)
	if err != nil {
		return err
	}
	id := number(v.r.PathValue("id"))
	i := slices.IndexFunc(list, func(m store.SharingMaterial) bool { return m.ID == id && m.File != "" })
	if i < 0 || s.opt.Files == nil {
		return errNotFound
	}
	content, err := s.opt.Files.Get(v.r.Context(), list[i].File)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(list[i].Title))
	h.Set("Content-Length", strconv.Itoa(len(content)))
	v.w.Write(content)
	return nil
}
