package config

import (
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"os"
	"strconv"
)

// longestMail is what the tables have room for.
const longestMail = 58

// checkMail checks the way to the mail server, and who gets mail.
func (c *Config) checkMail(f *Faults) {
	oneOf(f, "mail.tls", c.Mail.TLS, "starttls", "tls", "none")
	if c.Mail.Server != "" {
		if _, _, err := c.Mail.HostPort(); err != nil {
			f.add("mail.server: must be host:port, such as smtp.example.com:587")
		}
		if _, err := mail.ParseAddress(c.Mail.From); err != nil {
			f.add("mail.from: must be an address such as desk@example.com, perhaps with a name before it")
		}
	}
	together(f, "mail", map[string]bool{"username": c.Mail.Username != "", "password": c.Mail.Password != ""})
	if _, err := c.Mail.Roots(); err != nil {
		f.add("mail.ca_file: %v", err)
	}
	some := false
	check := func(at string, list []string) {
		for _, a := range list {
			some = true
			if p, err := mail.ParseAddress(a); err != nil || p.Address != a || len(a) > longestMail {
				f.add("%s: %q must be a plain address of at most %d characters", at, a, longestMail)
			}
		}
	}
	check("alerts.default_mails", c.Alerts.DefaultMails)
	for _, r := range c.Alerts.Routes {
		check("alerts.routes ("+r.Name+"): mails", r.Mails)
	}
	if some && c.Mail.Server == "" {
		f.add("mail.server: must be set where alerts name mails")
	}
}

// HostPort is the server taken apart.
func (m Mail) HostPort() (host string, port int, err error) {
	host, text, err := net.SplitHostPort(m.Server)
	if err != nil {
		return "", 0, err
	}
	if port, err = strconv.Atoi(text); err != nil || host == "" || port < 1 || port > 65535 {
		return "", 0, errors.New("no host and port")
	}
	return host, port, nil
}

// Roots are the authorities of CAFile and the system's; nil for the system's only.
func (m Mail) Roots() (*x509.CertPool, error) {
	if m.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(m.CAFile)
	if err != nil {
		return nil, errors.New("cannot be read")
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no certificate")
	}
	return pool, nil
}
