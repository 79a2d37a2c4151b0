package bot

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"frontline/bot/chat"
)

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	testNow  = at("2026-09-01T09:15:00+08:00")
	testUnix = testNow.Unix()
	testDoor = door{corp: "ww0123456789abcdef", agent: "1000002", now: testNow}
)

// appXML writes inner XML: the common fields, and more of the given ones.
func appXML(msgType, more string) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[ww0123456789abcdef]]></ToUserName><FromUserName><![CDATA[zhoulan]]></FromUserName>"+
		"<CreateTime>%d</CreateTime><MsgType><![CDATA[%s]]></MsgType><AgentID>1000002</AgentID>%s</xml>", testUnix-1, msgType, more)
}

func eventXML(event, more string) string {
	return appXML("event", "<Event><![CDATA["+event+"]]></Event>"+more)
}

func TestDecodeAppKinds(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     chat.Message // Kind, Text, Event, Media, Click and Fields are compared
	}{
		{"text", appXML("text", "<Content><![CDATA[ 报障 \n]]></Content><MsgId>1</MsgId>"), chat.Message{Kind: chat.KindText, Text: " 报障 \n"}},
		{"B52 forged event in a text", appXML("text", "<Content><![CDATA[<Event>change_contact</Event><ChangeType>delete_user</ChangeType>]]></Content><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindText, Text: "<Event>change_contact</Event><ChangeType>delete_user</ChangeType>"}},
		{"a text that calls itself an event", appXML("text", "<Event>subscribe</Event><Content>a</Content><MsgId>1</MsgId>"), chat.Message{Kind: chat.KindText, Text: "a"}},
		{"B49 image", appXML("image", "<PicUrl>http://127.0.0.1/x</PicUrl><MediaId>m1</MediaId><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindMedia, Media: []chat.Media{{Kind: "image", ID: "m1"}}}},
		{"B50 media id", appXML("image", "<MediaId>../../x&amp;access_token=</MediaId><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindMedia, Media: []chat.Media{{Kind: "image", ID: "../../x&access_token="}}}},
		{"voice", appXML("voice", "<MediaId>m2</MediaId><Format>amr</Format><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindMedia, Media: []chat.Media{{Kind: "voice", ID: "m2"}}}},
		{"video", appXML("video", "<MediaId>m3</MediaId><ThumbMediaId>t</ThumbMediaId><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindMedia, Media: []chat.Media{{Kind: "video", ID: "m3"}}}},
		{"location", appXML("location", "<Location_X>31.2</Location_X><Location_Y>121.5</Location_Y><Scale>20</Scale><Label>营业部</Label><AppType>wxwork</AppType><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindLocation, Text: "营业部", Fields: map[string]string{"Location_X": "31.2", "Location_Y": "121.5", "Scale": "20", "AppType": "wxwork"}}},
		{"link", appXML("link", "<Title>标题</Title><Description>d</Description><Url>file:///etc/passwd</Url><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindLink, Text: "标题\nfile:///etc/passwd", Fields: map[string]string{"Title": "标题", "Description": "d", "Url": "file:///etc/passwd"}}},
		{"B45 unknown type", appXML("hologram", "<Depth>3</Depth><MsgId>1</MsgId>"),
			chat.Message{Kind: chat.KindOther, Fields: map[string]string{"MsgType": "hologram", "Depth": "3", "MsgId": "1"}}},
		{"subscribe", eventXML("subscribe", ""), chat.Message{Kind: chat.KindFollow, Event: "subscribe"}},
		{"unsubscribe", eventXML("unsubscribe", ""), chat.Message{Kind: chat.KindFollow, Event: "unsubscribe"}},
		{"enter", eventXML("enter_agent", "<EventKey></EventKey>"), chat.Message{Kind: chat.KindEnter, Event: "enter_agent"}},
		{"menu", eventXML("click", "<EventKey>my_tickets</EventKey>"),
			chat.Message{Kind: chat.KindMenu, Event: "click", Text: "my_tickets", Fields: map[string]string{"MsgType": "event", "EventKey": "my_tickets"}}},
		{"scan", eventXML("scancode_waitmsg", "<EventKey>k</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>"),
			chat.Message{Kind: chat.KindMenu, Event: "scancode_waitmsg", Text: "k",
				Fields: map[string]string{"MsgType": "event", "EventKey": "k", "ScanCodeInfo.ScanType": "qrcode", "ScanCodeInfo.ScanResult": "1"}}},
		{"pictures", eventXML("pic_sysphoto", "<EventKey>k</EventKey><SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item><item><PicMd5Sum>b</PicMd5Sum></item></PicList></SendPicsInfo>"),
			chat.Message{Kind: chat.KindMenu, Event: "pic_sysphoto", Text: "k",
				Fields: map[string]string{"MsgType": "event", "EventKey": "k", "SendPicsInfo.Count": "2", "SendPicsInfo.PicList.item.PicMd5Sum": "a,b"}}},
		{"card", eventXML("template_card_event", "<EventKey>take</EventKey><TaskId>T1042@3</TaskId><CardType>multiple_interaction</CardType><ResponseCode>rc</ResponseCode>"+
			"<SelectedItems><SelectedItem><QuestionKey>q1</QuestionKey><OptionIds><OptionId>a</OptionId><OptionId>b</OptionId></OptionIds></SelectedItem>"+
			"<SelectedItem><QuestionKey>q2</QuestionKey><OptionIds><OptionId>c</OptionId></OptionIds></SelectedItem></SelectedItems>"),
			chat.Message{Kind: chat.KindClick, Event: "template_card_event", Click: &chat.Click{TaskID: "T1042@3", Key: "take", CardType: "multiple_interaction",
				ResponseCode: "rc", Selected: map[string][]string{"q1": {"a", "b"}, "q2": {"c"}}}}},
		{"card menu", eventXML("template_card_menu_event", "<EventKey>mute</EventKey><TaskId>A3</TaskId><CardType>text_notice</CardType><ResponseCode>rc</ResponseCode>"),
			chat.Message{Kind: chat.KindClick, Event: "template_card_menu_event", Click: &chat.Click{TaskID: "A3", Key: "mute", CardType: "text_notice", ResponseCode: "rc"}}},
		{"contact", eventXML("change_contact", "<ChangeType>delete_user</ChangeType><UserID>wangwu</UserID>"),
			chat.Message{Kind: chat.KindContact, Event: "change_contact", Fields: map[string]string{"MsgType": "event", "ChangeType": "delete_user", "UserID": "wangwu"}}},
		{"approval", eventXML("open_approval_change", "<ApprovalInfo><ThirdNo>1</ThirdNo></ApprovalInfo>"),
			chat.Message{Kind: chat.KindOther, Event: "open_approval_change", Fields: map[string]string{"MsgType": "event", "ApprovalInfo.ThirdNo": "1"}}},
		{"B45 unknown event", eventXML("tea_is_ready", ""), chat.Message{Kind: chat.KindOther, Event: "tea_is_ready", Fields: map[string]string{"MsgType": "event"}}},
	} {
		m, err := decodeApp(c.in, testDoor)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := chat.Message{Kind: m.Kind, Text: m.Text, Event: m.Event, Media: m.Media, Click: m.Click, Fields: m.Fields}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, got, c.want)
		}
		if m.Via != chat.App || m.Corp != testDoor.corp || m.Agent != "1000002" || m.Sender != "zhoulan" || len(m.ID) != 24 ||
			m.From != (chat.Address{Kind: chat.Person, ID: "zhoulan", Via: chat.App}) || m.At.Unix() != testUnix-1 || m.AtGuessed {
			t.Errorf("%s: head %+v", c.name, m)
		}
	}
}

func TestDecodeAppOddHeads(t *testing.T) {
	base := appXML("text", "<Content>a</Content><MsgId>77</MsgId>")
	swap := func(old, with string) chat.Message {
		t.Helper()
		if !strings.Contains(base, old) {
			t.Fatalf("%s is not in the pattern", old)
		}
		m, err := decodeApp(strings.Replace(base, old, with, 1), testDoor)
		if err != nil {
			t.Fatalf("%s: %v", with, err)
		}
		return m
	}
	const sender = "<![CDATA[zhoulan]]>"
	for _, odd := range []string{"", strings.Repeat("x", 1024), "a|b", "@all", "../x", `a"b`, "a\nb", "a b", "张三"} {
		m := swap(sender, "<![CDATA["+odd+"]]>")
		if m.Kind != chat.KindOther || m.From != (chat.Address{}) || m.Sender != odd {
			t.Errorf("B45/B48 sender %q: %+v", odd, m)
		}
	}
	if m := swap(sender, "<![CDATA[sys]]>"); m.Kind != chat.KindText {
		t.Errorf("sender sys: %+v", m)
	}
	if m := swap("<FromUserName>"+sender+"</FromUserName>", ""); m.Kind != chat.KindOther {
		t.Errorf("B45 no sender: %+v", m)
	}
	created := fmt.Sprintf("<CreateTime>%d</CreateTime>", testUnix-1)
	for _, odd := range []string{"0", "-1", "253370764800", "soon", "", "9223372036854775808", "1e9"} {
		if m := swap(created, "<CreateTime>"+odd+"</CreateTime>"); !m.AtGuessed || !m.At.Equal(testNow) || m.Kind != chat.KindText {
			t.Errorf("B47 CreateTime %q: %+v", odd, m)
		}
	}
	if m := swap(">1000002<", ">a text<"); m.Kind != chat.KindOther || m.Agent != "a text" {
		t.Errorf("B45 AgentID: %+v", m)
	}
	if m := swap("<AgentID>1000002</AgentID>", ""); m.Kind != chat.KindText || m.Agent != "1000002" {
		t.Errorf("no AgentID: %+v", m)
	}
}

func TestAppMessageID(t *testing.T) {
	id := func(in string) string {
		t.Helper()
		m, err := decodeApp(in, testDoor)
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	text := func(msgID, content string) string {
		return appXML("text", "<Content>"+content+"</Content>"+msgID)
	}
	if id(text("<MsgId>7</MsgId>", "a")) != id(text("<MsgId>7</MsgId>", "b")) {
		t.Error("one MsgId is two messages")
	}
	other := strings.Replace(text("<MsgId>7</MsgId>", "a"), "zhoulan", "liqiang", 1)
	if id(text("<MsgId>7</MsgId>", "a")) == id(other) {
		t.Error("F44: one MsgId of two senders is one message")
	}
	for _, bad := range []string{"", "<MsgId/>", "<MsgId>0</MsgId>", "<MsgId>-7</MsgId>", "<MsgId>007</MsgId>", "<MsgId>" + strings.Repeat("9", 30) + "</MsgId>", "<MsgId>abc</MsgId>"} {
		if first, again := id(text(bad, "a")), id(text(bad, "a")); first != again {
			t.Errorf("B46 %s: a repeat is a new message", bad)
		}
		if id(text(bad, "a")) == id(text(bad, "b")) {
			t.Errorf("B46 %s: two messages are one", bad)
		}
	}
	if id(text("<MsgId>18446744073709551615</MsgId>", "a")) != id(text("<MsgId>18446744073709551615</MsgId>", "b")) {
		t.Error("the largest 64-bit MsgId is not taken as one")
	}
	click := func(key, code string) string {
		return eventXML("template_card_event", "<EventKey>"+key+"</EventKey><TaskId>t</TaskId><ResponseCode>"+code+"</ResponseCode>")
	}
	if id(click("a", "1")) != id(click("a", "2")) {
		t.Error("a repeated click with a new response code is a new message")
	}
	if id(click("a", "1")) == id(click("b", "1")) {
		t.Error("two buttons in a second are one message")
	}
	contact := func(user string) string {
		return eventXML("change_contact", "<ChangeType>update_user</ChangeType><UserID>"+user+"</UserID>")
	}
	if id(contact("a")) == id(contact("b")) {
		t.Error("two changed members in a second are one message")
	}
}
