package standin

import (
	"encoding/json"
	"slices"
	"time"
)

// CardView is a card as a member sees it now.
type CardView struct {
	Type     string          `json:"type"`
	TaskID   string          `json:"task_id,omitempty"`
	Source   string          `json:"source,omitempty"`
	Title    string          `json:"title,omitempty"`
	Desc     string          `json:"desc,omitempty"`
	Emphasis string          `json:"emphasis,omitempty"`
	SubTitle string          `json:"sub_title,omitempty"`
	Quote    string          `json:"quote,omitempty"`
	Rows     []RowView       `json:"rows,omitempty"`
	Jumps    []JumpView      `json:"jumps,omitempty"`
	Buttons  []ButtonView    `json:"buttons,omitempty"`
	Selects  []SelectView    `json:"selects,omitempty"` // votes too
	Submit   *ButtonView     `json:"submit,omitempty"`
	Menu     []ButtonView    `json:"menu,omitempty"` // the ⋯ of the card
	Active   bool            `json:"active"`         // something can be clicked or submitted
	Replaced string          `json:"replaced,omitempty"`
	Version  int             `json:"version"` // 1 as sent, grows with every replacement
	Clicks   []Click         `json:"clicks,omitempty"`
	Raw      json.RawMessage `json:"raw"`
}

// RowView is a line of horizontal_content_list or vertical_content_list.
type RowView struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
	URL   string `json:"url,omitempty"`
}

// JumpView is a line that opens something.
type JumpView struct {
	Title string `json:"title"`
	URL   string `json:"url,omitempty"`
}

// ButtonView is a button; Active is false once it was replaced.
type ButtonView struct {
	Text   string `json:"text"`
	Key    string `json:"key,omitempty"`
	Style  int    `json:"style,omitempty"`
	URL    string `json:"url,omitempty"`
	Active bool   `json:"active"`
}

// SelectView is a question with options: a vote, or a selection list.
type SelectView struct {
	QuestionKey string       `json:"question_key"`
	Title       string       `json:"title,omitempty"`
	Multiple    bool         `json:"multiple,omitempty"`
	Disabled    bool         `json:"disabled,omitempty"`
	Options     []OptionView `json:"options"`
}

// OptionView is one option.
type OptionView struct {
	ID      string `json:"id"`
	Text    string `json:"text"`
	Checked bool   `json:"checked,omitempty"`
}

// Click is what a member did to a card.
type Click struct {
	User     string              `json:"user"`
	Key      string              `json:"key"`
	Selected map[string][]string `json:"selected,omitempty"`
	At       time.Time           `json:"at"`
}

// cardShape is the part of a template_card that the client draws.
type cardShape struct {
	CardType string `json:"card_type"`
	TaskID   string `json:"task_id"`
	Source   struct {
		Desc string `json:"desc"`
	} `json:"source"`
	MainTitle struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
	} `json:"main_title"`
	Emphasis struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
	} `json:"emphasis_content"`
	SubTitleText string `json:"sub_title_text"`
	QuoteArea    struct {
		Title     string `json:"title"`
		QuoteText string `json:"quote_text"`
	} `json:"quote_area"`
	Horizontal []struct {
		KeyName string `json:"keyname"`
		Value   string `json:"value"`
		URL     string `json:"url"`
	} `json:"horizontal_content_list"`
	Vertical []struct {
		Title string `json:"title"`
		Desc  string `json:"desc"`
	} `json:"vertical_content_list"`
	JumpList []struct {
		Title string `json:"title"`
		URL   string `json:"url"`
	} `json:"jump_list"`
	ButtonList      []cardButton    `json:"button_list"`
	ButtonSelection *cardSelection  `json:"button_selection"`
	Checkbox        *cardSelection  `json:"checkbox"`
	SelectList      []cardSelection `json:"select_list"`
	SubmitButton    *cardButton     `json:"submit_button"`
	ActionMenu      struct {
		ActionList []cardButton `json:"action_list"`
	} `json:"action_menu"`
	ReplaceText string `json:"replace_text"`
}

type cardButton struct {
	Type  int    `json:"type"`
	Text  string `json:"text"`
	Style int    `json:"style"`
	Key   string `json:"key"`
	URL   string `json:"url"`
}

type cardSelection struct {
	QuestionKey string `json:"question_key"`
	Title       string `json:"title"`
	Mode        int    `json:"mode"`
	Disable     bool   `json:"disable"`
	SelectedID  string `json:"selected_id"`
	OptionList  []struct {
		ID        string `json:"id"`
		Text      string `json:"text"`
		IsChecked bool   `json:"is_checked"`
	} `json:"option_list"`
}

// selections are all questions of the card, whatever its type.
func (c *cardShape) selections() []cardSelection {
	var out []cardSelection
	for _, one := range []*cardSelection{c.ButtonSelection, c.Checkbox} {
		if one != nil {
			out = append(out, *one)
		}
	}
	return append(out, c.SelectList...)
}

func (f *cardFace) view() *CardView {
	c := &f.shape
	v := &CardView{Type: c.CardType, TaskID: c.TaskID, Source: c.Source.Desc, Title: c.MainTitle.Title, Desc: c.MainTitle.Desc,
		SubTitle: c.SubTitleText, Emphasis: joined(c.Emphasis.Title, c.Emphasis.Desc), Quote: joined(c.QuoteArea.Title, c.QuoteArea.QuoteText),
		Replaced: f.replaced, Version: f.version, Clicks: slices.Clone(f.clicks), Raw: f.raw}
	for _, r := range c.Horizontal {
		v.Rows = append(v.Rows, RowView{r.KeyName, r.Value, r.URL})
	}
	for _, r := range c.Vertical {
		v.Rows = append(v.Rows, RowView{Key: r.Title, Value: r.Desc})
	}
	for _, j := range c.JumpList {
		v.Jumps = append(v.Jumps, JumpView{j.Title, j.URL})
	}
	for _, b := range c.ButtonList {
		one := f.button(b)
		v.Active = v.Active || one.Active
		v.Buttons = append(v.Buttons, one)
	}
	for _, b := range c.ActionMenu.ActionList {
		v.Menu = append(v.Menu, ButtonView{Text: b.Text, Key: b.Key, Active: true})
	}
	if c.SubmitButton != nil {
		one := f.button(*c.SubmitButton)
		v.Submit, v.Active = &one, one.Active
	}
	for _, q := range c.selections() {
		v.Selects = append(v.Selects, f.selection(q))
	}
	return v
}

// button shows the replaced text on the button that was clicked, or on all when nobody clicked.
func (f *cardFace) button(b cardButton) ButtonView {
	v := ButtonView{Text: b.Text, Key: b.Key, Style: b.Style, URL: b.URL, Active: f.replaced == ""}
	if last := len(f.clicks) - 1; f.replaced != "" && (last < 0 || f.clicks[last].Key == b.Key || len(f.shape.ButtonList) < 2) {
		v.Text = f.replaced
	}
	return v
}

// selection shows what was submitted once the card is replaced, otherwise the preset.
func (f *cardFace) selection(q cardSelection) SelectView {
	v := SelectView{QuestionKey: q.QuestionKey, Title: q.Title, Multiple: q.Mode == 1, Disabled: q.Disable || f.replaced != ""}
	var chosen []string
	if last := len(f.clicks) - 1; last >= 0 && f.replaced != "" {
		chosen = f.clicks[last].Selected[q.QuestionKey]
	}
	for _, o := range q.OptionList {
		checked := o.IsChecked || o.ID == q.SelectedID && o.ID != ""
		if chosen != nil {
			checked = slices.Contains(chosen, o.ID)
		}
		v.Options = append(v.Options, OptionView{o.ID, o.Text, checked})
	}
	return v
}

func joined(a, b string) string {
	if a != "" && b != "" {
		return a + " " + b
	}
	return a + b
}
