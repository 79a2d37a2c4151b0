package config

import (
	"strings"
	"testing"
)

func TestMailOptions(t *testing.T) {
	good := "mail:\n  server: smtp.example.com:587\n  from: 证券Alert邮件 <alert@example.com>\n  username: alert\n  password: a-secret-word\nalerts:\n  default_mails: [desk@example.com]\n  routes:\n    - { name: banks, mails: [banks@example.com] }\n"
	c, err := Load(write(t, "f.yaml", good), nil)
	if err != nil {
		t.Fatal(err)
	}
	if host, port, err := c.Mail.HostPort(); err != nil || host != "smtp.example.com" || port != 587 {
		t.Errorf("%s %d %v", host, port, err)
	}
	for _, x := range []struct{ from, to, want string }{
		{"smtp.example.com:587", "smtp.example.com", "mail.server: must be host:port"},
		{"server: smtp.example.com:587\n  ", "", "mail.server: must be set where alerts name mails"},
		{"from: 证券Alert邮件 <alert@example.com>", "from: nobody", "mail.from"},
		{"  password: a-secret-word\n", "", "mail.password: must be set"},
		{"[desk@example.com]", "['Desk <desk@example.com>']", "alerts.default_mails"},
		{"banks@example.com", strings.Repeat("b", 60) + "@example.com", "alerts.routes (banks): mails"},
		{"username: alert", "username: alert\n  tls: maybe", "mail.tls"},
		{"username: alert", "username: alert\n  ca_file: /none", "mail.ca_file"},
	} {
		_, err := Load(write(t, "f.yaml", strings.Replace(good, x.from, x.to, 1)), nil)
		if err == nil || !strings.Contains(err.Error(), x.want) || strings.Contains(err.Error(), "a-secret-word") {
			t.Errorf("%q: %v, want %s", x.to, err, x.want)
		}
	}
}
