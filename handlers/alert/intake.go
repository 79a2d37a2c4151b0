package alert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"frontline/bot/chat"
	"frontline/handlers/mask"
	"frontline/store"
)

// Source is a sender by its name in the configuration.
type Source struct {
	Name     string
	Kind     Kind
	Token    string // its own bearer token; "" for the general one
	Severity string // of alerts whose sender does not say; default warning
	Zone     *time.Location
	Mapping  *Mapping
	Owners   []string // told when something is not understood
}

// Desk takes alerts in, tells the chats, and does what people ask of alerts.
type Desk struct {
	Store *store.Store
	Rules *Rules
	Log   *slog.Logger
	Chats map[string]string // chat ids of the configured groups, by name
	Cards bool              // the smart bot can speak in chats of its own accord, with buttons
	// Subscribers are programs that hear of what happens to groups of alerts.
	Subscribers chat.Subscribers
	bell        chan struct{} // rung when a group may be due at once
}

// NewDesk makes a Desk.
func NewDesk(s *store.Store, rules *Rules, log *slog.Logger) *Desk {
	return &Desk{Store: s, Rules: rules, Log: log, bell: make(chan struct{}, 1)}
}

// Taken is what a delivery came to.
type Taken struct {
	Alerts int `json:"alerts"`
	store.AlertTally
}

// Limits of what is kept of one alert.
const (
	mostLabels   = 64
	longestLabel = 1000
	longestText  = 4000
)

// item is a signal on its way into the store.
type item struct {
	Signal
	fp     string
	chosen Chosen
}

// tries is how often a delivery is applied anew when another replica changed
// the same alerts in the meantime.
const tries = 8

// Take is for senders of our own: it keeps what they sent and applies it in one
// commit, with further writes of theirs (nil for none). When those fail, nothing
// is kept; they may run several times. raw is kept sealed.
func (d *Desk) Take(ctx context.Context, src Source, del Delivery, raw []byte, also func(tx *store.Tx) error) (out Taken, err error) {
	p := d.ready(src, del)
	err = d.applyAll(ctx, []pending{p}, func(tx *store.Tx, tallies []store.AlertTally) error {
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		out = Taken{len(p.items), tallies[0]}
		_, err := tx.AddAlertDelivery(store.AlertDelivery{Source: src.Name, Kind: src.Kind.Name, State: store.DeliveryDone, Alerts: len(p.items), Body: raw}, false)
		return err
	})
	return out, err
}

// pending is a delivery that can be applied.
type pending struct {
	id        int64 // 0 for one that did not wait
	src       Source
	items     []item
	notListed int
}

func (d *Desk) ready(src Source, del Delivery) pending {
	p := pending{src: src, items: make([]item, len(del.Signals)), notListed: del.NotListed}
	for i, s := range del.Signals {
		p.items[i] = d.prepare(src, s)
	}
	return p
}

// applyAll applies deliveries in their order, all of them in one commit with
// what more is to be written of them.
func (d *Desk) applyAll(ctx context.Context, list []pending, also func(tx *store.Tx, tallies []store.AlertTally) error) (err error) {
	keys := map[string]bool{}
	for _, p := range list {
		for _, it := range p.items {
			keys[it.chosen.Key] = true
		}
	}
	locks := slices.Sorted(maps.Keys(keys))
	urgent := false
	for range tries {
		err = d.Store.InTx(ctx, func(tx *store.Tx) error {
			for _, k := range locks {
				if err := tx.LockAlertGroup(k); err != nil {
					return err
				}
			}
			urgent = false
			tallies := make([]store.AlertTally, len(list))
			for i, p := range list {
				a := applying{d: d, tx: tx, src: p.src}
				a.tally.NotListed = int64(p.notListed)
				if err := a.apply(p.items, p.notListed); err != nil {
					return err
				}
				if err := tx.CountAlerts(p.src.Name, a.tally); err != nil {
					return err
				}
				tallies[i], urgent = a.tally, urgent || a.urgent
			}
			return also(tx, tallies)
		})
		if !errors.Is(err, store.ErrStale) {
			break
		}
	}
	if err == nil && urgent {
		d.ring()
	}
	return err
}

func (d *Desk) ring() {
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

// prepare makes a signal ours: identity, severity, limits, masks.
func (d *Desk) prepare(src Source, s Signal) item {
	labels := make(map[string]string, len(s.Labels))
	names := make([]string, 0, len(s.Labels))
	for k := range s.Labels {
		names = append(names, k)
	}
	slices.Sort(names)
	it := item{Signal: s}
	it.fp = fingerprint(src, s, names)
	for _, k := range names[:min(len(names), mostLabels)] {
		labels[clip(k, 128)] = mask.Text(clip(s.Labels[k], longestLabel))
	}
	it.Labels = labels
	if it.Name == "" {
		it.Name = firstOf(s.Title, "未命名告警")
	}
	it.Name, it.Title, it.Value = mask.Text(oneLine(it.Name, 200)), mask.Text(oneLine(firstOf(s.Title, s.Name, "未命名告警"), 400)), mask.Text(oneLine(s.Value, 128))
	if it.Severity == "" {
		it.Severity = firstOf(src.Severity, Warning)
	}
	it.chosen = d.Rules.Choose(Labels{src.Name, src.Kind.Name, it.Name, it.Severity, labels})
	return it
}

// rest masks what is only kept when an alert begins or changes.
func (it *item) rest() {
	notes := make(map[string]string, len(it.Annotations))
	for k, v := range it.Annotations {
		if len(notes) < mostLabels {
			notes[clip(k, 128)] = mask.Text(clip(v, longestText))
		}
	}
	it.Annotations, it.Text = notes, mask.Text(clip(it.Text, longestText))
	it.Links = slices.DeleteFunc(it.Links, func(l store.AlertLink) bool { return mask.Text(l.URL) != l.URL })
}

func oneLine(s string, n int) string { return clip(strings.Join(strings.Fields(s), " "), n) }

// fingerprint is who an alert is: the sender's own name for it, else all its
// labels with its name; never the name alone, never the whole body.
func fingerprint(src Source, s Signal, sortedNames []string) string {
	id := s.ID
	if id == "" {
		var b strings.Builder
		fmt.Fprintf(&b, "%q", s.Name)
		for _, k := range sortedNames {
			fmt.Fprintf(&b, ",%q=%q", k, s.Labels[k])
		}
		id = b.String()
	}
	sum := sha256.Sum256([]byte(src.Name + "\x00" + src.Kind.Name + "\x00" + id))
	return hex.EncodeToString(sum[:8])
}

// tellOwners tells who answers for a source that something was not understood.
func (d *Desk) tellOwners(tx *store.Tx, src Source, fault string) error {
	owners := src.Owners
	if len(owners) == 0 {
		admins, err := tx.MembersWith(chat.Admin)
		if err != nil {
			return err
		}
		for _, a := range admins {
			owners = append(owners, a.ID)
		}
	}
	for _, o := range owners {
		if err := tx.Enqueue(chat.Outgoing{Key: fmt.Sprintf("hook/%s/%s/%s", src.Name, fault, o), To: chat.Address{Kind: chat.Person, ID: o, Via: chat.App},
			Body: chat.Body{Text: fmt.Sprintf("告警来源 %s 发来的内容没看懂：%s\n原文已留存（死信），不会影响其他告警；同样的问题不再提醒。请检查它的模板或这里的 kind。", chat.Plain(src.Name), chat.Plain(fault))}}); err != nil {
			return err
		}
	}
	return nil
}
