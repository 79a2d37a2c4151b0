package construct

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestDecimals(t *testing.T) {
	r := newReader("x")
	for _, c := range []struct{ source, want string }{
		{`decimal("0.1") + decimal("0.2") == decimal("0.3")`, "true"},
		{`decimal("0.10") - decimal("0.1")`, "0.00"},
		{`decimal("12345678901234567890.12") + decimal("0.01")`, "12345678901234567890.13"},
		{`decimal("1.10") * 3`, "3.30"},
		{`decimal("100.00") > 99`, "true"},
	} {
		e := r.compile(&node{Text: c.source}, c.source, scope{}, nil)
		if len(r.Faults) > 0 {
			t.Fatal(r.Faults)
		}
		if v, err := e.run(nil); err != nil || textOf(v) != c.want {
			t.Errorf("%s: %v %v", c.source, v, err)
		}
	}
	for _, bad := range []string{"1e6", "1,000", "NaN", "", "0x10"} {
		if _, err := ParseDecimal(bad); err == nil {
			t.Errorf("%q is an amount", bad)
		}
	}
}

// A long number keeps every digit on its way through JSON, both ways, and
// through what is written down and read again.
func TestDigits(t *testing.T) {
	v, err := decodeJSON([]byte(`{"card": 622848001234567890, "money": 10000000000000000.01}`))
	if err != nil {
		t.Fatal(err)
	}
	m := v.(map[string]any)
	if textOf(m["card"]) != "622848001234567890" || textOf(m["money"]) != "10000000000000000.01" {
		t.Errorf("%v", m)
	}
	b, err := json.Marshal(&request{Kind: "http", JSON: Ordered{{"b", m["card"]}, {"a", "0001"}}, In: Ordered{{"z", 622848001234567890}, {"y", nil}}})
	if err != nil {
		t.Fatal(err)
	}
	q, err := decodeRequest(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(q)
	if err != nil || string(again) != string(b) {
		t.Errorf("%s\n%s", b, again)
	}
	d := itemData{Params: map[string]any{"n": 622848001234567890}}
	b, _ = json.Marshal(d)
	var back itemData
	if err := decodeInto(b, &back); err != nil || textOf(back.Params["n"]) != "622848001234567890" {
		t.Errorf("%v %v", back, err)
	}
}

func TestSOAPAnswers(t *testing.T) {
	answer, status, kind := "", 200, ""
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 4096)
		n, _ := r.Body.Read(b)
		got = r.Header.Get("Content-Type") + "|" + r.Header.Get("SOAPAction") + "|" + string(b[:n])
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		w.Write([]byte(answer))
	}))
	defer s.Close()
	c, q := oneTarget(only(0), &Target{Name: "a", Kind: "soap", Address: s.URL, CIDR: anywhere, Rights: []string{"read", "call"}, Rate: 1000, Namespace: "urn:x"})
	q.Kind, q.Op, q.SOAPBody = "soap", "requestLoan", Ordered{{"loanRequest", Ordered{{"b", "<&>"}, {"a", 5}}}}
	head := `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>`
	for _, x := range []struct {
		name, answer, want string
		status             int
	}{
		{"children in a namespace", head + `<r xmlns="urn:y"><code>0</code><custNo>12</custNo></r></s:Body></s:Envelope>`, "12", 200},
		{"children without", head + `<n:r xmlns:n="urn:y"><code>0</code><custNo>12</custNo></n:r></s:Body></s:Envelope>`, "12", 200},
		{"a fault with 200", head + `<s:Fault><faultcode>s:Server</faultcode><faultstring>忙</faultstring></s:Fault></s:Body></s:Envelope>`, "soap_fault:Server", 200},
		{"a fault with 500", head + `<s:Fault><faultcode>s:Server</faultcode><faultstring>忙</faultstring></s:Fault></s:Body></s:Envelope>`, "soap_fault:Server", 500},
		{"a page", "<html>", "http_5xx", 502},
		{"a DTD", `<!DOCTYPE x [<!ENTITY a "b">]>` + head + `</s:Body></s:Envelope>`, "other", 200},
		{"a long one", strings.Repeat("x", maxBody+2), "other", 200},
	} {
		answer, status = x.answer, x.status
		resp, err := c.send(context.Background(), q)
		have := textOf(resp["custNo"])
		if f, ok := err.(*Fail); ok {
			have = f.Class
		}
		if have != x.want {
			t.Errorf("%s: %q, %v", x.name, have, err)
		}
	}
	if want := `<m:requestLoan xmlns:m="urn:x"><loanRequest><b>&lt;&amp;&gt;</b><a>5</a></loanRequest></m:requestLoan>`; !strings.Contains(got, want) || !strings.HasPrefix(got, `text/xml; charset=utf-8|""|`) {
		t.Errorf("sent %s", got)
	}
	q.Version, q.Action = "1.2", "urn:do"
	status = 200
	answer, _ = simplifiedchinese.GBK.NewEncoder().String(`<?xml version="1.0" encoding="GBK"?>` + head + `<r><name>张三</name></r></s:Body></s:Envelope>`)
	resp, err := c.send(context.Background(), q)
	if err != nil || resp["name"] != "张三" || !strings.HasPrefix(got, `application/soap+xml; charset=utf-8; action="urn:do"|`) {
		t.Errorf("%v %v %s", resp, err, got)
	}
}

func TestFrames(t *testing.T) {
	for _, v := range []string{`a|b=c\d`, "两行\n文字", "", `\`} {
		if got := bare(protect(v)); got != v {
			t.Errorf("%q became %q", v, got)
		}
	}
	m, err := readFrame("0|0|好\\|的\nA=1|B=x\\=y\nA=2|B=")
	if err != nil || m["msg"] != "好|的" || len(m["rows"].([]any)) != 2 || m["rows"].([]any)[0].(map[string]any)["B"] != "x=y" {
		t.Errorf("%v %v", m, err)
	}
}
