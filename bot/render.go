package bot

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"frontline/bot/chat"
)

// Limits in bytes of the text that one message carries.
// App: https://developer.work.weixin.qq.com/document/path/90236 (beyond it the
// platform cuts without a word), robot: /91770 (beyond it the platform
// refuses), smart bot: /101138.
const (
	appText       = 2048
	robotText     = 2048
	robotMarkdown = 4096
	botMarkdown   = 20480
	robotImage    = 2 << 20 // a picture inside a message; a larger one goes as a file
	mentionMost   = 1024    // of all mentions in one robot message
)

// road is the way by which a message leaves.
type road string

const (
	roadMail     road = "mail"         // to a mail server
	roadHook     road = "hook"         // an HTTP post to a subscriber
	roadApp      road = "app"          // message/send to one member
	roadChat     road = "appchat"      // appchat/send to a chat that the app made
	roadRobot    road = "robot"        // webhook/send
	roadResponse road = "response_url" // the smart bot's one later answer
	roadCard          = "card"         // message/update_template_card; only in receipts
)

// The platform recognises a request that equals an earlier one to the last byte
// and swallows it, within an interval that the request names, up to four hours.
// We name another interval every four seconds, by when the message was made: so
// messages with the same words, which people are meant to see all, differ, and
// no memory is needed for that but for those of the same four seconds.
// https://developer.work.weixin.qq.com/document/path/90236
const (
	duplicateShortest = 2 * time.Hour
	duplicateStep     = 4 * time.Second
	duplicateSteps    = 3600 // of duplicateStep: four hours, the longest interval
)

// render makes the calls of one message; their bytes are then frozen.
func (d *Deliverer) render(ctx context.Context, out chat.Outgoing, r road) ([]chat.Part, error) {
	if out.Body.File != nil {
		return d.renderFile(ctx, out, r)
	}
	switch r {
	case roadApp:
		return d.renderApp(out)
	case roadChat:
		return renderChat(out)
	case roadRobot:
		return renderRobot(out)
	}
	return renderResponse(out)
}

func part(api string, body any) (chat.Part, error) {
	b, err := marshalJSON(body)
	return chat.Part{API: api, Body: b}, err
}

func parts(api string, bodies []map[string]any) ([]chat.Part, error) {
	var out []chat.Part
	for _, b := range bodies {
		p, err := part(api, b)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// appBody is a message to one member.
func (d *Deliverer) appBody(to, kind string, content any) (map[string]any, error) {
	if !safeUserID(to) {
		return nil, fmt.Errorf("%w: %q is not one member", ErrRejected, cut(to, 20))
	}
	words, err := marshalJSON(content)
	if err != nil {
		return nil, err
	}
	return map[string]any{"touser": to, "msgtype": kind, "agentid": d.opt.Client.opt.AgentID, kind: json.RawMessage(words),
		"enable_duplicate_check": 1, "duplicate_check_interval": d.interval(to, words)}, nil
}

// interval is a duplicate check interval, in seconds, that no equal message of
// the last hours named: the step of the clock, or, for the second one within a
// step, the same in the upper half, where no first one is.
func (d *Deliverer) interval(to string, words []byte) int64 {
	now := d.opt.Now()
	step := now.Unix() / int64(duplicateStep/time.Second) % duplicateSteps
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.swept) > time.Minute {
		maps.DeleteFunc(d.said, func(_ sameWords, at time.Time) bool { return now.Sub(at) > duplicateStep*duplicateSteps })
		d.swept = now
	}
	key := sameWords{sum: sha256.Sum256(append([]byte(to+"\x00"), words...))}
	for n := range int64(2 * duplicateSteps) {
		key.step = (step+n/2)%duplicateSteps + n%2*duplicateSteps
		if _, there := d.said[key]; !there {
			break
		}
	}
	d.said[key] = now
	return int64(duplicateShortest/time.Second) + key.step
}

// sameWords are words to somebody of the last hours.
type sameWords struct {
	sum  [sha256.Size]byte
	step int64
}

func (d *Deliverer) renderApp(out chat.Outgoing) ([]chat.Part, error) {
	kind, contents, err := appContents(out.Body)
	if err != nil {
		d.opt.Log.Warn("card cannot be shown, its text goes out", "err", err)
	}
	return d.appParts(out.To.ID, kind, contents...)
}

// appContents is a body as the app says it; the error tells why a card is said
// as text.
func appContents(b chat.Body) (kind string, contents []any, err error) {
	if b.Card != nil {
		card, cardErr := CardJSON(*b.Card, AppCards)
		if cardErr == nil {
			return "template_card", []any{json.RawMessage(card)}, nil
		}
		if !errors.Is(cardErr, ErrNoCard) {
			err = cardErr
		}
	}
	kind = "text"
	if b.Markdown != "" {
		kind = "markdown"
	}
	for _, s := range Split(bodyText(b), appText) {
		contents = append(contents, map[string]string{"content": s})
	}
	return kind, contents, err
}

func (d *Deliverer) appParts(to, kind string, contents ...any) ([]chat.Part, error) {
	var bodies []map[string]any
	for _, c := range contents {
		b, err := d.appBody(to, kind, c)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, b)
	}
	return parts("message/send", bodies)
}

func renderChat(out chat.Outgoing) ([]chat.Part, error) {
	kind := "text"
	if out.Body.Markdown != "" {
		kind = "markdown"
	}
	var bodies []map[string]any
	for _, s := range Split(bodyText(out.Body), appText) {
		bodies = append(bodies, map[string]any{"chatid": out.To.ID, "msgtype": kind, kind: map[string]string{"content": s}})
	}
	return parts("appchat/send", bodies)
}

func renderRobot(out chat.Outgoing) ([]chat.Part, error) {
	if c := out.Body.Card; c != nil {
		if card, err := CardJSON(*c, RobotCards); err == nil {
			return parts("webhook/send", []map[string]any{{"msgtype": "template_card", "template_card": json.RawMessage(card)}})
		}
	}
	var bodies []map[string]any
	if md := out.Body.Markdown; md != "" {
		mention := mentionText(out.Mention)
		for i, s := range Split(md, robotMarkdown-len(mention)) {
			if i == 0 {
				s += mention
			}
			bodies = append(bodies, map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": s}})
		}
		return parts("webhook/send", bodies)
	}
	for i, s := range Split(bodyText(out.Body), robotText) {
		text := map[string]any{"content": s}
		if i == 0 && len(out.Mention) > 0 {
			text["mentioned_list"] = out.Mention
		}
		bodies = append(bodies, map[string]any{"msgtype": "text", "text": text})
	}
	return parts("webhook/send", bodies)
}

// mentionText is how markdown of a robot mentions members; it knows no @all.
func mentionText(ids []string) string {
	var b strings.Builder
	for _, id := range ids {
		if safeUserID(id) && b.Len()+len(id)+4 <= mentionMost {
			b.WriteString(" <@" + id + ">")
		}
	}
	return b.String()
}

func renderResponse(out chat.Outgoing) ([]chat.Part, error) {
	if c := out.Body.Card; c != nil && out.To.Kind == chat.Person {
		if card, err := CardJSON(*c, BotCards); err == nil {
			return parts("response", []map[string]any{{"msgtype": "template_card", "template_card": json.RawMessage(card)}})
		}
	}
	text := cutBytes(noColour(bodyText(out.Body)), botMarkdown)
	return parts("response", []map[string]any{{"msgtype": "markdown", "markdown": map[string]string{"content": text}}})
}

// noColour drops what markdown_v2, the smart bot's dialect, would show as text.
func noColour(s string) string { return fontTag.ReplaceAllString(s, "") }

var fontTag = regexp.MustCompile(`</?font[^>]*>`)

// bodyText is a body as words: a card is said by its typed twin.
func bodyText(b chat.Body) string {
	switch {
	case b.Markdown != "":
		return b.Markdown
	case b.Card != nil && b.Card.Twin != "":
		return b.Card.Twin
	case b.Card != nil:
		return strings.TrimSpace(b.Card.Title + "\n" + b.Card.Desc + "\n" + b.Card.Text)
	case b.Update != nil:
		return b.Update.Text
	}
	return b.Text
}

// renderFile uploads the file and sends it by its media id, or, for pictures
// of a robot, inside the message.
// https://developer.work.weixin.qq.com/document/path/90253 and /91770
func (d *Deliverer) renderFile(ctx context.Context, out chat.Outgoing, r road) ([]chat.Part, error) {
	f, c := *out.Body.File, d.opt.Client
	switch {
	case c.opt.Files == nil:
		return nil, fmt.Errorf("%w: no file store", ErrRejected)
	case r == roadResponse:
		return nil, fmt.Errorf("%w: the smart bot cannot send files over its answer address", ErrRejected)
	case r == roadApp && !safeUserID(out.To.ID):
		return nil, fmt.Errorf("%w: %q is not one member", ErrRejected, cut(out.To.ID, 20))
	}
	content, err := c.opt.Files.Get(ctx, f.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: read the file: %w", ErrRejected, err)
	}
	if r == roadRobot && f.Kind == "image" && len(content) <= robotImage {
		sum := md5.Sum(content) // the platform's own check, not a protection
		return parts("webhook/send", []map[string]any{{"msgtype": "image", "image": map[string]string{"base64": base64.StdEncoding.EncodeToString(content), "md5": hex.EncodeToString(sum[:])}}})
	}
	if r == roadRobot && f.Kind != "voice" {
		f.Kind = "file" // a robot uploads nothing else
	}
	id, err := c.upload(ctx, out.To, f, content, r)
	if err != nil {
		return nil, err
	}
	media := map[string]string{"media_id": id}
	switch r {
	case roadApp:
		return d.appParts(out.To.ID, f.Kind, media)
	case roadChat:
		return parts("appchat/send", []map[string]any{{"chatid": out.To.ID, "msgtype": f.Kind, f.Kind: media}})
	}
	return parts("webhook/send", []map[string]any{{"msgtype": f.Kind, f.Kind: media}})
}
