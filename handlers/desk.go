package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/alert"
	"frontline/handlers/construct"
	"frontline/handlers/mask"
	"frontline/handlers/monitor"
	"frontline/kb"
	"frontline/store"
)

// Knowledge answers questions; kb.Engine is one.
type Knowledge interface {
	Search(ctx context.Context, q kb.Query) (kb.Result, error)
	// Trial is the base as it would be with some entries changed.
	Trial(ctx context.Context, changed []kb.Entry) (*kb.Trial, error)
	// TrialSynonyms is the base with other words of the house's own, nil when
	// it is too large to be made meanwhile; Reread counts the questions of the
	// base, and others, that would be read otherwise.
	TrialSynonyms(ctx context.Context, groups [][]string) (*kb.Trial, error)
	// Mentions tells whether an entry speaks of something.
	Mentions(e kb.Entry, words string) bool
	Reread(ctx context.Context, groups [][]string, others []string) (base, more int, err error)
}

// Directory knows people by the platform's address list; nil when there is none.
type Directory interface {
	// Person returns name and department of a userid.
	Person(ctx context.Context, id string) (name, department string, err error)
	// PlainUserIDs turns encrypted userids, which the smart bot may report,
	// into plain ones; ids that were plain are left out.
	PlainUserIDs(ctx context.Context, ids []string) (map[string]string, error)
	// Everybody returns the whole address list, as far as it may be seen.
	Everybody(ctx context.Context) ([]store.Listed, error)
}

// Fetcher brings an attachment into our own file store while its address is
// still good; nil when attachments are not kept.
type Fetcher interface {
	Fetch(ctx context.Context, m chat.Media) (chat.Media, error)
}

// Keeper keeps a file until it is sent.
type Keeper interface {
	Put(ctx context.Context, content []byte) (id string, err error)
}

// Embedding gives the base's questions their vectors, a part at a time.
type Embedding interface {
	Run(ctx context.Context) error
}

// Model is the optional language model. It proposes, the desk validates. Texts
// are masked; person is whose budget a call takes.
type Model interface {
	ExtractFields(ctx context.Context, person, text string) (ModelFields, error)
	Intent(ctx context.Context, person, text string) (intent string, confidence float64, err error)
	// Choose names the entry that a question asks for by its place, -1 for none.
	Choose(ctx context.Context, person, question string, entries []kb.Entry) (int, error)
	// Word puts an answer into words, each sentence with its entries; no
	// sentences when these do not answer the question.
	Word(ctx context.Context, person, question string, entries []kb.Entry) ([]kb.Sentence, error)
	// Rewrite completes a question that leans on the one before; "" when there
	// is nothing to complete.
	Rewrite(ctx context.Context, person, before, question string) (string, error)
	// Draft makes an entry of what solved something; no answer when that is none
	// for others.
	Draft(ctx context.Context, person string, from kb.Drafting) (kb.Entry, error)
}

// ModelFields is what a model read out of a report.
type ModelFields struct {
	AppVersion, System, Symptom, Urgency string
}

// Desk holds the rules that chat and console share, and what they need.
type Desk struct {
	Store     *store.Store
	Knowledge Knowledge
	Directory Directory
	Fetcher   Fetcher
	Model     Model
	Answers   string    // the model's part in answers: "" none, AnswersChoose, AnswersWord
	Embedding Embedding // nil: words alone find entries
	Alerts    *alert.Desk
	Construct *construct.Engine // nil: data construction is off
	Monitors  *monitor.Runner   // nil: nothing is watched
	Files     Keeper            // nil: no files are sent
	Log       *slog.Logger
	Name      string // what the bot is called
	// SecondPerson says that who wrote the words of an entry may not publish them.
	SecondPerson bool
	PublicURL    string      // where the pages are, without a trailing slash; "" leaves links out
	Announce     string      // the group whose robot tells of new tickets; "" for none
	Chats        []GroupChat // groups of the configuration
	Required     []string    // fields a report must have: symptom, app_version, system, urgency, customer
	Rules        Rules       // zero: DefaultRules
	// Subscribers are programs that hear of what happens to tickets and knowledge.
	Subscribers chat.Subscribers
	Commands    []*Command
	guesser     guesser
	plain       sync.Map // encrypted userid -> plain one
}

// directoryTime bounds the look-up of a name: the answer does not wait for it.
const directoryTime = 800 * time.Millisecond

// actor is the person who sent a message. Somebody unknown is a reporter.
func (d *Desk) actor(ctx context.Context, m chat.Message) (chat.User, error) {
	u, err := d.Store.FindMember(ctx, m.Sender)
	if errors.Is(err, store.ErrNotFound) {
		id := m.Sender
		if m.Via == chat.Bot {
			id = d.plainID(ctx, id)
		}
		if u, err = d.Store.FindMember(ctx, id); errors.Is(err, store.ErrNotFound) {
			u, err = chat.User{ID: id, Roles: chat.RoleSet{chat.Reporter}}, nil
		}
	}
	if err != nil || u.Name != "" || d.Directory == nil {
		return u, err
	}
	short, cancel := context.WithTimeout(ctx, directoryTime)
	defer cancel()
	name, department, err := d.Directory.Person(short, u.ID)
	if err != nil {
		d.Log.Debug("name not found", "err", err)
		return u, nil
	}
	u.Name, u.Department = name, department
	return u, nil
}

// plainID is the userid behind an encrypted one, or the id itself.
func (d *Desk) plainID(ctx context.Context, id string) string {
	if d.Directory == nil {
		return id
	}
	if plain, ok := d.plain.Load(id); ok {
		return plain.(string)
	}
	short, cancel := context.WithTimeout(ctx, directoryTime)
	defer cancel()
	found, err := d.Directory.PlainUserIDs(short, []string{id})
	if err != nil {
		d.Log.Debug("userid not resolved", "err", err)
		return id
	}
	plain := id
	if p := found[id]; p != "" {
		plain = p
	}
	d.plain.Store(id, plain)
	return plain
}

// notUnderstood is also what somebody hears who may not run a command: it
// must not tell which commands there are.
func (d *Desk) notUnderstood() Result {
	return say("这句我没看懂，不乱猜。可以换个说法（哪个页面、什么提示），或回「报障」建单、「帮助」看我能做什么。")
}

// announce tells the support group in one line; nothing when none is set.
func (d *Desk) announce(key, line string, urgent bool) []chat.Outgoing {
	if d.Announce == "" {
		return nil
	}
	return []chat.Outgoing{{Key: key, To: chat.Address{Kind: chat.Robot, ID: d.Announce}, Body: chat.Body{Markdown: line}, Urgent: urgent}}
}

// attachTalk copies the recent talk of a thread into a ticket, masked.
func (d *Desk) attachTalk(ctx context.Context, m chat.Message) ([]store.TicketEntry, error) {
	lines, err := d.Store.Talk(ctx, m, d.Store.Now().Add(-30*time.Minute), 20)
	if err != nil {
		return nil, err
	}
	var out []store.TicketEntry
	for _, l := range lines {
		text := l.Text
		if l.From == "" {
			text = bodyText(l.Body)
		}
		if text == "" && len(l.Media) == 0 {
			continue
		}
		out = append(out, store.TicketEntry{Kind: "talk", Author: l.From, Text: fmt.Sprintf("%s %s", l.At.Format("15:04"), mask.Text(text)), Media: l.Media})
	}
	return out, nil
}

// bodyText is a body as words.
func bodyText(b chat.Body) string {
	switch {
	case b.Text != "":
		return b.Text
	case b.Markdown != "":
		return b.Markdown
	case b.Card != nil:
		return b.Card.Twin
	case b.Update != nil:
		return b.Update.Text
	case b.Event != nil:
		return "事件 " + b.Event.Type
	case b.Mail != nil:
		return b.Mail.Text
	}
	return ""
}

// taskID names a card for ever: what it is about and the message it answers.
func taskID(about string, m chat.Message) string {
	return about + "-" + strings.ReplaceAll(m.ID[:12], "=", "")
}

// works tells whether a person works on tickets, and so may see all of them.
func works(u chat.User) bool { return u.Roles.Has(chat.Responder, chat.Leader, chat.Admin) }

// fetchMedia brings the attachments of a message into our own store while
// their addresses are good. One that cannot be had stays in the list without a
// file, so that people see that there was something.
func (d *Desk) fetchMedia(ctx context.Context, m *chat.Message, log *slog.Logger) {
	if d.Fetcher == nil {
		return
	}
	media := [][]chat.Media{m.Media}
	if m.Quote != nil {
		media = append(media, m.Quote.Media)
	}
	for _, list := range media {
		for i := range list {
			if list[i].File != "" {
				continue
			}
			got, err := d.Fetcher.Fetch(ctx, list[i])
			if err != nil {
				log.Warn("attachment not fetched", "err", err)
				continue
			}
			list[i] = got
		}
	}
}

// ErrDirectory tells that the platform's address list could not be read.
var ErrDirectory = errors.New("read the address list")

// SyncMembers makes the members what the address list says: on demand and
// every night.
func (d *Desk) SyncMembers(ctx context.Context, actor string) (done store.Synced, err error) {
	if d.Directory == nil {
		return done, refuse("没有设置企业微信应用，不能同步通讯录")
	}
	list, err := d.Directory.Everybody(ctx)
	if err != nil {
		return done, fmt.Errorf("%w: %w", ErrDirectory, err)
	}
	err = d.Store.InTx(ctx, func(tx *store.Tx) error {
		done, err = tx.SyncMembers(actor, list)
		return err
	})
	return done, err
}
