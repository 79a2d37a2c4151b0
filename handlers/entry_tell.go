package handlers

import (
	"fmt"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// Who hears of what happens to an entry: reviewers of what waits for them, the
// author of what became of it.

// EntryLink is where the page of an entry is; "" when pages have no address.
func (d *Desk) EntryLink(number int64) string {
	if d.PublicURL == "" {
		return ""
	}
	return fmt.Sprintf("%s/kb/%d", d.PublicURL, number)
}

// atPage ends a sentence that leads to a page, with the address when there is one.
func (d *Desk) atPage(path string) string {
	if d.PublicURL == "" {
		return ""
	}
	return "：" + d.PublicURL + path
}

// entryLine is the link to an entry on a line of its own.
func (d *Desk) entryLine(number int64) string {
	if link := d.EntryLink(number); link != "" {
		return "\n接着改：" + link
	}
	return ""
}

func (d *Desk) tellMove(tx *store.Tx, actor chat.User, e kb.Entry, author, move, note string) error {
	title := fmt.Sprintf("K%d「%s」", e.Number, chat.Plain(chat.Cut(e.Question, 40)))
	switch move {
	case MoveSubmit:
		return d.tellReviewers(tx, actor, e, title)
	case MovePublish:
		return d.tellAuthor(tx, actor, author, fmt.Sprintf("%s 由 %s 发布了，马上就用来回答。", title, actor.Show()), e)
	case MoveReturn:
		text := fmt.Sprintf("%s 被 %s 退回修改", title, actor.Show())
		if note != "" {
			text += "：" + chat.Plain(chat.Cut(note, 200))
		}
		return d.tellAuthor(tx, actor, author, text, e)
	}
	return nil
}

func (d *Desk) tellReviewers(tx *store.Tx, actor chat.User, e kb.Entry, title string) error {
	ids, err := curatorIDs(tx)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s 待复核（%s 提交）：\n%s\n1  发布\n2  退回", title, actor.Show(), chat.Plain(chat.Cut(e.Answer, 300)))
	if link := d.EntryLink(e.Number); link != "" {
		text += "\n对照着看：" + link
	}
	for _, id := range ids {
		if id == actor.ID {
			continue
		}
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("entry-review/%d/%d/%s", e.Number, tx.Now().UnixMilli(), id), To: person(id), Body: chat.Body{Text: text}}); err != nil {
			return err
		}
		if err := d.offer(tx, person(id), id, []string{fmt.Sprintf("发布 K%d", e.Number), fmt.Sprintf("退回 K%d", e.Number)}); err != nil {
			return err
		}
	}
	return nil
}

// tellAuthor tells who wrote the words, unless they did it themselves. Authors
// that are nobody, such as an import, hear nothing.
func (d *Desk) tellAuthor(tx *store.Tx, actor chat.User, author, text string, e kb.Entry) error {
	u, err := tx.FindMember(author)
	if err != nil || u.Disabled || author == actor.ID {
		return nil
	}
	if link := d.EntryLink(e.Number); link != "" {
		text += "\n" + link
	}
	return tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("entry-move/%d/%d/%s", e.Number, tx.Now().UnixMilli(), author), To: person(author), Body: chat.Body{Text: text}})
}
