package alert

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// A receiver is a group chat by its name, or an address behind this word. Mail
// hears what the group chats hear, at the same moments: what is new, reminders,
// the end, and digests when it is too much.
const mailWord = "mail:"

// MailTo is an address as a receiver.
func MailTo(address string) string { return mailWord + address }

// place is where a receiver is reached.
func place(receiver string) chat.Address {
	if address, ok := strings.CutPrefix(receiver, mailWord); ok {
		return chat.Address{Kind: chat.Mailbox, ID: address}
	}
	return chat.Address{Kind: chat.Robot, ID: receiver}
}

// Sheet is a table of a mail, or words where there is none.
type Sheet struct {
	Title, Value string
	Head         []string
	Rows         [][]string
	Text         string
}

// letter is what a mail is made from.
type letter struct {
	Head   string
	Lines  []template.HTML
	Sheets []Sheet
	URL    string
}

var letterForm = template.Must(template.New("letter").Parse(`<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"></head><body style="font:14px/1.6 sans-serif;color:#1f2329">
<h2 style="font-size:17px;margin:0 0 8px">{{.Head}}</h2>
{{range .Lines}}<p style="margin:0 0 6px">{{.}}</p>
{{end}}{{range .Sheets}}<h3 style="font-size:15px;margin:14px 0 4px">{{.Title}}{{with .Value}} <small style="font-weight:400;color:#646a73">{{.}}</small>{{end}}</h3>
{{if .Rows}}<table style="border-collapse:collapse"><tr>{{range .Head}}<th style="border:1px solid #dee0e3;padding:4px 12px;background:#f5f6f7;text-align:left">{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td style="border:1px solid #dee0e3;padding:4px 12px">{{.}}</td>{{end}}</tr>
{{end}}</table>
{{else if .Text}}<pre style="margin:0;white-space:pre-wrap;font-family:inherit">{{.Text}}</pre>
{{end}}{{end}}{{with .URL}}<p style="margin:14px 0 0"><a href="{{.}}">{{.}}</a></p>
{{end}}</body></html>
`))

// mail is a message about a group as a mail: the same words, with the tables of
// what fires.
func (d *Desk) mail(g *store.AlertGroup, kind saying, v view, text string) (*chat.Mail, error) {
	word := Title(g.Severity)
	switch {
	case g.Firing <= 0 && kind != flapping:
		word = "恢复"
	case kind == flapping:
		word = "抖动"
	case kind == reminder:
		word += "·仍在告警"
	}
	lead := g.Title
	if len(v.sample) > 0 && v.firing == 1 {
		lead = v.sample[0].Title
	}
	l := letter{Head: mask.Text(fmt.Sprintf("A%d %s", g.Number, lead))}
	if d.Rules.URL != "" {
		l.URL = fmt.Sprintf("%s/alerts/%d", d.Rules.URL, g.Number)
	}
	for _, a := range v.sample {
		l.Sheets = append(l.Sheets, sheetOf(a))
	}
	m, err := write(l, text)
	if err != nil {
		return nil, err
	}
	m.Subject = mask.Text(oneLine(fmt.Sprintf("[%s] %s", word, lead), 150))
	m.Thread = fmt.Sprintf("A%d.%d", g.Number, g.Opened.UnixMilli())
	return m, nil
}

// plainLetter is a message without alerts of its own, such as a digest.
func (d *Desk) plainLetter(subject, text string) (*chat.Mail, error) {
	l := letter{Head: subject}
	if d.Rules.URL != "" {
		l.URL = d.Rules.URL + "/alerts"
	}
	m, err := write(l, text)
	if err != nil {
		return nil, err
	}
	m.Subject = subject
	return m, nil
}

var (
	bold     = regexp.MustCompile(`\*\*(.+?)\*\*`)
	anchor   = regexp.MustCompile(`\[([^\]]+)\]\((https?://[^)]+)\)`)
	cellLine = regexp.MustCompile(`^(.+?) (-?\d+(?:\.\d+)?)(?: (\d+(?:\.\d+)?%))?$`)
)

// write makes both parts of a mail from the words of a chat. What a chat can
// answer with is left out: nobody reads answers to a mail.
func write(l letter, text string) (*chat.Mail, error) {
	plain := []string{l.Head, ""}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimPrefix(line, "> ")
		if line == "" || strings.HasPrefix(line, "回「") || anchor.ReplaceAllString(line, "") == "" {
			continue
		}
		line = mask.Text(anchor.ReplaceAllString(line, "$1 $2"))
		plain = append(plain, bold.ReplaceAllString(line, "$1"))
		l.Lines = append(l.Lines, template.HTML(bold.ReplaceAllString(template.HTMLEscapeString(line), "<b>$1</b>")))
	}
	for _, s := range l.Sheets {
		plain = append(plain, "", strings.TrimSpace(s.Title+" "+s.Value))
		for _, r := range s.Rows {
			plain = append(plain, "  "+strings.Join(r, "  "))
		}
		if len(s.Rows) == 0 && s.Text != "" {
			plain = append(plain, s.Text)
		}
	}
	if l.URL != "" {
		plain = append(plain, "", l.URL)
	}
	var html bytes.Buffer
	if err := letterForm.Execute(&html, l); err != nil {
		return nil, err
	}
	return &chat.Mail{Text: strings.Join(plain, "\n") + "\n", HTML: html.String()}, nil
}

// sheetOf is an alert with its table, where its words are one: status, count and
// share, a line each, as monitors write it.
func sheetOf(a store.Alert) Sheet {
	s := Sheet{Title: mask.Text(a.Title), Text: mask.Text(a.Text)}
	if a.Value != "" && !strings.Contains(a.Title, a.Value) {
		s.Value = mask.Text(a.Value)
	}
	share := false
	for _, line := range strings.Split(strings.TrimSpace(a.Text), "\n") {
		m := cellLine.FindStringSubmatch(line)
		if m == nil {
			s.Rows = nil
			return s
		}
		share = share || m[3] != ""
		s.Rows = append(s.Rows, []string{mask.Text(m[1]), m[2], m[3]})
	}
	s.Head = []string{"状态", "数量", "占比"}
	if !share {
		s.Head = s.Head[:2]
		for i := range s.Rows {
			s.Rows[i] = s.Rows[i][:2]
		}
	}
	return s
}

// MailAll mails words with tables to who gets the mails of the default route.
func (d *Desk) MailAll(tx *store.Tx, key, subject, url, text string, sheets []Sheet) error {
	for _, r := range d.Rules.route("").Groups {
		to := place(r)
		if to.Kind != chat.Mailbox {
			continue
		}
		for i, s := range sheets {
			for k, row := range s.Rows {
				for j, cell := range row {
					sheets[i].Rows[k][j] = mask.Text(cell)
				}
			}
		}
		m, err := write(letter{Head: subject, URL: url, Sheets: sheets}, text)
		if err != nil {
			return err
		}
		m.Subject = subject
		if err := tx.Enqueue(chat.Outgoing{Key: key + "/" + r, To: to, Body: chat.Body{Mail: m}}); err != nil {
			return err
		}
	}
	return nil
}
