package handlers

import (
	"errors"
	"fmt"
	"slices"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// EntryMove is a step in the life of an entry, or of a change that waits for a
// published one.
type EntryMove struct {
	Name, Title string
	From        []string
	To          string
	Roles       chat.RoleSet
}

// Names of the moves.
const (
	MoveSubmit  = "submit"
	MovePublish = "publish"
	MoveReturn  = "return"
	MoveRetire  = "retire"
	MoveRevive  = "revive"
	MoveDrop    = "drop"
)

// entryMoves is the one table of which moves there are and who may make them.
var entryMoves = []EntryMove{
	{MoveSubmit, "提交复核", []string{kb.Draft}, kb.Review, proposers},
	{MovePublish, "发布", []string{kb.Draft, kb.Review}, kb.Published, curators},
	{MoveReturn, "退回修改", []string{kb.Review}, kb.Draft, curators},
	{MoveRetire, "停用", []string{kb.Draft, kb.Review, kb.Published}, kb.Retired, curators},
	{MoveRevive, "恢复为草稿", []string{kb.Retired}, kb.Draft, curators},
}

// changeMoves are those of a change that waits: dropping it leaves the entry
// as it is. Retiring is of the entry itself, and takes the change with it.
var changeMoves = append(slices.Clone(entryMoves[:3]), EntryMove{MoveDrop, "放弃修改", []string{kb.Draft, kb.Review}, "", curators}, entryMoves[3])

// EntryMoves are the moves that somebody may make now, with an entry or with
// the change that waits for it.
func (d *Desk) EntryMoves(actor chat.User, e kb.Entry, p *store.Proposal) (out []EntryMove) {
	moves, state, editor := entryMoves, e.State, e.Editor
	if p != nil {
		moves, state, editor = changeMoves, p.State, p.Author
	}
	for _, m := range moves {
		if (slices.Contains(m.From, state) || p != nil && m.Name == MoveRetire) && actor.Roles.Has(m.Roles...) && (m.Name != MovePublish || d.mayPublish(actor, editor)) {
			out = append(out, m)
		}
	}
	return out
}

// mayPublish holds the rule of the second person.
func (d *Desk) mayPublish(actor chat.User, editor string) bool {
	return !d.SecondPerson || editor != actor.ID
}

// Curates tells whether somebody may publish at all, Proposes whether they may
// write drafts.
func Curates(u chat.User) bool  { return u.Roles.Has(curators...) }
func Proposes(u chat.User) bool { return u.Roles.Has(proposers...) }

// MoveEntry makes a move with an entry, or with the change that waits for it.
// version, when not 0, is the one of the entry that was looked at. It returns
// the entry as it is afterwards.
func (d *Desk) MoveEntry(tx *store.Tx, actor chat.User, number int64, version int, name, note string) (kb.Entry, error) {
	e, err := tx.FindEntry(number)
	if err != nil {
		return e, err
	}
	if version != 0 && version != e.Version {
		return e, fmt.Errorf("entry K%d: %w", number, store.ErrStale)
	}
	p, err := tx.FindProposal(number)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return e, err
	}
	// Whatever happens to it, it is not what was to be published at a time.
	if _, err := tx.DropEntrySchedule(number); err != nil {
		return e, err
	}
	if err == nil && name != MoveRetire {
		return d.moveChange(tx, actor, e, p, name, note)
	}
	m, err := findMove(entryMoves, actor, e.State, name)
	if err != nil {
		return e, err
	}
	if m.To == kb.Published {
		if err := d.mayGoLive(actor, e, e.Editor); err != nil {
			return e, err
		}
	}
	was, answered := e.Editor, e.Live()
	if e, err = tx.ChangeEntry(actor.ID, entryReason(m, note), number, e.Version, func(e *kb.Entry) error { e.State = m.To; return nil }); err != nil {
		return e, entryRefusal(err, e)
	}
	if m.Name == MoveRetire {
		if err := tx.DropProposal(number); err != nil {
			return e, err
		}
	}
	if err := d.EmitEntry(tx, chat.EntryPublished, actor.ID, number, answered); err != nil {
		return e, err
	}
	return e, errors.Join(d.tellMove(tx, actor, e, was, m.Name, note), tx.Audit(actor.ID, "entry."+m.Name, fmt.Sprintf("K%d", number), map[string]string{"state": e.State}))
}

func (d *Desk) moveChange(tx *store.Tx, actor chat.User, e kb.Entry, p store.Proposal, name, note string) (kb.Entry, error) {
	m, err := findMove(changeMoves, actor, p.State, name)
	if err != nil {
		return e, err
	}
	switch m.Name {
	case MoveDrop:
		err = tx.DropProposal(e.Number)
	case MovePublish:
		e, err = d.publishChange(tx, actor, e, p)
	default:
		was := p.Version
		p.State, p.Note = m.To, ""
		if m.Name == MoveReturn {
			p.Note = note
		}
		err = tx.PutProposal(p, was)
	}
	if err != nil {
		return e, err
	}
	shown := p.Entry
	return e, errors.Join(d.tellMove(tx, actor, shown, p.Author, m.Name, note), tx.Audit(actor.ID, "entry.change."+m.Name, fmt.Sprintf("K%d", e.Number), nil))
}

// publishChange brings a change live, unless the entry went on without it.
func (d *Desk) publishChange(tx *store.Tx, actor chat.User, e kb.Entry, p store.Proposal) (kb.Entry, error) {
	if e.Version != p.Base {
		return e, refuse(fmt.Sprintf("K%d 在这份修改之后又发布过（现为第 %d 版），请对照着改好再发布。", e.Number, e.Version))
	}
	if err := d.mayGoLive(actor, p.Entry, p.Author); err != nil {
		return e, err
	}
	e, err := tx.ChangeEntry(p.Author, "发布修改", e.Number, e.Version, func(e *kb.Entry) error {
		*e = p.Entry
		e.State = kb.Published
		return nil
	})
	if err != nil {
		return e, entryRefusal(err, e)
	}
	if err := d.EmitEntry(tx, chat.EntryPublished, actor.ID, e.Number, true); err != nil {
		return e, err
	}
	return e, tx.DropProposal(e.Number)
}

// mayGoLive holds what must be true of whatever is published, by whom it may be.
func (d *Desk) mayGoLive(actor chat.User, e kb.Entry, editor string) error {
	if !d.mayPublish(actor, editor) {
		return refuse(fmt.Sprintf("K%d 最后是你改的，发布要由另一位知识管理员来做。提交复核，我会告诉他们。", e.Number))
	}
	return fitToPublish(e)
}

// fitToPublish is about the words alone.
func fitToPublish(e kb.Entry) error {
	if p := promiseIn(e); p != "" {
		return refuse(fmt.Sprintf("答案里有承诺性的说法「%s」，改掉才能发布。", p))
	}
	if err := kb.Validate(kb.Clean(e)); err != nil {
		return refuse("还不能发布：" + err.Error() + "。")
	}
	return nil
}

func promiseIn(e kb.Entry) string {
	for _, text := range []string{e.Answer, e.AnswerText} {
		if p := promises.FindString(text); p != "" {
			return p
		}
	}
	return ""
}

func findMove(moves []EntryMove, actor chat.User, state, name string) (EntryMove, error) {
	for _, m := range moves {
		if m.Name != name {
			continue
		}
		if !actor.Roles.Has(m.Roles...) {
			return m, refuse(m.Title + "由知识管理员来做。")
		}
		if !slices.Contains(m.From, state) {
			return m, refuse(fmt.Sprintf("现在是「%s」，不能%s。", kb.StateTitle(state), m.Title))
		}
		return m, nil
	}
	return EntryMove{}, refuse("没有可以这样处理的修改。")
}

func entryReason(m EntryMove, note string) string {
	if note != "" {
		return m.Title + "：" + note
	}
	return m.Title
}

// entryRefusal says in words what stops a change of an entry.
func entryRefusal(err error, twin kb.Entry) error {
	if errors.Is(err, store.ErrExists) {
		return errors.Join(refuse(fmt.Sprintf("知识库里已有同样的问题 K%d。", twin.Number)), store.ErrExists)
	}
	return err
}
