package construct

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const (
	soap11 = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12 = "http://www.w3.org/2003/05/soap-envelope"
)

// envelope writes the request by hand: text is escaped, the order is the
// recipe's. Children are unqualified, as most WSDLs of this kind want.
func envelope(q *request, ns string) []byte {
	env := soap11
	if q.Version == "1.2" {
		env = soap12
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="` + env + `"><soap:Body>`)
	fmt.Fprintf(&b, `<m:%s xmlns:m="`, q.Op)
	xml.EscapeText(&b, []byte(ns))
	b.WriteString(`">`)
	xmlValue(&b, q.SOAPBody)
	fmt.Fprintf(&b, `</m:%s></soap:Body></soap:Envelope>`, q.Op)
	return b.Bytes()
}

func xmlValue(b *bytes.Buffer, v any) {
	switch x := v.(type) {
	case Ordered:
		for _, p := range x {
			items := []any{p.Val}
			if list, ok := p.Val.([]any); ok {
				items = list
			}
			for _, item := range items {
				b.WriteString("<" + p.Key + ">")
				xmlValue(b, item)
				b.WriteString("</" + p.Key + ">")
			}
		}
	case map[string]any:
		for k, o := range x {
			xmlValue(b, Ordered{{k, o}})
		}
	default:
		xml.EscapeText(b, []byte(textOf(v)))
	}
}

func (c *caller) soap(ctx context.Context, k *conn, q *request) (map[string]any, error) {
	ns := q.NS
	if ns == "" {
		ns = k.t.Namespace
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.t.Address, bytes.NewReader(envelope(q, ns)))
	if err != nil {
		return nil, err
	}
	if q.Version == "1.2" {
		req.Header.Set("Content-Type", `application/soap+xml; charset=utf-8; action="`+q.Action+`"`)
	} else {
		req.Header.Set("Content-Type", "text/xml; charset=utf-8")
		req.Header.Set("SOAPAction", `"`+q.Action+`"`) // also when empty
	}
	began := time.Now()
	status, header, raw, err := c.do(k, req)
	if err != nil {
		return nil, err
	}
	tree, err := readXML(raw, strings.Contains(strings.ToLower(header.Get("Content-Type")), "gb"))
	if err != nil {
		if status >= 500 {
			return nil, &Fail{Class: "http_5xx", Text: fmt.Sprintf("接口回答 %d", status), Sent: true}
		}
		return nil, &Fail{Class: "other", Text: "接口的回答不是 SOAP", Sent: true}
	}
	body := tree.child("Body")
	if body == nil || len(body.kids) == 0 {
		return nil, &Fail{Class: "other", Text: "SOAP 回答没有 Body", Sent: true}
	}
	first := body.kids[0]
	// A fault may come with HTTP 200 or 500: the element decides.
	if first.name == "Fault" {
		code, why := first.find("faultcode"), first.find("faultstring")
		if code == "" {
			code, why = first.find("Value"), first.find("Text")
		}
		_, short, _ := strings.Cut(code, ":")
		if short == "" {
			short = code
		}
		out := map[string]any{"fault": map[string]any{"code": short, "string": why}, "code": "fault", "msg": why, "rows": []any{}}
		return out, &Fail{Class: "soap_fault:" + short, Text: "接口报错：" + clip(why, 120), Sent: true, Body: out}
	}
	out := map[string]any{"code": "", "msg": "", "rows": []any{}, "fault": nil, "status": status, "ms": int(time.Since(began).Milliseconds())}
	first.into(out)
	return out, nil
}

// element is XML by local names: servers differ in how they qualify children.
type element struct {
	name string
	text string
	kids []*element
}

func readXML(raw []byte, gbk bool) (*element, error) {
	head := strings.ToLower(string(raw[:min(200, len(raw))]))
	if gbk || strings.Contains(head, `encoding="gb`) || strings.Contains(head, `encoding='gb`) {
		if d, err := simplifiedchinese.GB18030.NewDecoder().Bytes(raw); err == nil {
			raw = d
		}
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // decoded above
	d.Entity = map[string]string{}
	root := &element{}
	stack := []*element{root}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.Directive:
			return nil, errors.New("a DTD is refused")
		case xml.StartElement:
			if len(stack) > 50 {
				return nil, errors.New("nested too deep")
			}
			e := &element{name: t.Name.Local}
			top.kids, stack = append(top.kids, e), append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.kids) != 1 || root.kids[0].name != "Envelope" {
		return nil, errors.New("no envelope")
	}
	return root.kids[0], nil
}

func (e *element) child(name string) *element {
	for _, k := range e.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// find is the text of the first element of that name below.
func (e *element) find(name string) string {
	for _, k := range e.kids {
		if k.name == name && len(k.kids) == 0 {
			return strings.TrimSpace(k.text)
		}
		if t := k.find(name); t != "" {
			return t
		}
	}
	return ""
}

func (e *element) value() any {
	if len(e.kids) == 0 {
		return strings.TrimSpace(e.text)
	}
	out := map[string]any{}
	e.into(out)
	return out
}

// into fills a map with the children; what repeats, and row and rows, are lists.
func (e *element) into(out map[string]any) {
	for _, k := range e.kids {
		if k.name == "row" || k.name == "rows" && len(k.kids) == 0 {
			rows, _ := out["rows"].([]any)
			if len(k.kids) > 0 {
				out["rows"] = append(rows, k.value())
			}
			continue
		}
		if k.name == "rows" {
			k.into(out)
			continue
		}
		switch old := out[k.name].(type) {
		case nil:
			out[k.name] = k.value()
		case []any:
			out[k.name] = append(old, k.value())
		default:
			if s, ok := old.(string); ok && s == "" {
				out[k.name] = k.value()
			} else {
				out[k.name] = []any{old, k.value()}
			}
		}
	}
}

// call is the neutral form of the middleware: function code and named text
// fields in, code, level, message and result sets out.
func (c *caller) call(ctx context.Context, k *conn, q *request) (map[string]any, error) {
	fields := Ordered{}
	for _, p := range q.In {
		fields = append(fields, Pair{p.Key, textOf(p.Val)})
	}
	b, err := json.Marshal(Ordered{{"func", q.Func}, {"fields", fields}})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.t.Address, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	status, _, raw, err := c.do(k, req)
	if err != nil {
		return nil, err
	}
	if status >= 500 {
		return nil, &Fail{Class: "http_5xx", Text: fmt.Sprintf("中间件回答 %d", status), Sent: true}
	}
	v, err := decodeJSON(raw)
	m, ok := v.(map[string]any)
	if err != nil || !ok || status >= 400 {
		return nil, &Fail{Class: "other", Text: fmt.Sprintf("中间件的回答看不懂（%d）", status), Sent: true}
	}
	sets, _ := m["sets"].([]any)
	return callResult(textOf(m["code"]), textOf(m["level"]), textOf(m["msg"]), sets), nil
}

func callResult(code, level, msg string, sets []any) map[string]any {
	rows := []any{}
	if len(sets) > 0 {
		if first, ok := sets[0].([]any); ok {
			rows = first
		}
	}
	return map[string]any{"code": code, "level": level, "msg": msg, "sets": sets, "rows": rows}
}

// maxFrame bounds an answer over TCP.
const maxFrame = 1 << 20

// tcp is the same over a connection: four bytes of length (big endian), then
// GBK text: FUNC|KEY=VALUE|… out; code|level|msg, and a line for each row, back.
// A backslash protects \, |, = and a line break.
func (c *caller) tcp(ctx context.Context, t *Target, fn string, in Ordered) (map[string]any, error) {
	conn, err := c.guard.dialer(t)(ctx, "tcp", t.Address)
	if err != nil {
		return nil, netFail(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var b strings.Builder
	b.WriteString(protect(fn))
	for _, p := range in {
		b.WriteString("|" + protect(p.Key) + "=" + protect(textOf(p.Val)))
	}
	raw, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(b.String()))
	if err != nil {
		return nil, &Fail{Class: "other", Text: "有 GBK 写不出的字"}
	}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw...)); err != nil {
		return nil, netFail(err)
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, netFail(err)
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, &Fail{Class: "other", Text: "回答太长", Sent: true}
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, netFail(err)
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(answer)
	if err != nil {
		return nil, &Fail{Class: "other", Text: "回答不是 GBK", Sent: true}
	}
	return readFrame(string(text))
}

func readFrame(text string) (map[string]any, error) {
	lines := cut(text, '\n')
	head := cut(lines[0], '|')
	if len(head) != 3 {
		return nil, &Fail{Class: "other", Text: "中间件的回答看不懂", Sent: true}
	}
	rows := []any{}
	for _, l := range lines[1:] {
		row := map[string]any{}
		for _, f := range cut(l, '|') {
			if kv := cut(f, '='); len(kv) == 2 {
				row[bare(kv[0])] = bare(kv[1])
			}
		}
		rows = append(rows, row)
	}
	return callResult(bare(head[0]), bare(head[1]), bare(head[2]), []any{rows}), nil
}

var protector = strings.NewReplacer(`\`, `\\`, `|`, `\|`, `=`, `\=`, "\n", `\n`, "\r", "")

func protect(s string) string { return protector.Replace(s) }

// cut splits at a byte that no backslash protects.
func cut(s string, at byte) (out []string) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case at:
			out, from = append(out, s[from:i]), i+1
		}
	}
	return append(out, s[from:])
}

func bare(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if i++; s[i] == 'n' {
				b.WriteByte('\n')
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
