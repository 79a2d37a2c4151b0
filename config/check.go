package config

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the time zone must not depend on the machine
)

var groupName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// check names everything that is wrong, never a secret's value.
func (c *Config) check(f *Faults) {
	if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "" {
		f.add("timezone: not known: %q", c.Timezone)
	}
	oneOf(f, "lang", c.Lang, "zh", "en")
	oneOf(f, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(f, "log.format", c.Log.Format, "text", "json")
	c.checkStores(f)
	c.checkWeCom(f)
	c.checkGroups(f)
	c.checkAlerts(f)
	c.checkTickets(f)
	c.checkConstruct(f)
	c.checkMonitors(f)
	c.checkMail(f)
	webAddress(f, "public_url", c.PublicURL)
	c.checkLLM(f)
	for name, t := range c.tokens() {
		if t != "" && len(t) < 8 {
			f.add("%s: must have at least 8 characters", name)
		}
	}
	if c.Retention.MessageDays < 184 {
		f.add("retention.message_days: must be at least 184 (network logs are kept six months by law)")
	}
}

func oneOf(f *Faults, name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		f.add("%s: must be one of %s", name, strings.Join(allowed, ", "))
	}
}

func webAddress(f *Faults, name, value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		f.add("%s: must be an address such as https://desk.example.com", name)
	}
}

func (c *Config) checkStores(f *Faults) {
	db := string(c.Database.URL)
	if !strings.HasPrefix(db, "sqlite:") && !strings.HasPrefix(db, "mysql://") {
		f.add("database.url: must begin with sqlite: or mysql://")
	}
	if c.EncryptionKey != "" {
		if key, err := base64.StdEncoding.DecodeString(string(c.EncryptionKey)); err != nil || len(key) != 32 {
			f.add("encryption_key: must be 32 bytes in base64 (openssl rand -base64 32)")
		}
	} else if strings.HasPrefix(db, "mysql://") {
		f.add("encryption_key: must be set when the database is MySQL (openssl rand -base64 32)")
	}
	if r := string(c.Redis.URL); r != "" && !strings.HasPrefix(r, "redis://") && !strings.HasPrefix(r, "rediss://") {
		f.add("redis.url: must begin with redis:// or rediss://")
	}
	if c.Files.URL != "" && !strings.HasPrefix(c.Files.URL, "dir:") && !strings.HasPrefix(c.Files.URL, "s3://") {
		f.add("files.url: must begin with dir: or s3://")
	}
}

func (c *Config) checkWeCom(f *Faults) {
	w := c.WeCom
	webAddress(f, "wecom.api_base", w.APIBase)
	together(f, "wecom.app", map[string]bool{"agent_id": w.App.AgentID != 0, "secret": w.App.Secret != ""})
	together(f, "wecom.app", map[string]bool{"token": w.App.Token != "", "aes_key": w.App.AESKey != ""})
	together(f, "wecom.bot", map[string]bool{"token": w.Bot.Token != "", "aes_key": w.Bot.AESKey != ""})
	together(f, "wecom.bot", map[string]bool{"id": w.Bot.ID != "", "secret": w.Bot.Secret != ""})
	if u, err := url.Parse(w.Bot.WSURL); err != nil || (u.Scheme != "wss" && u.Scheme != "ws") || u.Host == "" {
		f.add("wecom.bot.ws_url: must be an address such as wss://openws.work.weixin.qq.com")
	}
	for name, k := range map[string]Secret{"wecom.app.aes_key": w.App.AESKey, "wecom.bot.aes_key": w.Bot.AESKey} {
		if k != "" && len(k) != 43 {
			f.add("%s: an EncodingAESKey has 43 characters", name)
		}
	}
}

// together names what is missing when only a part of a set is there.
func together(f *Faults, at string, set map[string]bool) {
	var have, lack []string
	for k, ok := range set {
		if ok {
			have = append(have, k)
		} else {
			lack = append(lack, k)
		}
	}
	if len(have) > 0 {
		for _, k := range lack {
			f.add("%s.%s: must be set with %s.%s", at, k, at, have[0])
		}
	}
}

func (c *Config) checkGroups(f *Faults) {
	names := map[string]bool{}
	for _, g := range c.Groups {
		switch {
		case !groupName.MatchString(g.Name):
			f.add("groups: the name %q must be small letters, digits and dashes", g.Name)
		case names[g.Name]:
			f.add("groups: the name %q stands there twice", g.Name)
		}
		names[g.Name] = true
	}
}

// NeedWeCom names what serve needs and demo does not.
func (c *Config) NeedWeCom() error {
	var f Faults
	if c.WeCom.CorpID == "" {
		f.add("wecom.corp_id (FRONTLINE_WECOM_CORP_ID) is not set; to try Frontline without an account run: frontline demo")
	}
	if c.WeCom.App.AgentID == 0 && c.WeCom.Bot.Token == "" && c.WeCom.Bot.ID == "" {
		f.add("wecom: neither the app (wecom.app) nor the smart bot (wecom.bot) is configured")
	}
	if len(f) > 0 {
		return f
	}
	return nil
}

// Warnings are things that work but should not stay so. elsewhere are the
// groups that the database has, as far as they are known.
func (c *Config) Warnings(file string, elsewhere ...string) (out []string) {
	if t := c.Tickets.Group; t != "" && !slices.Contains(elsewhere, t) && !slices.ContainsFunc(c.Groups, func(g Group) bool { return g.Name == t }) {
		out = append(out, fmt.Sprintf("tickets.group: this configuration has no group %q; until the console has one, nobody is told of new tickets", t))
	}
	for name, t := range c.tokens() {
		if t != "" && len(t) < 24 {
			out = append(out, name+": fewer than 24 characters can be guessed")
		}
	}
	if b := c.WeCom.Bot; b.ID != "" && b.Token != "" {
		out = append(out, "wecom.bot: it has a callback and a long connection, but the platform uses only the one that is chosen in the bot's settings")
	}
	if u, err := url.Parse(c.WeCom.Bot.WSURL); err == nil && c.WeCom.Bot.ID != "" && u.Scheme == "ws" && !strings.HasPrefix(u.Host, "127.0.0.1:") {
		out = append(out, "wecom.bot.ws_url: ws:// is not encrypted")
	}
	out = append(out, c.alertWarnings(elsewhere)...)
	out = append(out, c.llmWarnings()...)
	if file != "" {
		if st, err := os.Stat(file); err == nil && st.Mode().Perm()&0o077 != 0 {
			out = append(out, filepath.Base(file)+": others may read it; chmod 600 if it holds secrets")
		}
	}
	slices.Sort(out)
	return out
}

// Location is the configured time zone.
func (c *Config) Location() *time.Location {
	l, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return time.UTC // check has refused it already
	}
	return l
}
