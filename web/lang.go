package web

import (
	"fmt"
	"net/http"
)

// The catalogue: the Chinese text is the key, so a page reads as it is written;
// what has no English yet shows the Chinese.
var english = map[string]string{
	"工作台": "Home", "收发记录": "Deliveries", "群与机器人": "Groups & robots", "用户与角色": "Users & roles", "审计日志": "Audit log", "设置与体检": "Settings & health",
	"企微模拟器": "Simulator", "管理": "Manage", "体验": "Try", "一线支持台": "Front-line desk", "登录": "Sign in", "退出登录": "Sign out", "搜索": "Search",
	"没有权限": "You may not do this", "没有这个页面": "There is no such page", "提交的内容太大": "That is too large", "刚被别人改过，请刷新后再试": "Somebody else has just changed this; reload and try again",
	"内部错误，请稍后再试": "Something went wrong; please try again", "跳到主要内容": "Skip to content", "主导航": "Main navigation", "切换深色": "Dark or light",
}

// langOf is the visitor's choice, else the configured language.
func (s *Server) langOf(r *http.Request) string {
	if c, err := r.Cookie("lang"); err == nil && (c.Value == "zh" || c.Value == "en") {
		return c.Value
	}
	return s.opt.Lang
}

// t translates a text of ours, with arguments as fmt has them.
func (v *visit) t(key string, args ...any) string {
	if v.lang == "en" {
		if e, ok := english[key]; ok {
			key = e
		}
	}
	if len(args) == 0 {
		return key
	}
	return fmt.Sprintf(key, args...)
}

// theme is dark, light, or "" for what the system says.
func (v *visit) theme() string {
	if c, err := v.r.Cookie("theme"); err == nil && (c.Value == "dark" || c.Value == "light") {
		return c.Value
	}
	return ""
}
