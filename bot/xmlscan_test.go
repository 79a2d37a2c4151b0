package bot

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestScanXMLAccepts(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "<xml><Content>a</Content></xml>", "a"},
		{"CDATA", "<xml><Content><![CDATA[a<b>&amp;]]></Content></xml>", "a<b>&amp;"},
		{"entities", "<xml><Content>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x1F600;</Content></xml>", `<>&"'AB😀`},
		{"white space is kept", "<xml><Content>  a \t\n</Content></xml>", "  a \t\n"},
		{"text and CDATA together", "<xml><Content> a<![CDATA[b]]>c</Content></xml>", " abc"},
		{"B44 CDATA split in two", "<xml><Content><![CDATA[x]]]]><![CDATA[>y]]></Content></xml>", "x]]>y"},
		{"B41 byte order mark", "\ufeff<xml><Content>a</Content></xml>", "a"},
		{"B41 declaration", `<?xml version="1.0" encoding="UTF-8"?>` + "\n<xml><Content>a</Content></xml>", "a"},
		{"B41 declaration in single quotes", `<?xml version='1.0' encoding='utf-8' standalone='yes'?><xml><Content>a</Content></xml>`, "a"},
		{"attributes", `<xml a="1" b='&lt;'><Content c = "x">a</Content ></xml>`, "a"},
		{"empty element", "<xml><A/><B b='1'/><Content>a</Content></xml>", "a"},
		{"line ends", "<xml><Content>a\r\nb\rc&#13;</Content></xml>", "a\nb\nc\r"},
		{"line ends in CDATA", "<xml><Content><![CDATA[a\r\nb]]></Content></xml>", "a\nb"},
		{"brackets that are no end", "<xml><Content>]] ]> ]]</Content></xml>", "]] ]> ]]"},
		{"space around the root", "\n <xml><Content>a</Content></xml>\n\t ", "a"},
		{"repeats deeper down", "<xml><L><I>1</I><I>2</I></L><Content>a</Content></xml>", "a"},
		{"eight deep", "<xml><a><a><a><a><a><a><a/></a></a></a></a></a></a><Content>a</Content></xml>", "a"},
		{"B52 markup in a text", "<xml><Content><![CDATA[<Event>change_contact</Event>]]></Content></xml>", "<Event>change_contact</Event>"},
	} {
		doc, err := scanXML(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := doc.top("Content"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		doc.free()
	}
}

func TestScanXMLRefuses(t *testing.T) {
	for _, c := range []struct{ name, in string }{
		{"empty", ""},
		{"not XML", `{"msgtype":"text"}`},
		{"no root", `<?xml version="1.0"?>`},
		{"open end", "<xml><a>"},
		{"open tag", "<xml><a"},
		{"lone <", "<"},
		{"wrong end", "<xml><a></b></xml>"},
		{"end without a start", "</xml>"},
		{"B35 DOCTYPE", `<!DOCTYPE x SYSTEM "http://127.0.0.1/x"><xml/>`},
		{"B36 entity declared", `<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>`},
		{"B36 unknown entity", "<xml><a>&nbsp;</a></xml>"},
		{"B37 deep", strings.Repeat("<a>", 10000)},
		{"B37 nine deep", strings.Repeat("<a>", 9) + strings.Repeat("</a>", 9)},
		{"65 elements", "<xml><l>" + strings.Repeat("<a/>", 63) + "</l></xml>"},
		{"B38 five attributes", `<xml a="" b="" c="" d="" e=""/>`},
		{"attribute twice", `<xml a="" a=""/>`},
		{"attribute without a value", `<xml a/>`},
		{"attribute without quotes", `<xml a=b/>`},
		{"attributes without a space", `<xml a="b"c="d"/>`},
		{"< in an attribute", `<xml a="<"/>`},
		{"entity in an attribute", `<xml a="&x;"/>`},
		{"B39 repeated field", "<xml><FromUserName>a</FromUserName><FromUserName>b</FromUserName></xml>"},
		{"B40 second root", "<xml/><xml/>"},
		{"B40 trailing garbage", "<xml/>x"},
		{"B40 leading garbage", "x<xml/>"},
		{"B40 CDATA outside", "<xml/><![CDATA[ ]]>"},
		{"B41 GBK", `<?xml version="1.0" encoding="GBK"?><xml/>`},
		{"B41 UTF-16", `<?xml version="1.0" encoding="UTF-16"?><xml/>`},
		{"B41 UTF-16 for real", "\xff\xfe<\x00x\x00/\x00>\x00"},
		{"B41 invalid UTF-8", "<xml><a>\xc3\x28</a></xml>"},
		{"B41 overlong", "<xml><a>\xc0\x80</a></xml>"},
		{"B41 two marks", "\ufeff\ufeff<xml/>"},
		{"declaration later", ` <?xml version="1.0"?><xml/>`},
		{"declaration twice", `<?xml version="1.0"?><?xml version="1.0"?><xml/>`},
		{"version 1.1", `<?xml version="1.1"?><xml/>`},
		{"B42 zero", "<xml><a>&#0;</a></xml>"},
		{"B42 backspace", "<xml><a>&#8;</a></xml>"},
		{"B42 backspace as it is", "<xml><a>\x08</a></xml>"},
		{"B42 U+FFFE", "<xml><a>\ufffe</a></xml>"},
		{"B42 U+FFFE as a reference", "<xml><a>&#xFFFE;</a></xml>"},
		{"B42 lone surrogate", "<xml><a>&#xD800;</a></xml>"},
		{"B42 surrogate as bytes", "<xml><a>\xed\xa0\x80</a></xml>"},
		{"too large a reference", "<xml><a>&#x110000;</a></xml>"},
		{"signed reference", "<xml><a>&#+65;</a></xml>"},
		{"empty reference", "<xml><a>&#;</a></xml>"},
		{"upper-case X", "<xml><a>&#X41;</a></xml>"},
		{"B43 namespaced element", `<xml xmlns:q="u"><q:Content>a</q:Content></xml>`},
		{"B43 namespaced without a declaration", "<xml><q:Content>a</q:Content></xml>"},
		{"B43 default namespace", `<xml xmlns="u"><Content>a</Content></xml>`},
		{"B51 processing instruction", "<xml><?php x?></xml>"},
		{"B51 comment", "<xml><!-- x --></xml>"},
		{"B51 comment bomb", "<xml>" + strings.Repeat("<!-- x -->", 1000) + "</xml>"},
		{"text beside elements", "<xml>a<b/></xml>"},
		{"text after an element", "<xml><b/>a</xml>"},
		{"end of CDATA in a text", "<xml><a>]]></a></xml>"},
		{"open CDATA", "<xml><a><![CDATA[x</a></xml>"},
		{"lower-case cdata", "<xml><a><![cdata[x]]></a></xml>"},
		{"name with a digit first", "<xml><1/></xml>"},
		{"name of another script", "<xml><内容/></xml>"},
		{"long name", "<" + strings.Repeat("a", 65) + "/>"},
		{"empty name", "<xml>< a/></xml>"},
	} {
		if doc, err := scanXML(c.in); err == nil {
			t.Errorf("%s: accepted as %+v", c.name, doc.all())
		}
	}
}

// stdLeaves reads leaves with encoding/xml: name and text in document order.
func stdLeaves(s string) ([]string, error) {
	type open struct {
		name, text string
		nested     bool
	}
	var out []string
	var stack []open
	dec := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(s, "\ufeff")))
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if n := len(stack); n > 0 {
				stack[n-1].nested = true
			}
			stack = append(stack, open{name: tok.Name.Local})
		case xml.CharData:
			if n := len(stack); n > 0 {
				stack[n-1].text += string(tok)
			}
		case xml.EndElement:
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if !top.nested {
				out = append(out, fmt.Sprintf("%s=%q", top.name, top.text))
			}
		}
	}
}

// FuzzXML holds the scanner against encoding/xml: what the strict one accepts,
// the lenient one must accept too, and read the same out of it.
func FuzzXML(f *testing.F) {
	f.Add(benchPlain)
	f.Add(`<?xml version="1.0" encoding="UTF-8"?><xml><a b="c">&#x41;<![CDATA[]]]]><![CDATA[>]]></a><c/></xml>`)
	f.Add("<xml><SelectedItems><SelectedItem><OptionIds><OptionId>a</OptionId><OptionId>b</OptionId></OptionIds></SelectedItem></SelectedItems></xml>")
	f.Add("<xml><a>\r\n\r&#13;</a></xml>")
	f.Add(`<!DOCTYPE x><xml/>`)
	f.Fuzz(func(t *testing.T, s string) {
		doc, err := scanXML(s)
		if err != nil {
			return
		}
		defer doc.free()
		want, err := stdLeaves(s)
		if err != nil {
			t.Fatalf("encoding/xml refuses %q: %v", s, err)
		}
		var got []string
		for _, e := range doc.all() {
			if !e.nested {
				got = append(got, fmt.Sprintf("%s=%q", e.name, e.text))
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %v, encoding/xml reads %v", s, got, want)
		}
		for i := range got { // leaves end in the order in which they begin
			if got[i] != want[i] {
				t.Fatalf("%q: %v, encoding/xml reads %v", s, got, want)
			}
		}
	})
}
