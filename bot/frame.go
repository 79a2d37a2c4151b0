package bot

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"frontline/bot/chat"
)

// This file is the wire format of the smart bot's long connection.
// See https://developer.work.weixin.qq.com/document/path/101463.

// Commands of the long connection.
const (
	cmdSubscribe = "aibot_subscribe"
	cmdPing      = "ping"
	cmdMessage   = "aibot_msg_callback"
	cmdEvent     = "aibot_event_callback"
	cmdRespond   = "aibot_respond_msg"         // answers a message, within 24 hours
	cmdWelcome   = "aibot_respond_welcome_msg" // answers enter_chat, within five seconds
	cmdUpdate    = "aibot_respond_update_msg"  // rewrites the clicked card, within five seconds
	cmdSend      = "aibot_send_msg"            // answers nobody
	cmdInit      = "aibot_upload_media_init"
	cmdChunk     = "aibot_upload_media_chunk"
	cmdFinish    = "aibot_upload_media_finish"

	eventKicked = "disconnected_event" // somebody else connected as this bot
)

// frameMost bounds what is read: a callback is 64 KiB over HTTP.
const frameMost = 1 << 20

// frame is what comes from the platform: a callback with a cmd, or the answer
// to a request of ours, with its req_id and an error code.
type frame struct {
	Cmd     string          `json:"cmd"`
	Headers frameHeaders    `json:"headers"`
	Body    json.RawMessage `json:"body"`
	ErrCode *int64          `json:"errcode"`
	ErrMsg  string          `json:"errmsg"`
}

type frameHeaders struct {
	ReqID string `json:"req_id"`
}

// readFrame decodes one frame. The platform has been seen to send bare control
// characters inside strings, which JSON forbids; they become spaces.
func readFrame(data []byte) (f frame, err error) {
	if !json.Valid(data) {
		data = bytes.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, data)
	}
	if err := strictJSON(data, &f); err != nil {
		return frame{}, err
	}
	if f.Headers.ReqID == "" || len(f.Headers.ReqID) > 512 || f.Cmd == "" && f.ErrCode == nil {
		return frame{}, errMalformed
	}
	return f, nil
}

// kicked tells whether the frame says that another connection took over.
func (f frame) kicked() bool {
	if f.Cmd != cmdEvent {
		return false
	}
	var b struct {
		Event struct {
			Type string `json:"eventtype"`
		} `json:"event"`
	}
	return json.Unmarshal(f.Body, &b) == nil && b.Event.Type == eventKicked
}

// writeFrame encodes one request.
func writeFrame(cmd, reqID string, body json.RawMessage) ([]byte, error) {
	return marshalJSON(struct {
		Cmd     string          `json:"cmd"`
		Headers frameHeaders    `json:"headers"`
		Body    json.RawMessage `json:"body,omitempty"`
	}{cmd, frameHeaders{reqID}, body})
}

// liveReply says how a message of the long connection is answered: by which
// command and under which req_id. It stands in the message's ReplyURL, so that
// it outlives the process.
type liveReply struct {
	cmd, reqID string
	task       string // of cmdUpdate: the card that was clicked
}

// replyTo is how m, which came under a req_id, can be answered; "" not at all.
func replyTo(m chat.Message, reqID string) string {
	r := liveReply{reqID: reqID}
	switch {
	case m.Kind == chat.KindEnter:
		r.cmd = cmdWelcome
	case m.Kind == chat.KindClick:
		r.cmd, r.task = cmdUpdate, m.Click.TaskID
	case m.Event == "":
		r.cmd = cmdRespond
	default:
		return ""
	}
	return chat.LiveReply + r.cmd + "?" + url.Values{"req_id": {r.reqID}, "task_id": {r.task}}.Encode()
}

func parseLiveReply(s string) (r liveReply, ok bool) {
	s, ok = strings.CutPrefix(s, chat.LiveReply)
	if !ok {
		return r, false
	}
	cmd, query, _ := strings.Cut(s, "?")
	q, err := url.ParseQuery(query)
	return liveReply{cmd: cmd, reqID: q.Get("req_id"), task: q.Get("task_id")}, err == nil && q.Get("req_id") != ""
}
