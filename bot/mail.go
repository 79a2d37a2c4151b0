package bot

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"frontline/bot/chat"
)

// Mail is the second way to people: what goes to an address of kind mail waits
// in the same outbox, is tried again by the same rules, and ends as the same
// dead letters. Each receiver has a delivery of their own, so that one who is
// refused or put off keeps nothing from the others.

// TLS of a mail server.
const (
	MailStartTLS = "starttls" // and refused where the server has none
	MailTLS      = "tls"      // from the first byte
	MailPlain    = "none"
)

// MailOptions are the way to a mail server.
type MailOptions struct {
	Host               string
	Port               int
	TLS                string
	Username, Password string
	From               string         // with a name: 证券Alert邮件 <alert@example.com>
	Roots              *x509.CertPool // nil: the system's
	Now                func() time.Time
}

// Mailer sends mail. nil is none: what should go out is a dead letter.
type Mailer struct {
	opt  MailOptions
	from *mail.Address
}

// NewMailer makes a Mailer; nothing is connected yet.
func NewMailer(opt MailOptions) (*Mailer, error) {
	from, err := mail.ParseAddress(opt.From)
	if err != nil {
		return nil, fmt.Errorf("from: %w", err)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Mailer{opt, from}, nil
}

const (
	apiMail  = "mail"
	mailTime = 25 * time.Second
)

// frozenMail is a mail as it will leave, whenever that is.
type frozenMail struct {
	ID      string    `json:"id"` // of Message-ID: repeats have the same
	Thread  string    `json:"thread,omitempty"`
	Date    time.Time `json:"date"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
}

// mailParts is a mail as it is kept before the first attempt.
func mailParts(key string, m chat.Mail, at time.Time) ([]chat.Part, error) {
	sum := sha256.Sum256([]byte(key))
	body, err := json.Marshal(frozenMail{hex.EncodeToString(sum[:12]), m.Thread, at, m.Subject, m.Text, m.HTML})
	return []chat.Part{{API: apiMail, Body: body}}, err
}

// mailError is an answer of a mail server, or none, with what to do about it.
type mailError struct {
	class Class
	err   error
}

func (e *mailError) Error() string { return "邮件：" + e.err.Error() }
func (e *mailError) Unwrap() error { return e.err }

// Post brings one mail to one receiver.
func (m *Mailer) Post(ctx context.Context, to string, body []byte) error {
	if m == nil {
		return fmt.Errorf("%w: 没有配置 mail.server，邮件发不出去", ErrRejected)
	}
	var f frozenMail
	if err := json.Unmarshal(body, &f); err != nil {
		return fmt.Errorf("%w: %v", ErrRejected, err)
	}
	msg, err := m.message(to, f)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrRejected, err)
	}
	c, err := m.client()
	if err != nil {
		return &mailError{ClassConfig, err}
	}
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &mailError{dialClass(err), err}
	}
	err = c.SendWithSMTPClient(conn, msg)
	c.CloseWithSMTPClient(conn) // what was taken stays taken, however the goodbye went
	if err == nil || msg.IsDelivered() {
		return nil
	}
	return &mailError{sendClass(err), plainMail(err)}
}

// Check tries the way to the server without sending anything.
func (m *Mailer) Check(ctx context.Context) error {
	c, err := m.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, mailTime)
	defer cancel()
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	c.CloseWithSMTPClient(conn)
	return nil
}

func (m *Mailer) client() (*gomail.Client, error) {
	opts := []gomail.Option{gomail.WithPort(m.opt.Port), gomail.WithTimeout(mailTime), gomail.WithTLSConfig(&tls.Config{ServerName: m.opt.Host, RootCAs: m.opt.Roots, MinVersion: tls.VersionTLS12})}
	switch m.opt.TLS {
	case MailTLS:
		opts = append(opts, gomail.WithSSL())
	case MailPlain:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if m.opt.Username != "" {
		kind := gomail.SMTPAuthAutoDiscover
		if m.opt.TLS == MailPlain {
			kind = gomail.SMTPAuthPlainNoEnc // inside a network that was said to be safe
		}
		opts = append(opts, gomail.WithSMTPAuth(kind), gomail.WithUsername(m.opt.Username), gomail.WithPassword(m.opt.Password))
	}
	return gomail.NewClient(m.opt.Host, opts...)
}

// message has the same bytes each time it is made.
func (m *Mailer) message(to string, f frozenMail) (*gomail.Msg, error) {
	_, domain, _ := strings.Cut(m.from.Address, "@")
	msg := gomail.NewMsg(gomail.WithBoundary("frontline-"+f.ID), gomail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(m.from.Name, m.from.Address); err != nil {
		return nil, err
	}
	if err := msg.To(to); err != nil {
		return nil, err
	}
	msg.Subject(f.Subject)
	msg.SetDateWithValue(f.Date)
	msg.SetMessageIDWithValue(f.ID + "@" + domain)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office answers
	if f.Thread != "" {
		thread := "<" + f.Thread + "@" + domain + ">"
		msg.SetGenHeader(gomail.HeaderInReplyTo, thread)
		msg.SetGenHeader(gomail.HeaderReferences, thread)
	}
	msg.SetBodyString(gomail.TypeTextPlain, f.Text)
	if f.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, f.HTML)
	}
	return msg, nil
}

// dialClass says what to do when there is no way to the server: what it refuses,
// or a certificate that nobody vouches for, needs an operator.
func dialClass(err error) Class {
	var said *textproto.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &said) && said.Code < 500:
		return ClassRetry
	case errors.As(err, &said), errors.As(err, &cert):
		return ClassConfig
	case strings.Contains(err.Error(), "STARTTLS"), strings.Contains(err.Error(), "AUTH"):
		return ClassConfig // the library has no type for what a server lacks
	}
	return ClassRetry
}

// sendClass says what to do about one mail: 4xx is for now, 5xx for good.
func sendClass(err error) Class {
	var sent *gomail.SendError
	if errors.As(err, &sent) && sent.ErrorCode() >= 500 {
		return ClassFinal
	}
	return ClassRetry
}

// plainMail is what the server said, without what the library knows besides.
func plainMail(err error) error {
	var said *textproto.Error
	if errors.As(err, &said) {
		return said
	}
	text, _, _ := strings.Cut(err.Error(), ", affected ")
	return errors.New(text)
}
