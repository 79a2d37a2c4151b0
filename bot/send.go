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

	"github.com/silenceper/wechat/v2/work"

	"frontline/bot/chat"
)

// Send makes one frozen call; the bytes that leave are those of p. replyURL is
// the smart bot's answer address, for a part that goes there.
func (c *Client) Send(ctx context.Context, out chat.Outgoing, p chat.Part, replyURL string) (chat.Receipt, error) {
	switch p.API {
	case "message/send":
		return c.sendMessage(ctx, p.Body)
	case "appchat/send":
		return chat.Receipt{Road: string(roadChat)}, c.withToken(ctx, p.API, func(ctx context.Context, token string) error {
			return c.viaSDK(ctx, token, p.Body, func(w *work.Work, _ string) error {
				_, err := w.GetAppChat().Send(p.API, p.Body)
				return err
			})
		})
	case "webhook/send":
		return chat.Receipt{Road: string(roadRobot)}, c.sendRobot(ctx, out.To.ID, p.Body)
	case "message/update_template_card":
		return chat.Receipt{Road: roadCard}, c.post(ctx, p.API, p.Body, nil)
	case "response":
		return chat.Receipt{Road: string(roadResponse)}, c.sendResponse(ctx, replyURL, p.Body)
	}
	return chat.Receipt{}, fmt.Errorf("%w: unknown call %s", ErrRejected, p.API)
}

func (c *Client) sendMessage(ctx context.Context, body json.RawMessage) (r chat.Receipt, err error) {
	const api = "message/send"
	r.Road = string(roadApp)
	err = c.withToken(ctx, api, func(ctx context.Context, token string) error {
		return c.viaSDK(ctx, token, body, func(w *work.Work, _ string) error {
			resp, err := w.GetMessage().Send(api, body)
			if err != nil {
				return err
			}
			r.MsgID, r.ResponseCode = resp.MsgID, resp.ResponseCode
			for _, id := range []string{resp.InvalidUser, resp.UnlicensedUser} {
				if id != "" {
					r.Invalid = append(r.Invalid, id)
				}
			}
			return nil
		})
	})
	if err == nil && len(r.Invalid) > 0 {
		// Errcode 0, but the one receiver was not reached.
		err = fmt.Errorf("%w: %w", ErrRejected, &APIError{API: api, Code: 81013, Msg: "invaliduser"})
	}
	return r, err
}

// sendRobot goes around the trap that RobotBroadcast reports an error code
// without an error.
func (c *Client) sendRobot(ctx context.Context, name string, body json.RawMessage) error {
	const api = "webhook/send"
	key, err := c.robotKey(ctx, name)
	if err != nil {
		return err
	}
	return c.observed(api, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		err := c.viaSDK(ctx, key, body, func(w *work.Work, name string) error {
			info, err := w.GetRobot().RobotBroadcast(name, body)
			if err == nil && info.ErrCode != 0 {
				err = &info
			}
			return err
		})
		return scrubbed(typed(api, err), url.Values{"key": {key}})
	})
}

func (c *Client) robotKey(ctx context.Context, name string) (key string, err error) {
	if c.opt.Robot != nil {
		if key, err = c.opt.Robot(ctx, name); err != nil {
			return "", fmt.Errorf("find the robot of a group: %w", err)
		}
	}
	if key == "" {
		return "", fmt.Errorf("%w: the group %q has no robot", ErrRejected, cut(name, 40))
	}
	return key, nil
}

// sendResponse posts to the smart bot's answer address. The address comes from
// a signed callback, yet only its code is used: host and path are ours.
// https://developer.work.weixin.qq.com/document/path/101138
func (c *Client) sendResponse(ctx context.Context, address string, body json.RawMessage) error {
	const api = "aibot/response"
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("response_code") == "" {
		return fmt.Errorf("%w: the answer address is none", ErrRejected)
	}
	return c.observed(api, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		return c.call(ctx, http.MethodPost, api, url.Values{"response_code": {u.Query().Get("response_code")}}, jsonType, body, nil)
	})
}

// upload brings a file to the platform and returns its media id, good for
// three days. A robot has an upload of its own, which the SDK does not know.
// Whatever goes wrong, the message itself is not sent.
func (c *Client) upload(ctx context.Context, to chat.Address, f chat.File, content []byte, r road) (id string, err error) {
	if r == roadRobot {
		id, err = c.uploadRobot(ctx, to.ID, f, content)
		return id, notSent(err)
	}
	err = c.withToken(ctx, "media/upload", func(ctx context.Context, token string) error {
		return c.viaSDK(ctx, token, nil, func(w *work.Work, _ string) error {
			resp, err := w.GetMaterial().UploadTempFileFromReader(f.Name, f.Kind, bytes.NewReader(content))
			if err == nil {
				id = resp.MediaID
			}
			return err
		})
	})
	return id, notSent(err)
}

func (c *Client) uploadRobot(ctx context.Context, group string, f chat.File, content []byte) (string, error) {
	const api = "webhook/upload_media"
	key, err := c.robotKey(ctx, group)
	if err != nil {
		return "", err
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
	var answer struct {
		ID string `json:"media_id"`
	}
	err = c.observed(api, func() error {
		ctx, cancel := context.WithTimeout(ctx, callTime)
		defer cancel()
		return c.call(ctx, http.MethodPost, api, url.Values{"key": {key}, "type": {f.Kind}}, w.FormDataContentType(), buf.Bytes(), &answer)
	})
	return answer.ID, err
}

// MediaByID fetches an attachment of the self-built app, at most most bytes.
// A failure is JSON with HTTP 200, so the type is looked at first; the SDK
// would take it for the file and drop the name.
// https://developer.work.weixin.qq.com/document/path/90254
func (c *Client) MediaByID(ctx context.Context, id string, most int64) (name string, content []byte, err error) {
	const api = "media/get"
	err = c.withToken(ctx, api, func(ctx context.Context, token string) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api/cgi-bin/"+api+"?"+url.Values{"access_token": {token}, "media_id": {id}}.Encode(), nil)
		if err != nil {
			return &CallError{API: api, Err: errors.New("the request cannot be made")}
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
