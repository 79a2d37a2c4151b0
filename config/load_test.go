package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFaultsAreAllNamedWithTheirLine(t *testing.T) {
	file := write(t, "f.yaml", "listen: \":9000\"\nlissten: x\nwecom:\n  corp_id: ww1\n  app:\n    agent_id: many\n    secrt: topsecret\n  corp_id: ww2\nlog: 3\nadmins: zhang\n")
	_, err := Load(file, []string{"FRONTLINE_WECOM_APP_SECRT=topsecret", "FRONTLINE_LISTEN=:1"})
	if err == nil {
		t.Fatal("accepted")
	}
	text := err.Error()
	for _, want := range []string{
		`f.yaml:2: unknown key "lissten" (did you mean "listen"?)`,
		"f.yaml:6: wecom.app.agent_id: must be a whole number",
		`f.yaml:7: unknown key "wecom.app.secrt" (did you mean "secret"?)`,
		"f.yaml:9: log must hold keys and values",
		"f.yaml:10: admins must be a list",
		"FRONTLINE_WECOM_APP_SECRT: unknown variable (did you mean FRONTLINE_WECOM_APP_SECRET?)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "topsecret") {
		t.Errorf("a secret was printed:\n%s", text)
	}
}

func TestOrderFileEnvironmentSecretFile(t *testing.T) {
	file := write(t, "f.yaml", "listen: \":9000\"\nadmins: [a, b]\nwecom:\n  app:\n    agent_id: 1000002\n    secret: fromfile\n")
	secret := write(t, "secret", "fromsecretfile\n")
	c, err := Load(file, []string{"FRONTLINE_LISTEN=:7", "FRONTLINE_ADMINS=c, d", "FRONTLINE_WECOM_APP_SECRET_FILE=" + secret, "OTHER=1"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":7" || string(c.WeCom.App.Secret) != "fromsecretfile" || fmt.Sprint(c.Admins) != "[c d]" || c.WeCom.App.AgentID != 1000002 {
		t.Errorf("%+v", c)
	}
	if s := fmt.Sprintf("%v %+v %#v %s", c, c, c, c.WeCom.App.Secret); strings.Contains(s, "fromsecretfile") {
		t.Errorf("a secret is printed: %s", s)
	}
}

// Bad input B96: each is refused with a line or a name, and no value of a secret.
func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"tab":         {"wecom:\n\tcorp_id: x\n", "f.yaml:"},
		"alias bomb":  {"admins: &a [x]\ngroups: *a\n", "anchors and aliases"},
		"two docs":    {"listen: \":1\"\n---\nlisten: \":2\"\n", "more than one document"},
		"list":        {"- a\n- b\n", "keys and values"},
		"short key":   {"wecom:\n  app:\n    token: tok\n    aes_key: secretsecret\n", "43 characters"},
		"half app":    {"wecom:\n  app:\n    secret: secretsecret\n", "wecom.app.agent_id: must be set"},
		"bad db":      {"database:\n  url: postgres://u:secretsecret@h/x\n", "database.url: must begin"},
		"mysql key":   {"database:\n  url: mysql://u:secretsecret@h/x\n", "encryption_key: must be set"},
		"short token": {"hooks:\n  token: secret\n", "hooks.token: must have at least 8"},
		"group twice": {"groups:\n  - name: a\n  - name: a\n", "twice"},
		"group name":  {"groups:\n  - name: A B\n", "small letters"},
		"answers":     {"llm:\n  answers: always\n", "llm.answers: must be one of words, choose, word"},
		"wait":        {"llm:\n  embedding_wait: 20s\n", "llm.embedding_wait: must be a time up to 3s"},
		"price":       {"llm:\n  prompt_price: cheap\n", "llm.prompt_price: must be a number"},
		"no price":    {"llm:\n  daily_cost: 50\n", "llm.daily_cost: needs"},
		"below zero":  {"llm:\n  daily_tokens: -1\n", "llm.daily_tokens: must not be below 0"},
		"retention":   {"retention:\n  message_days: 180\n", "at least 184"},
		"zone":        {"timezone: Mars/Olympus\n", "timezone"},
		"key length":  {"encryption_key: c2VjcmV0\n", "32 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, "f.yaml", c.text), nil)
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secretsecret") {
				t.Errorf("got %q, want %q", err, c.want)
			}
		})
	}
	if c, err := Load(write(t, "f.yaml", ""), nil); err != nil || c.Listen != ":8080" {
		t.Errorf("an empty file is all defaults: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil); err == nil {
		t.Error("a file that is not there was accepted")
	}
}

func FuzzYAML(f *testing.F) {
	f.Add([]byte("listen: \":9000\"\nwecom:\n  app: {agent_id: 3}\ngroups:\n  - name: a\n"))
	f.Add([]byte("a: &x [*x]"))
	f.Add([]byte("? - :\n  - !!binary x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var faults Faults
		readYAML(Default(), "f", text, &faults)
	})
}

// What is accepted but not used yet is said at every start.
func TestOptionsWithoutEffectAreNamed(t *testing.T) {
	c := Default()
	if w := c.Warnings(""); len(w) != 0 {
		t.Errorf("the defaults warn: %q", w)
	}
	c.LLM.EmbeddingModel, c.Hooks.Token = "emb-1", "a-token-that-is-long-enough"
	if w := strings.Join(c.Warnings(""), "\n"); strings.Count(w, "no effect") != 1 || strings.Contains(w, "long-enough") {
		t.Errorf("%q", w)
	}
}

// The smart bot alone, by its long connection, is enough to serve.
func TestLongConnectionAlone(t *testing.T) {
	c, err := Load("", []string{"FRONTLINE_WECOM_CORP_ID=ww1", "FRONTLINE_WECOM_BOT_ID=aib-1", "FRONTLINE_WECOM_BOT_SECRET=s"})
	if err != nil || c.NeedWeCom() != nil || len(c.Warnings("")) != 0 {
		t.Errorf("%v %v %q", err, c.NeedWeCom(), c.Warnings(""))
	}
	c.WeCom.Bot.Token, c.WeCom.Bot.WSURL = "t", "ws://proxy.example.com/ws"
	if w := strings.Join(c.Warnings(""), "\n"); !strings.Contains(w, "only the one that is chosen") || !strings.Contains(w, "not encrypted") {
		t.Errorf("%q", w)
	}
	if _, err := Load("", []string{"FRONTLINE_WECOM_BOT_ID=aib-1", "FRONTLINE_WECOM_BOT_WS_URL=https://example.com"}); err == nil || !strings.Contains(err.Error(), "wecom.bot.secret") || !strings.Contains(err.Error(), "ws_url") {
		t.Errorf("%v", err)
	}
}

// Attachments may lie in a folder or in an object store, nowhere else.
func TestFilesURL(t *testing.T) {
	for url, good := range map[string]bool{"": true, "dir:/var/lib/x": true, "s3://bucket/p?endpoint=https://minio.example&region=cn": true, "ftp://x": false, "/var/lib/x": false} {
		c := Default()
		c.Files.URL = url
		var f Faults
		c.checkStores(&f)
		if bad := strings.Contains(f.Error(), "files.url"); bad == good {
			t.Errorf("%q: %v", url, f)
		}
	}
}
