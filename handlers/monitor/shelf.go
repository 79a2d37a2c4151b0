package monitor

import (
	"context"
	_ "embed" // the skeleton
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"frontline/handlers/spec"
	"frontline/store"
)

// Items lie in files and, written in the console, in the store: the newest
// edition of the console stands before the file of the same name, until an empty
// one gives way to it.

// Shelf is where items come from.
type Shelf struct {
	Dir     string // of files; "" for none
	Targets map[string]*Target
	Store   *store.Store
	Log     *slog.Logger
	unread  atomic.Int64 // times that the store could not be read: it is tried again
}

// shelfTime bounds what reading the store may take.
const shelfTime = 5 * time.Second

// Stamp tells one state of the items from another.
func (s *Shelf) Stamp() string {
	ctx, cancel := context.WithTimeout(context.Background(), shelfTime)
	defer cancel()
	newest, err := s.Store.NewestText(ctx, store.MonitorShelf)
	if err != nil {
		newest = -1 // it is read again when the store is back
	}
	return fmt.Sprint(Stamp(s.Dir), newest, " ", s.unread.Load())
}

// Load reads all items. It suits Runner.Load.
func (s *Shelf) Load() ([]*Item, []spec.Fault) {
	ctx, cancel := context.WithTimeout(context.Background(), shelfTime)
	defer cancel()
	texts, err := s.texts(ctx)
	if err != nil {
		s.unread.Add(1)
		return nil, []spec.Fault{{File: "console", Line: 1, Col: 1, Text: "读不到控制台里写的监控项，稍后再读"}}
	}
	items, faults := s.with(texts)
	// What the console wrote and does not fit any more must not stop the others.
	for _, f := range faults {
		if name, ours := strings.CutPrefix(f.File, "console/"); ours {
			s.Log.Error("a monitor of the console does not fit; its file counts, if there is one", "file", name, "err", f.Error())
			delete(texts, strings.TrimSuffix(name, ".yaml"))
		}
	}
	if len(faults) > 0 {
		return s.with(texts)
	}
	return items, nil
}

// texts are what the console wrote, by name; "" for what was taken back.
func (s *Shelf) texts(ctx context.Context) (map[string]string, error) {
	list, err := s.Store.Texts(ctx, store.MonitorShelf)
	out := map[string]string{}
	for _, t := range list {
		out[t.Name] = t.Body
	}
	return out, err
}

// files are the items' files by name, nil without a folder.
func (s *Shelf) files() (map[string][]byte, []spec.Fault) {
	if s.Dir == "" {
		return nil, nil
	}
	return readFS(os.DirFS(s.Dir), ".")
}

func consoleFile(name string) string { return "console/" + name + ".yaml" }

// with reads files and texts, a text in the place of the file whose item has its
// name.
func (s *Shelf) with(texts map[string]string) ([]*Item, []spec.Fault) {
	files, faults := s.files()
	if len(faults) > 0 {
		return nil, faults
	}
	base, faults := Load(files, s.Targets)
	all := maps.Clone(files)
	if all == nil {
		all = map[string][]byte{}
	}
	replaced := false
	for _, i := range base {
		if texts[i.Name] != "" {
			delete(all, i.file)
			faults = slices.DeleteFunc(faults, func(f spec.Fault) bool { return f.File == i.file })
		}
	}
	for name, text := range texts {
		if text != "" {
			all[consoleFile(name)], replaced = []byte(text), true
		}
	}
	if !replaced {
		return base, faults
	}
	return Load(all, s.Targets)
}

// reserved are the pages beside the items' own.
var reserved = []string{"daily", "new"}

// Check checks the text of an item together with all others. name is the one
// that is edited; "" stands for a new one.
func (s *Shelf) Check(ctx context.Context, name, text string) (*Item, []spec.Fault, error) {
	// First alone: a fault of another file is not the writer's.
	own, faults := Load(map[string][]byte{consoleFile(name): []byte(text)}, s.Targets)
	if len(faults) > 0 || len(own) == 0 {
		return nil, plainFiles(faults), nil
	}
	i := own[0]
	fault := func(text string) (*Item, []spec.Fault, error) {
		line, col := 1, 1
		if n := i.root.Get("name"); n != nil {
			line, col = n.Line, n.Col
		}
		return nil, []spec.Fault{{File: name, Line: line, Col: col, Text: text}}, nil
	}
	texts, err := s.texts(ctx)
	if err != nil {
		return nil, nil, err
	}
	if name != "" && i.Name != name {
		return fault("name 应是 " + name + "：改名请另建一个监控项")
	}
	if name == "" {
		others, _ := s.with(texts)
		for _, o := range others {
			if o.Name == i.Name {
				return fault("已经有叫 " + i.Name + " 的监控项")
			}
		}
	}
	texts[i.Name] = text
	all, faults := s.with(texts)
	if len(faults) > 0 {
		return nil, plainFiles(faults), nil
	}
	for _, o := range all {
		if o.Name == i.Name {
			return o, nil, nil
		}
	}
	return nil, nil, fmt.Errorf("monitor %s: read and not found", i.Name)
}

func plainFiles(faults []spec.Fault) []spec.Fault {
	for i := range faults {
		faults[i].File = strings.TrimPrefix(faults[i].File, "console/")
	}
	return faults
}

// Save writes the next edition of an item that was checked. edition is the one it
// was written upon, 0 for none; store.ErrStale when somebody was quicker. An empty
// text takes the console's editions back.
func (s *Shelf) Save(ctx context.Context, by, name, text, note string, edition int) error {
	return s.Store.InTx(ctx, func(tx *store.Tx) error {
		t := store.KeptText{Name: name, Edition: edition, Body: text, Author: by, Note: note}
		if err := tx.PutText(store.MonitorShelf, &t); err != nil {
			return err
		}
		return tx.Audit(by, "monitor.save", name, map[string]any{"edition": fmt.Sprint(t.Edition), "sha": t.SHA, "note": note})
	})
}

// Source is an item's text as it counts, with the newest edition of the console, 0
// for none. "" for an item that is nowhere.
func (s *Shelf) Source(ctx context.Context, name string) (text string, edition int, err error) {
	list, err := s.Store.TextEditions(ctx, store.MonitorShelf, name, 1)
	if err != nil {
		return "", 0, err
	}
	if len(list) > 0 {
		edition = list[0].Edition
		if list[0].Body != "" {
			return list[0].Body, edition, nil
		}
	}
	return s.FileText(name), edition, nil
}

// FileText is an item as its file has it; "" when no file has it.
func (s *Shelf) FileText(name string) string {
	files, _ := s.files()
	items, _ := Load(files, s.Targets)
	for _, i := range items {
		if i.Name == name {
			return i.Text
		}
	}
	return ""
}

// Skeleton is what a new item begins with.
//
//go:embed skeleton.yaml
var Skeleton string
