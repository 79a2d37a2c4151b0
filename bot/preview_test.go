package bot

import (
	"strings"
	"testing"

	"frontline/bot/chat"
)

// Every place shows the same words in its own way, cut to what it takes.
func TestPreviews(t *testing.T) {
	long := strings.Repeat("很长的一行说明，", 400)
	card := chat.Card{TaskID: "t1", Source: "一线助手", Title: strings.Repeat("标题", 15), Buttons: []chat.Button{{Text: "有用", Key: "有用"}}, Twin: "标题\n1  有用"}
	for _, c := range []struct {
		body  chat.Body
		kinds map[Place]string
	}{
		{chat.Body{Text: long}, map[Place]string{PlaceApp: "text", PlaceChat: "text", PlaceRobot: "text", PlaceBot: "markdown"}},
		{chat.Body{Markdown: "**" + long + "**"}, map[Place]string{PlaceApp: "markdown", PlaceChat: "markdown", PlaceRobot: "markdown", PlaceBot: "markdown"}},
		{chat.Body{Card: &card}, map[Place]string{PlaceApp: "template_card", PlaceChat: "text", PlaceRobot: "text", PlaceBot: "template_card"}},
	} {
		list, err := Previews(c.body)
		if err != nil || len(list) != 4 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, p := range list {
			for _, part := range p.Parts {
				if part.Kind != c.kinds[p.Place] {
					t.Errorf("%s: %s, want %s", p.Place, part.Kind, c.kinds[p.Place])
				}
				for _, m := range part.Meters {
					if m.Limit == 0 || m.Bytes && m.Used > m.Limit {
						t.Errorf("%s: %+v", p.Place, m)
					}
				}
			}
		}
	}
	list, _ := Previews(chat.Body{Card: &card})
	if m := list[3].Parts[0].Meters[1]; m.Field != "main_title.title" || m.Used != 30 || m.Limit != 26 {
		t.Errorf("the smart bot's title: %+v", m) // it shows that the title will be cut
	}
}
