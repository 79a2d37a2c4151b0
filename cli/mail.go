package cli

import (
	"context"
	"time"

	"frontline/bot"
	"frontline/config"
)

// openMail makes the way to the mail server of the configuration, nil where it
// names none.
func openMail(cfg *config.Config, now func() time.Time) (*bot.Mailer, error) {
	if cfg.Mail.Server == "" {
		return nil, nil
	}
	host, port, err := cfg.Mail.HostPort()
	if err != nil {
		return nil, err
	}
	roots, err := cfg.Mail.Roots()
	if err != nil {
		return nil, err
	}
	return bot.NewMailer(bot.MailOptions{Host: host, Port: port, TLS: cfg.Mail.TLS, Username: cfg.Mail.Username, Password: string(cfg.Mail.Password), From: cfg.Mail.From, Roots: roots, Now: now})
}

// mailAnswers tries the mail server without sending anything.
func mailAnswers(ctx context.Context, cfg *config.Config) error {
	m, err := openMail(cfg, time.Now)
	if err != nil {
		return err
	}
	return m.Check(ctx)
}
