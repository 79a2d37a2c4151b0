package bot

import (
	"errors"
	"fmt"
	"strings"
)

// APIError is a call that the platform answered with an error code. The
// platform answers HTTP 200 then, so the code alone counts, never its text.
// https://developer.work.weixin.qq.com/document/path/90313
type APIError struct {
	API  string
	Code int64
	Msg  string
}

func (e *APIError) Error() string { return fmt.Sprintf("%s: errcode %d %s", e.API, e.Code, e.Msg) }

// CallError is a call without an answer of the platform. Unknown tells that
// the request may have reached it: whether it took effect cannot be known.
type CallError struct {
	API     string
	Status  int // HTTP, when there was an answer, but not the platform's
	Unknown bool
	Err     error
}

func (e *CallError) Error() string {
	if e.Unknown {
		return fmt.Sprintf("%s: no answer, it may have arrived: %v", e.API, e.Err)
	}
	return fmt.Sprintf("%s: not reached: %v", e.API, e.Err)
}

func (e *CallError) Unwrap() error { return e.Err }

// notSent is an error of a call that prepares a message (token, upload): when
// its own outcome is unknown, the message is still known not to be sent.
func notSent(err error) error {
	var call *CallError
	if errors.As(err, &call) && call.Unknown {
		return &CallError{API: call.API, Status: call.Status, Err: call.Err}
	}
	return err
}

// ErrRejected marks a message that no repeat will get through.
var ErrRejected = errors.New("rejected")

// Class says what to do about an error.
type Class int

const (
	ClassRetry   Class = iota // the platform is busy or not reached: soon again
	ClassUnknown              // no answer: it may have arrived
	ClassRate                 // a limit: when its window is over
	ClassConfig               // an operator has to do something: slowly again, words are kept
	ClassMedia                // the uploaded file is gone: upload again
	ClassSpent                // the one use of a code is used: say it another way
	ClassFinal                // content or receiver: never
)

func (c Class) String() string {
	return [...]string{"retry", "unknown", "rate", "config", "media", "spent", "final"}[c]
}

// Classify reads an error of a call.
func Classify(err error) Class {
	var call *CallError
	var api *APIError
	var mail *mailError
	switch {
	case errors.Is(err, ErrRejected):
		return ClassFinal
	case errors.As(err, &mail):
		return mail.class
	case errors.As(err, &api):
		return classOf(api.API, api.Code)
	case errors.As(err, &call) && call.Unknown:
		return ClassUnknown
	}
	return ClassRetry
}

func classOf(api string, code int64) Class {
	switch code {
	case -1, 45033, 6000, codeUnsubscribed:
		return ClassRetry
	case 40001, 40014, 42001:
		if api == "gettoken" {
			return ClassConfig // the secret is wrong
		}
		return ClassRetry // a token died again right after it was fetched
	case 45009, 45011:
		return ClassRate
	case 40013, 40056, 40091, 41001, 41011, 43012, 48002, 50001, 50003, 60020, 301002, 853000, 93000, 93004, 93006, 93008:
		return ClassConfig
	case 40007:
		return ClassMedia
	case 60140, 846605, 846608:
		return ClassSpent
	}
	if api == cmdSend && code >= 60000 {
		return ClassConfig // the bot is not in that chat, or nobody has spoken to it there yet
	}
	return ClassFinal
}

// ConcernsAll tells whether a code speaks of our whole way to the platform, not
// of one message, one receiver or one robot.
func ConcernsAll(api string, code int64) bool {
	if strings.HasPrefix(api, "aibot_") {
		return code == -1 || code == codeUnsubscribed || code == 853000 // the rest speaks of one conversation
	}
	if code == 41011 || code == 43012 || code >= 93000 && code < 94000 || api == "webhook/send" && code != 60020 {
		return false
	}
	class := classOf(api, code)
	return class == ClassRetry || class == ClassRate || class == ClassConfig
}

// tokenSpent are the codes after which a fresh token is worth one more try.
// 40001 means a wrong secret at gettoken, but a bad token at any other call.
func tokenSpent(err error) bool {
	var api *APIError
	return errors.As(err, &api) && (api.Code == 40014 || api.Code == 42001 || api.Code == 40001)
}

// Advice is what an operator can do about a code, in Chinese, or "".
func Advice(code int64) string {
	switch code {
	case 40001, 40091:
		return "应用的 Secret 不对，请核对 wecom.app.secret"
	case 40013:
		return "企业 ID 不对，请核对 wecom.corp_id"
	case 40056, 301002:
		return "应用的 AgentId 与 Secret 不是同一个应用"
	case 43012:
		return "应用没有设置接收消息的回调地址，带按钮的卡片发不出去"
	case 48002:
		return "应用没有这个接口的权限"
	case 50003:
		return "应用已被停用"
	case 60020:
		return "服务器出口 IP 不在应用的可信 IP 里，请在管理后台添加（错误信息里有 IP）"
	case 93000:
		return "群机器人已被移除或 key 不对，请在群里重新添加并更新 robot_key"
	case 93004:
		return "群机器人已被停用"
	case 45009:
		return "调用太频繁，一分钟后自动继续"
	case 60011:
		return "没有权限；若是智能机器人，请先在那个会话里对它说一句话"
	case 93006:
		return "群不对；若是智能机器人，请先把它加进群并在群里 @ 它一次"
	case 853000:
		return "智能机器人的 BotID 或长连接 Secret 不对，请核对 wecom.bot.id 与 wecom.bot.secret"
	case 60111:
		return "通讯录里没有这个成员"
	case 81013:
		return "接收人都不在应用的可见范围内"
	}
	return ""
}
