package bot_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"frontline/bot"
	"frontline/bot/chat"
)

// postOffice is a mail server that answers as told and keeps what it took.
type postOffice struct {
	addr  *net.TCPAddr
	roots *x509.CertPool

	mu      sync.Mutex
	answers []string // to the next receivers: "" takes, a code refuses, "drop" breaks off, "drop after" takes and breaks off
	took    []string // mails as they came
	to      []string
	seen    int // receivers that were named
}

type postSession struct {
	o    *postOffice
	conn *smtp.Conn
	to   string
	how  string
	user bool
}

func (o *postOffice) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &postSession{o: o, conn: c}, nil
}

func (s *postSession) Reset()        {}
func (s *postSession) Logout() error { return nil }
func (s *postSession) Mail(string, *smtp.MailOptions) error {
	if !s.user {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *postSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	s.to, s.how = to, ""
	s.o.seen++
	if len(s.o.answers) > 0 {
		s.how, s.o.answers = s.o.answers[0], s.o.answers[1:]
	}
	var code int
	if n, _ := fmt.Sscan(s.how, &code); n == 1 {
		return &smtp.SMTPError{Code: code, Message: "as told"}
	}
	return nil
}

func (s *postSession) Data(r io.Reader) error {
	if s.how == "drop" {
		s.conn.Conn().Close()
		return errors.New("gone")
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	s.o.took, s.o.to = append(s.o.took, string(b)), append(s.o.to, s.to)
	if s.how == "drop after" {
		s.conn.Conn().Close()
	}
	return nil
}

func (s *postSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *postSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "desk" || password != "geheim-word" {
			return smtp.ErrAuthFailed
		}
		s.user = true
		return nil
	}), nil
}

func newPostOffice(t *testing.T, answers ...string) *postOffice {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sheet := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "post"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, sheet, sheet, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	o := &postOffice{answers: answers, roots: x509.NewCertPool()}
	o.roots.AddCert(cert)
	s := smtp.NewServer(o)
	s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}
	s.Domain, s.ErrorLog = "post.test", discard{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.addr = l.Addr().(*net.TCPAddr)
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return o
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

func (o *postOffice) options() bot.MailOptions {
	return bot.MailOptions{Host: "127.0.0.1", Port: o.addr.Port, TLS: bot.MailStartTLS, Username: "desk", Password: "geheim-word", From: "证券Alert邮件 <alert@desk.example.com>", Roots: o.roots}
}

func mailWorld(t *testing.T, opt bot.MailOptions) *world {
	t.Helper()
	w := newWorld(t)
	opt.Now = w.clock.Now
	m, err := bot.NewMailer(opt)
	if err != nil {
		t.Fatal(err)
	}
	w.mail = m
	w.crash() // the deliverer begins with it
	return w
}

func letter(n int, to string) chat.Outgoing {
	return chat.Outgoing{Key: fmt.Sprint("mail ", n), To: chat.Address{Kind: chat.Mailbox, ID: to},
		Body: chat.Body{Mail: &chat.Mail{Subject: fmt.Sprintf("[警告] 沪A交易状态监控 状态异常 %d（0.35%%）", n), Text: "状态异常 33 0.35%", HTML: "<table><tr><td>状态异常</td></tr></table>", Thread: "A1.5"}}}
}

// What the server puts off comes again, what it refuses is a dead letter with
// its words, and a connection that breaks loses nothing; each receiver has a way
// of their own.
func TestMailDelivery(t *testing.T) {
	o := newPostOffice(t, "451", "", "550", "drop", "421", "")
	w := mailWorld(t, o.options())
	w.say(letter(1, "desk@example.com"))
	w.run(500 * time.Millisecond) // greylisted
	if got := w.states(); !strings.Contains(got, "due") {
		t.Errorf("after 451:\n%s", got)
	}
	w.crash()
	w.run(10 * time.Second)
	w.wantStates("sent")
	w.say(letter(2, "gone@example.com"))
	w.run(5 * time.Second)
	if got := w.states(); !strings.Contains(got, "dead") || !strings.Contains(got, "550") || !strings.Contains(got, "as told") {
		t.Errorf("after 550:\n%s", got)
	}
	w.say(letter(3, "desk@example.com"))
	w.run(time.Minute)
	if got := w.states(); strings.Count(got, "sent") != 2 || strings.Count(got, "dead") != 1 {
		t.Errorf("after a break and 421:\n%s", got)
	}
	if len(o.took) != 2 || o.to[0] != "desk@example.com" {
		t.Fatalf("%d mails to %v", len(o.took), o.to)
	}
	if log := w.log.String(); strings.Contains(log, "geheim-word") || strings.Contains(log, "状态异常") {
		t.Error("the log holds a secret or what was said")
	}
}

// The same mail twice has the same id, text and HTML side by side, and its
// headers as they should be.
func TestMailForm(t *testing.T) {
	o := newPostOffice(t, "drop after", "")
	w := mailWorld(t, o.options())
	w.say(letter(33, "desk@example.com"))
	w.run(time.Minute)
	w.wantStates("sent")
	if len(o.took) != 2 || strings.TrimSpace(o.took[0]) != strings.TrimSpace(o.took[1]) {
		t.Fatalf("%d mails, not the same:\n%s", len(o.took), strings.Join(o.took, "\n=====\n"))
	}
	m, err := mail.ReadMessage(strings.NewReader(o.took[0]))
	if err != nil {
		t.Fatal(err)
	}
	from, err := m.Header.AddressList("From")
	subject, err2 := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || err2 != nil || from[0].Name != "证券Alert邮件" || subject != "[警告] 沪A交易状态监控 状态异常 33（0.35%）" {
		t.Errorf("%v %q %v %v", from, subject, err, err2)
	}
	if !strings.HasSuffix(m.Header.Get("Message-ID"), "@desk.example.com>") || m.Header.Get("References") != "<A1.5@desk.example.com>" || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%v", m.Header)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	r := multipart.NewReader(m.Body, params["boundary"])
	var kinds []string
	for {
		p, err := r.NextPart()
		if err != nil {
			break
		}
		kinds = append(kinds, strings.SplitN(p.Header.Get("Content-Type"), ";", 2)[0])
	}
	if fmt.Sprint(kinds) != "[text/plain text/html]" {
		t.Errorf("%v", kinds)
	}
}

// What an operator has to put right is kept until they do: a wrong password, a
// certificate nobody vouches for, a server without TLS.
func TestMailSetUp(t *testing.T) {
	o := newPostOffice(t)
	for name, change := range map[string]func(*bot.MailOptions){
		"password":    func(x *bot.MailOptions) { x.Password = "wrong-word" },
		"certificate": func(x *bot.MailOptions) { x.Roots = x509.NewCertPool() },
	} {
		t.Run(name, func(t *testing.T) {
			opt := o.options()
			change(&opt)
			w := mailWorld(t, opt)
			if err := w.mail.Check(t.Context()); err == nil {
				t.Error("the check finds nothing")
			}
			w.say(letter(1, "desk@example.com"))
			w.run(time.Minute)
			if got := w.states(); !strings.Contains(got, "due") {
				t.Errorf("%s", got)
			}
			if strings.Contains(w.log.String(), "wrong-word") {
				t.Error("the log holds the password")
			}
		})
	}
	m, err := bot.NewMailer(o.options())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context()); err != nil {
		t.Errorf("%v", err)
	}
	if _, err := bot.NewMailer(bot.MailOptions{From: "nobody"}); err == nil {
		t.Error("a sender without an address")
	}
	// A receiver that would break out of its header is refused, and so is mail where none is set up.
	w := mailWorld(t, o.options())
	w.say(letter(1, "desk@example.com\r\nBcc: all@example.com"))
	w.run(time.Second)
	w.mail = nil
	w.crash()
	w.say(letter(2, "desk@example.com"))
	w.run(time.Second)
	if got := w.states(); strings.Count(got, "dead") != 2 || !strings.Contains(got, "mail.server") {
		t.Errorf("%s", got)
	}
	if len(o.took) != 0 {
		t.Errorf("%v", o.to)
	}
}
