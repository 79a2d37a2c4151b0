package bot

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/silenceper/wechat/v2/work"
)

// LoginURL is where a browser goes to sign in: inside WeChat Work the silent
// authorisation, elsewhere the QR page. The SDK's own addresses carry a fixed
// state, which protects nothing.
// https://developer.work.weixin.qq.com/document/path/98152 and /91022
func (c *Client) LoginURL(redirect, state string, inside bool) string {
	if inside {
		q := url.Values{"appid": {c.opt.CorpID}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"snsapi_base"}, "state": {state}, "agentid": {fmt.Sprint(c.opt.AgentID)}}
		return "https://open.weixin.qq.com/connect/oauth2/authorize?" + q.Encode() + "#wechat_redirect"
	}
	q := url.Values{"login_type": {"CorpApp"}, "appid": {c.opt.CorpID}, "agentid": {fmt.Sprint(c.opt.AgentID)}, "redirect_uri": {redirect}, "state": {state}}
	return "https://login.work.weixin.qq.com/wwlogin/sso/login?" + q.Encode()
}

// UserByCode exchanges the code of a sign-in, which is good once and for five
// minutes, for a member's userid. Outsiders have none.
// https://developer.work.weixin.qq.com/document/path/91023
func (c *Client) UserByCode(ctx context.Context, code string) (string, error) {
	if code == "" || len(code) > 512 {
		return "", errors.New("no code")
	}
	id := ""
	err := c.withToken(ctx, "auth/getuserinfo", func(ctx context.Context, token string) error {
		return c.viaSDK(ctx, token, nil, func(w *work.Work, _ string) error {
			u, err := w.GetOauth().GetUserInfo(code)
			if err == nil {
				id = u.UserID
			}
			return err
		})
	})
	if err == nil && id == "" {
		return "", errors.New("not a member of the company")
	}
	return id, err
}

// Member is one entry of the address list, as far as the app may see it.
type Member struct{ ID, Name, Department string }

// Members reads the address list: every department in the app's visible range
// and the members in it, each once, under their first department by number.
// https://developer.work.weixin.qq.com/document/path/90208 and /90200
func (c *Client) Members(ctx context.Context) ([]Member, error) {
	if !c.HasApp() {
		return nil, errors.New("no app is configured")
	}
	type part struct {
		id   int
		name string
	}
	var parts []part
	err := c.withToken(ctx, "department/list", func(ctx context.Context, token string) error {
		return c.viaSDK(ctx, token, nil, func(w *work.Work, _ string) error {
			all, err := w.GetAddressList().DepartmentList()
			for _, d := range all {
				parts = append(parts, part{d.ID, d.Name})
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	var out []Member
	seen := map[string]bool{}
	for _, p := range parts {
		err := c.withToken(ctx, "user/simplelist", func(ctx context.Context, token string) error {
			return c.viaSDK(ctx, token, nil, func(w *work.Work, _ string) error {
				list, err := w.GetAddressList().UserSimpleList(p.id)
				for _, u := range list {
					if !seen[u.UserID] && safeUserID(u.UserID) {
						seen[u.UserID] = true
						out = append(out, Member{u.UserID, u.Name, p.name})
					}
				}
				return err
			})
		})
		if err != nil {
			return nil, fmt.Errorf("members of department %d: %w", p.id, err)
		}
	}
	return out, nil
}
