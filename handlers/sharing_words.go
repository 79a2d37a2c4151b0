package handlers

import (
	"fmt"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/store"
)

// What is said about sharing sessions.

var weekdayNames = [...]string{"周日", "周一", "周二", "周三", "周四", "周五", "周六"}

// sharingTime is when a session is: 今天 16:00–16:40, 11-26 周四 16:00–16:40.
func sharingTime(s store.Sharing, now time.Time) string {
	from, until := s.From.In(now.Location()), s.Until.In(now.Location())
	day := from.Format("01-02 ") + weekdayNames[from.Weekday()]
	if from.Year() != now.Year() {
		day = from.Format("2006-") + day
	}
	if from.Format(time.DateOnly) == now.Format(time.DateOnly) {
		day = "今天"
	}
	return fmt.Sprintf("%s %s–%s", day, from.Format("15:04"), until.Format("15:04"))
}

// SharingPath is the phone page of a session.
func SharingPath(number int64) string { return fmt.Sprintf("/m/s/%d", number) }

func (d *Desk) local(t time.Time) time.Time { return t.In(d.Rules.Calendar.Location()) }

// sharingNews is a session as a group reads it.
func (d *Desk) sharingNews(tx *store.Tx, s store.Sharing, head string) string {
	lines := []string{fmt.Sprintf("**%s S%d：%s**", chat.PlainMarkdown(head), s.Number, chat.PlainMarkdown(s.Title)), fmt.Sprintf("> %s · 主讲 %s", sharingTime(s, d.local(tx.Now())), chat.PlainMarkdown(s.SpeakerName))}
	var links []string
	if s.State != store.SharingCancelled {
		asked := ""
		if s.Asked > 0 {
			asked = fmt.Sprintf("，已收 %d 问", s.Asked)
		}
		lines = append(lines, fmt.Sprintf("> 想问的现在就提：发「提问 S%d …」给我%s", s.Number, asked))
		if s.Link != "" {
			links = append(links, "[进入直播]("+s.Link+")")
		}
		if d.PublicURL != "" {
			links = append(links, "[提问、材料]("+d.PublicURL+SharingPath(s.Number)+")")
		}
	}
	if len(links) > 0 {
		lines = append(lines, strings.Join(links, "　"))
	}
	return strings.Join(lines, "\n")
}

// sharingNote is a session as one person reads it.
func (d *Desk) sharingNote(tx *store.Tx, s store.Sharing, head string) string {
	lines := []string{fmt.Sprintf("%s S%d：%s", chat.Plain(head), s.Number, chat.Plain(s.Title)), fmt.Sprintf("%s · 主讲 %s", sharingTime(s, d.local(tx.Now())), chat.Plain(s.SpeakerName))}
	if s.State != store.SharingCancelled {
		if s.Link != "" {
			lines = append(lines, "进入直播："+s.Link)
		}
		lines = append(lines, fmt.Sprintf("想问的发「提问 S%d …」%s", s.Number, d.atPage(SharingPath(s.Number))))
	}
	return strings.Join(lines, "\n")
}

// tellSharingGroups says something in the groups of a session.
func (d *Desk) tellSharingGroups(tx *store.Tx, s store.Sharing, event, text string) error {
	for _, g := range s.Groups {
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("S%d/%s/%s", s.Number, event, g), To: chat.Address{Kind: chat.Robot, ID: g}, Body: chat.Body{Markdown: text}}); err != nil {
			return err
		}
	}
	return nil
}

// tellSharing tells the groups of a session, who asked or signed up, and who
// speaks, but not who did it.
func (d *Desk) tellSharing(tx *store.Tx, s store.Sharing, event, head, except string) error {
	if err := d.tellSharingGroups(tx, s, event, d.sharingNews(tx, s, head)); err != nil {
		return err
	}
	people, err := tx.SharingPeople(s.Number)
	if err != nil {
		return err
	}
	told := map[string]bool{except: true, "": true}
	for _, id := range append(people, s.Speaker, s.Organiser) {
		if told[id] {
			continue
		}
		told[id] = true
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("S%d/%s/%s", s.Number, event, id), To: person(id), Body: chat.Body{Text: d.sharingNote(tx, s, head)}}); err != nil {
			return err
		}
	}
	return nil
}

// tellSharingLeads tells who plans a session and who speaks.
func (d *Desk) tellSharingLeads(tx *store.Tx, s store.Sharing, event, text string) error {
	for i, id := range []string{s.Organiser, s.Speaker} {
		if id == "" || i == 1 && id == s.Organiser {
			continue
		}
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("S%d/%s/%s", s.Number, event, id), To: person(id), Body: chat.Body{Text: text}}); err != nil {
			return err
		}
	}
	return nil
}

// SharingFigures are the numbers of the questions for a session.
type SharingFigures struct{ Asked, Answered, Gaps, Drafts int }

// SharingFiguresOf counts how the questions for a session stand.
func SharingFiguresOf(list []store.SharingQuestion) (f SharingFigures) {
	for _, q := range list {
		f.Asked++
		switch q.State {
		case store.SharingAnswered:
			f.Answered++
		case store.SharingGap:
			f.Gaps++
		}
		if q.Entry > 0 {
			f.Drafts++
		}
	}
	return f
}

// sharingSummary is how a session went: 观看 286 人 / 人均 23 分钟 / 提问 19（已答 16）.
func sharingSummary(s store.Sharing, f SharingFigures) string {
	var parts []string
	if s.Viewers > 0 {
		parts = append(parts, fmt.Sprintf("观看 %d 人", s.Viewers))
	}
	if s.Minutes > 0 {
		parts = append(parts, fmt.Sprintf("人均 %d 分钟", s.Minutes))
	}
	parts = append(parts, fmt.Sprintf("提问 %d（已答 %d）", f.Asked, f.Answered))
	text := strings.Join(parts, " / ") + "。"
	if f.Gaps > 0 {
		text += fmt.Sprintf("%d 个未答已进待补知识。", f.Gaps)
	}
	if f.Drafts > 0 {
		text += fmt.Sprintf("%d 问已起草成知识。", f.Drafts)
	}
	return text
}

// effectWords says how often the topic was asked about in the week before and after.
func effectWords(s store.Sharing) string {
	return fmt.Sprintf("分享后 7 天「%s」咨询 %d → %d。", chat.Plain(strings.Join(s.Words, "、")), s.Before, s.After)
}
