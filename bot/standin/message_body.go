package standin

import (
	"encoding/json"
	"unicode/utf8"
)

// content is the checked body of a message, ready to be shown.
type content struct {
	msgType  string
	text     string // text and markdown
	cut      bool
	mentions []string
	media    *MediaView
	body     json.RawMessage // everything that has no field of its own
	card     json.RawMessage
	title    string // for the ledger
}

// road is what differs between the ways of sending.
type road struct {
	name        string
	msgTypes    map[string]bool
	textMax     int
	textCut     bool // beyond textMax: cut silently, otherwise refused with 40058
	markdownMax int
	owner       string // whose media_ids may be used: "" the company's, else a robot's key
	cards       cardRules
}

func kinds(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, n := range names {
		m[n] = true
	}
	return m
}

var (
	appTypes   = kinds("text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown", "miniprogram_notice", "template_card")
	chatTypes  = kinds("text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown")
	robotTypes = kinds("text", "markdown", "markdown_v2", "image", "news", "file", "voice", "template_card")
)

// body checks the part of a message that depends on its msgtype.
func (s *Server) body(c *call, r reader, by road) (*content, *apiError) {
	kind := r.text("msgtype")
	if r.failed() == nil && !by.msgTypes[kind] {
		return nil, refuse(codeBadMsgType, "invalid message type")
	}
	if r.failed() == nil && !r.has(kind) {
		return nil, refuse(codeBadParameter, "%s missing. invalid Request Parameter", kind)
	}
	c.entry.MsgType = kind
	out := &content{msgType: kind}
	part := r.object(kind)
	switch kind {
	case "text":
		s.textBody(c, part, by, out)
	case "markdown", "markdown_v2":
		s.markdownBody(c, part, by, out)
	case "image", "voice", "video", "file":
		if by.name == "robot" && kind == "image" {
			s.robotImage(c, part, out)
		} else {
			s.mediaBody(c, part, kind, by, out)
		}
	case "textcard", "news", "mpnews", "miniprogram_notice":
		out.body = r.raw(kind)
		s.articleBody(c, part, kind, out)
	case "template_card":
		rules := by.cards
		rules.meters = &c.trace.Meters
		checkCard(part, rules)
		out.card = r.raw(kind)
		out.title = part.object("main_title").text("title")
	}
	c.entry.Text = joined(out.text, out.title)
	return out, r.failed()
}

// meterBytes notes a hard limit in bytes.
func (c *call) meterBytes(field, text string, limit int) {
	c.trace.Meters = append(c.trace.Meters, Meter{Field: field, Used: len(text), Limit: limit, Unit: "bytes", Hard: true})
}

func (s *Server) textBody(c *call, r reader, by road, out *content) {
	text := r.text("content")
	c.meterBytes("text.content", text, by.textMax)
	if text == "" {
		r.fail(codeEmptyText, "empty content")
	}
	if len(text) > by.textMax && !by.textCut {
		r.fail(codeBadParameter, "text.content exceed max length %d. invalid Request Parameter", by.textMax)
	}
	out.text, out.cut = cutBytes(text, by.textMax)
	if out.cut {
		s.counters.Cut++
	}
	if by.name == "robot" {
		out.mentions = append(r.texts("mentioned_list"), s.mobileUsers(r.texts("mentioned_mobile_list"))...)
	}
}

// mobileUsers are the mentions of mentioned_mobile_list; unknown numbers mention nobody.
func (s *Server) mobileUsers(mobiles []string) []string {
	var out []string
	for _, m := range mobiles {
		if m == "@all" {
			out = append(out, m)
		} else if p := s.byMobile(m); p != nil {
			out = append(out, p.UserID)
		}
	}
	return out
}

func (s *Server) markdownBody(c *call, r reader, by road, out *content) {
	out.text = r.text("content")
	c.meterBytes(r.path("content"), out.text, by.markdownMax)
	if out.text == "" {
		r.fail(codeEmptyText, "empty content")
	}
	if len(out.text) > by.markdownMax {
		r.fail(codeBadParameter, "%s exceed max length %d. invalid Request Parameter", r.path("content"), by.markdownMax)
	}
	if out.msgType == "markdown" {
		out.mentions = markdownMentions(out.text)
	}
}

func (s *Server) mediaBody(c *call, r reader, kind string, by road, out *content) {
	m := s.findMedia(r.text("media_id"), by.owner, c.now)
	if r.failed() != nil {
		return
	}
	switch {
	case r.text("media_id") == "":
		r.fail(codeEmptyMedia, "empty media data")
		return
	case m == nil:
		r.fail(codeBadMediaID, "invalid media_id")
		return
	case m.kind != kind:
		r.fail(codeBadMediaType, "invalid media type: media_id is a %s", m.kind)
		return
	}
	out.media = s.mediaView(m)
	out.title = m.name
	if kind == "video" {
		title, cut1 := cutBytes(r.text("title"), 128)
		_, cut2 := cutBytes(r.text("description"), 512)
		out.cut = cut1 || cut2
		out.title = title
		out.body, _ = json.Marshal(map[string]string{"title": title})
	}
}

func (s *Server) articleBody(c *call, r reader, kind string, out *content) {
	switch kind {
	case "textcard":
		out.title = r.needText("title")
		_, cut1 := cutBytes(out.title, 128)
		_, cut2 := cutBytes(r.needText("description"), 512)
		out.cut = cut1 || cut2 || utf8.RuneCountInString(r.text("btntxt")) > 4
		if len(r.needText("url")) > 2048 {
			r.fail(codeBadParameter, "textcard.url exceed max length 2048. invalid Request Parameter")
		}
	case "news", "mpnews":
		s.articles(c, r, kind, out)
	case "miniprogram_notice":
		r.needText("appid")
		out.title = r.needText("title")
		if n := utf8.RuneCountInString(out.title); n < 4 || n > 12 {
			r.fail(codeBadParameter, "miniprogram_notice.title should have 4 to 12 characters. invalid Request Parameter")
		}
		items := r.objects("content_item")
		r.bounded("content_item", len(items), 0, 10)
		for _, item := range items {
			item.needText("key")
			item.needText("value")
		}
	}
}

func (s *Server) articles(c *call, r reader, kind string, out *content) {
	list := r.objects("articles")
	if n := len(list); n < 1 || n > 8 {
		r.fail(codeBadArticleCount, "article count should be 1 to 8, is %d", n)
	}
	for i, a := range list {
		title := a.needText("title")
		if i == 0 {
			out.title = title
		}
		_, cut := cutBytes(title, 128)
		out.cut = out.cut || cut
		if kind == "news" {
			_, cut = cutBytes(a.text("description"), 512)
			out.cut = out.cut || cut
			if a.text("url") == "" && a.text("pagepath") == "" {
				a.fail(codeBadParameter, "%s missing. invalid Request Parameter", a.path("url"))
			}
			continue
		}
		if s.findMedia(a.needText("thumb_media_id"), "", c.now) == nil {
			a.fail(codeBadMediaID, "invalid media_id")
		}
		if len(a.needText("content")) > 666<<10 {
			a.fail(codeTooLong, "%s exceed max length 666 K", a.path("content"))
		}
	}
}
