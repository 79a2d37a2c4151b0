package standin

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// Options describe the company that the stand-in plays. New copies the lists.
type Options struct {
	CorpID   string
	CorpName string

	// BaseURL is the public address of this server without a trailing slash; it
	// goes into response_url and media URLs. When it is empty the Host of the
	// latest request is used.
	BaseURL string
	// ControlToken is the bearer token of the control API. Empty: the control API is closed.
	ControlToken string
	// ContactSecret is the secret of the contact synchronisation, the only one that may call user/list_id.
	ContactSecret string

	Apps        []App
	Bots        []Bot
	People      []Person
	Departments []Department
	Groups      []Group
	Robots      []Robot
	Tags        []Tag
	// AccountLimit is the company's bought number of accounts (账号上限数); the
	// daily number of app messages depends on it. Zero: the number of people, at least 1000.
	AccountLimit int

	// Now is the clock for lives, windows and stamps. Nil: time.Now. Waiting
	// (time-outs, polls) always uses the real timers, so that testing/synctest can drive them.
	Now func() time.Time
	// Rand makes ids, tokens and nonces. Nil: seeded by the system.
	Rand *rand.Rand
	// Limits are the platform's when zero.
	Limits Limits
	// Keep bounds the memory.
	Keep Keep
	// Callbacks carries the callbacks. Nil: an own http.Transport.
	Callbacks http.RoundTripper
	// Log may be nil.
	Log *slog.Logger
}

// App is a self-built application (自建应用).
type App struct {
	AgentID     int
	Name        string
	Secret      string
	Token       string
	AESKey      string
	CallbackURL string // empty: no callback is configured
	// Visible are the members in the app's visible range. Empty: the root department, which is everybody.
	Visible []string
	Menu    []MenuItem
}

// MenuItem is one entry of an app's menu.
type MenuItem struct {
	Name string `json:"name"`
	Type string `json:"type"` // click or view
	Key  string `json:"key"`  // EventKey, or the URL of a view
}

// Bot is a smart bot (智能机器人), in HTTP mode (CallbackURL) or with a long
// connection (Secret): never both.
type Bot struct {
	ID          string
	Name        string
	Token       string
	AESKey      string
	CallbackURL string
	Secret      string
	// Known lets the bot speak of its own accord everywhere, as if somebody had
	// spoken to it there before.
	Known bool
	// EncryptUserIDs makes from.userid the person's OpenUserID, as the platform does for some bots.
	EncryptUserIDs bool
}

// Person is a member of the company.
type Person struct {
	UserID      string   `json:"userid"`
	Name        string   `json:"name"`
	Alias       string   `json:"alias,omitempty"`
	Position    string   `json:"position,omitempty"`
	Mobile      string   `json:"mobile,omitempty"`
	Email       string   `json:"email,omitempty"`
	Departments []int    `json:"departments,omitempty"` // the first is the main department; none: the root, 1
	Leader      bool     `json:"leader,omitempty"`      // leads its main department
	Leaders     []string `json:"leaders,omitempty"`     // direct leaders
	OpenUserID  string   `json:"open_userid,omitempty"`
	Disabled    bool     `json:"disabled,omitempty"`
}

// Department is a part of the company; the root has ID 1.
type Department struct {
	ID       int      `json:"id"`
	Name     string   `json:"name"`
	ParentID int      `json:"parent_id"`
	Order    int      `json:"order"`
	Leaders  []string `json:"leaders,omitempty"`
}

// Group is an ordinary group chat.
type Group struct {
	ChatID  string   `json:"chat_id"`
	Name    string   `json:"name"`
	Members []string `json:"members"`
	BotIDs  []string `json:"bot_ids,omitempty"` // smart bots in the group
}

// Robot is a group robot (群机器人, webhook).
type Robot struct {
	Key   string
	Name  string
	Group string // ChatID
}

// Tag is a set of members.
type Tag struct {
	ID          int      `json:"id"`
	Name        string   `json:"name"`
	UserIDs     []string `json:"userids,omitempty"`
	Departments []int    `json:"departments,omitempty"`
}

// Keep bounds what the server remembers. Zero values mean the defaults.
type Keep struct {
	Feed    int // entries of one feed; 5000
	Entries int // entries of all feeds; 100 000
	Trace   int // 5000
	Ledger  int // 50 000
	Cards   int // cards, callbacks and codes that can still be acted on; 20 000
}

func (k *Keep) fill() {
	for _, d := range []struct {
		field *int
		def   int
	}{{&k.Feed, 5000}, {&k.Entries, 100_000}, {&k.Trace, 5000}, {&k.Ledger, 50_000}, {&k.Cards, 20_000}} {
		if *d.field <= 0 {
			*d.field = d.def
		}
	}
}

// check names what would make the stand-in lie: ids twice, keys that cannot decrypt.
func (o *Options) check() error {
	seen := map[string]bool{}
	once := func(kind, id string) error {
		if id == "" || strings.ContainsAny(id, " |") || seen[kind+"\x00"+id] {
			return fmt.Errorf("%s id %q is empty, malformed or there twice", kind, id)
		}
		seen[kind+"\x00"+id] = true
		return nil
	}
	for _, a := range o.Apps {
		if err := once("app", fmt.Sprint(a.AgentID)); err != nil {
			return err
		}
		if _, err := parseAESKey(a.AESKey); a.CallbackURL != "" && err != nil {
			return fmt.Errorf("app %d: %w", a.AgentID, err)
		}
	}
	for _, b := range o.Bots {
		if err := once("bot", b.ID); err != nil {
			return err
		}
		if _, err := parseAESKey(b.AESKey); b.CallbackURL != "" && err != nil {
			return fmt.Errorf("bot %s: %w", b.ID, err)
		}
		if b.CallbackURL != "" && b.Secret != "" {
			return fmt.Errorf("bot %s: a bot has either a callback URL or a long connection", b.ID)
		}
	}
	for _, p := range o.People {
		if err := once("person", p.UserID); err != nil {
			return err
		}
	}
	for _, g := range o.Groups {
		if err := once("group", g.ChatID); err != nil {
			return err
		}
	}
	for _, r := range o.Robots {
		if err := once("robot", r.Key); err != nil {
			return err
		}
	}
	return nil
}
