package standin

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// robotSend: https://developer.work.weixin.qq.com/document/path/99110. The key is
// the whole credential. Twenty messages a minute, then 45009; over-length is
// refused with 40058, not cut.
func (s *Server) robotSend(c *call) (answer, *apiError) {
	bot, bad := s.findRobot(c)
	if bad != nil {
		return nil, bad
	}
	r, bad := readObject(c.body)
	if bad != nil {
		return nil, bad
	}
	msg, bad := s.body(c, r, road{name: "robot", msgTypes: robotTypes, textMax: 2048, markdownMax: 4096, owner: bot.Key,
		cards: cardRules{types: noticeCards, short: true, callback: true}})
	if bad != nil {
		return nil, bad
	}
	if !bot.window.room(c.now, time.Minute, s.limits.RobotMinute) {
		return nil, refuse(codeTooFrequent, "api freq out of limit")
	}
	bot.window.add(c.now, time.Minute)
	e := s.show(msg.entry(Entry{Place: GroupPlace(bot.Group), From: Who{"robot", bot.label(), bot.Name}, At: c.now}))
	if msg.card != nil {
		(&card{scope: Place("robot:" + bot.Key)}).addCopy(e, msg.card)
	}
	c.entry.Delivered = []string{bot.Group}
	return nil, nil
}

func (s *Server) findRobot(c *call) (*robot, *apiError) {
	bot := s.robots[c.query.Get("key")]
	if bot == nil {
		return nil, refuse(codeBadRobotKey, "invalid webhook url")
	}
	c.entry.Target = "robot:" + bot.label()
	return bot, nil
}

// label names a robot without giving its key away.
func (r *robot) label() string {
	if r.Name != "" {
		return r.Name
	}
	return "…" + r.Key[max(0, len(r.Key)-4):]
}

// AddRobot adds a group robot, or moves the one with the same key.
func (s *Server) AddRobot(r Robot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.robots[r.Key] = &robot{Robot: r}
}

// RemoveRobot deletes a robot from its group: its key answers 93000 from now on.
func (s *Server) RemoveRobot(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.robots, key)
}

// robotImage takes the picture inside the message: base64 and md5, at most 2 MB.
func (s *Server) robotImage(c *call, r reader, out *content) {
	data, err := base64.StdEncoding.DecodeString(r.needText("base64"))
	if err != nil {
		r.fail(codeBadParameter, "image.base64 is not base64. invalid Request Parameter")
	}
	want := r.needText("md5")
	if r.failed() != nil {
		return
	}
	sum := md5.Sum(data)
	switch {
	case !strings.EqualFold(want, hex.EncodeToString(sum[:])):
		r.fail(codeBadImageMD5, "image md5 does not match")
	case len(data) > 2<<20:
		r.fail(codeMediaTooBig, "image size out of limit 2097152")
	case !looksLike("image", data):
		r.fail(codeBadMediaType, "image should be jpg or png")
	default:
		m := s.keepMedia("image", &upload{name: "image", data: data}, "robot")
		out.media = s.mediaView(m)
		out.media.MediaID = ""
	}
}

// robotUpload: a file of 5 B to 20 MB or a voice of at most 2 MB and 60 s; the
// media_id is good for three days and only for this robot.
func (s *Server) robotUpload(c *call) (answer, *apiError) {
	bot, bad := s.findRobot(c)
	if bad != nil {
		return nil, bad
	}
	kind := c.query.Get("type")
	if bad := checkMedia(kind, c.upload, map[string]int{"file": mediaMax["file"], "voice": mediaMax["voice"]}); bad != nil {
		return nil, bad
	}
	m := s.keepMedia(kind, c.upload, bot.Key)
	c.entry.Text = m.name
	return answer{"type": kind, "media_id": m.id, "created_at": fmt.Sprint(c.now.Unix())}, nil
}

var mentionPattern = regexp.MustCompile(`<@([^<>\s]+)>`)

// markdownMentions are the <@userid> of a markdown text; markdown_v2 has none.
func markdownMentions(text string) []string {
	var out []string
	for _, m := range mentionPattern.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}
