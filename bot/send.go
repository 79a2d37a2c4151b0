package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	"frontline/bot/chat"
)

// Send makes one frozen call.
func (c *Client) Send(ctx context.Context, out chat.Outgoing, p chat.Part, replyURL string) (chat.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime+5*time.Second)
	defer cancel()
	switch p.API {
	case "message/send":
		return c.sendMessage(ctx, p.Body)
	case "appchat/send":
		return chat.Receipt{Road: string(roadChat)}, c.withToken(ctx, p.API, func() error {
			_, err := c.sdk.GetAppChat().Send(p.API, p.Body)
			return err
		})
	case "webhook/send":
		return chat.Receipt{Road: string(roadRobot)}, c.sendRobot(ctx, out.To.ID, p.Body)
	case "message/update_template_card":
		return chat.Receipt{Road: "card"}, c.post(ctx, p.API, p.Body, nil)
	case "response":
		return chat.Receipt{Road: string(roadResponse)}, c.sendResponse(ctx, replyURL, p.Body)
	}
	return chat.Receipt{}, fmt.Errorf("%w: unknown call %s", ErrRejected, p.API)
}

func (c *Client) sendMessage(ctx context.Context, body json.RawMessage) (r chat.Receipt, err error) {
	r.Road = string(roadApp)
	err = c.withToken(ctx, "message/send", func() error {
		resp, err := c.sdk.GetMessage().Send("message/send", body)
		if err != nil {
			return err
		}
		r.MsgID, r.ResponseCode = resp.MsgID, resp.ResponseCode
		if resp.InvalidUser != "" {
			r.Invalid = append(r.Invalid, resp.InvalidUser)
		}
		if resp.UnlicensedUser != "" {
			r.Invalid = append(r.Invalid, resp.UnlicensedUser)
		}
		return nil
	})
	if err == nil && len(r.Invalid) > 0 {
		// Errcode 0, but the one receiver was not reached.
		err = fmt.Errorf("%w: %w", ErrRejected, &APIError{API: "message/send", Code: 81013, Msg: "invaliduser"})
	}
	return r, err
}

// sendRobot goes around the trap that RobotBroadcast reports an error code
// without an error.
func (c *Client) sendRobot(ctx context.Context, name string, body json.RawMessage) error {
	key, ok := c.opt.Robots[name]
	if !ok || key == "" {
		return fmt.Errorf("%w: the group %q has no robot", ErrRejected, name)
	}
	const api = "webhook/send"
	began := time.Now()
	done := make(chan error, 1)
	go func() {
		info, err := c.sdk.GetRobot().RobotBroadcast(key, body)
		if err == nil && info.ErrCode != 0 {
			err = &APIError{API: api, Code: info.ErrCode, Msg: info.ErrMsg}
		}
		done <- typed(api, err)
	}()
	select {
	case err := <-done:
		c.observe(api, codeOf(err), began)
		return err
	case <-ctx.Done():
		return &CallError{API: api, Unknown: true, Err: ctx.Err()}
	}
}

// sendResponse posts to the smart bot's answer address. The address comes from
// a signed callback, yet only its path and query are used: the host is ours.
func (c *Client) sendResponse(ctx context.Context, address string, body json.RawMessage) error {
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("response_code") == "" {
		return fmt.Errorf("%w: the answer address is none", ErrRejected)
	}
	return c.withoutToken(ctx, "aibot/response", url.Values{"response_code": u.Query()["response_code"]}, body)
}

func (c *Client) withoutToken(ctx context.Context, api string, q url.Values, body json.RawMessage) error {
	began := time.Now()
	err := c.postJSON(ctx, api, q, body, nil)
	c.observe(api, codeOf(err), began)
	return err
}

// upload brings a file to the platform and returns its media id, good for
// three days. A robot has an upload of its own.
func (c *Client) upload(ctx context.Context, to chat.Address, f chat.File, content []byte, r road) (id string, err error) {
	if r == roadRobot {
		return c.uploadRobot(ctx, to.ID, f, content)
	}
	err = c.withToken(ctx, "media/upload", func() error {
		resp, err := c.sdk.GetMaterial().UploadTempFileFromReader(f.Name, f.Kind, bytes.NewReader(content))
		if err == nil {
			id = resp.MediaID
		}
		return err
	})
	return id, err
}

func (c *Client) uploadRobot(ctx context.Context, group string, f chat.File, content []byte) (string, error) {
	key, ok := c.opt.Robots[group]
	if !ok {
		return "", fmt.Errorf("%w: the group %q has no robot", ErrRejected, group)
	}
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	file, err := w.CreateFormFile("media", f.Name)
	if err == nil {
		_, err = file.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return "", err
	}
	const api = "webhook/upload_media"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api/cgi-bin/"+api+"?"+url.Values{"key": {key}, "type": {f.Kind}}.Encode(), &buf)
	if err != nil {
		return "", errors.New(api + ": the request cannot be made")
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	var answer struct {
		ID string `json:"media_id"`
	}
	began := time.Now()
	err = c.answer(req, api, &answer)
	c.observe(api, codeOf(err), began)
	return answer.ID, err
}

// MediaByID fetches an attachment of the self-built app, at most most bytes.
// A failure is JSON with HTTP 200, so the type is looked at first; the SDK
// would take it for the file and drop the name.
// https://developer.work.weixin.qq.com/document/path/90254
func (c *Client) MediaByID(ctx context.Context, id string, most int64) (name string, content []byte, err error) {
	const api = "media/get"
	err = c.withToken(ctx, api, func() error {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api/cgi-bin/"+api+"?"+url.Values{"access_token": {token}, "media_id": {id}}.Encode(), nil)
		if err != nil {
			return err
		}
		resp, err := c.roundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		name = dispositionName(resp.Header.Get("Content-Disposition"))
		content, err = io.ReadAll(io.LimitReader(resp.Body, most+1))
		if err != nil {
			return &CallError{API: api, Err: errors.New("cut short")}
		}
		return mediaFault(api, resp.Header, content, most)
	})
	return name, content, err
}

func mediaFault(api string, h http.Header, content []byte, most int64) error {
	if int64(len(content)) > most {
		return fmt.Errorf("%w: the attachment is larger than %d bytes", ErrRejected, most)
	}
	var head struct {
		ErrCode int64  `json:"errcode"`
		ErrMsg  string `json:"errmsg"`
	}
	if h.Get("Content-Disposition") == "" && json.Unmarshal(content, &head) == nil && head.ErrCode != 0 {
		return &APIError{API: api, Code: head.ErrCode, Msg: head.ErrMsg}
	}
	return nil
}
