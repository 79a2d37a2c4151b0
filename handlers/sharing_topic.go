package handlers

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"frontline/bot/chat"
	"frontline/kb"
	"frontline/store"
)

// What a sharing session could be about: topics that many asked in vain, and
// topics that are asked about most.

// SharingTopic is a topic that deserves a session.
type SharingTopic struct {
	Word    string
	Asked   bool // answered, but asked about much; else of the gaps
	Count   int  // questions of the last weeks
	People  int  // who asked them; of gaps only
	Samples []string
	Gaps    []string // messages that lead the gaps
	Entries []int64
}

// Title is what a session about it could be called.
func (t SharingTopic) Title() string { return t.Word + "常见问题" }

const (
	topicDays    = 28
	topicPeople  = 5  // must have asked in vain
	topicAsked   = 30 // times an entry's topic was asked about
	topicsTold   = 3
	topicPause   = 28 * 24 * time.Hour
	topicSamples = 3
	topicCores   = 60 // groups whose common words are looked at
)

// Topics are proposals for sessions, the weightiest first: no topic that
// somebody put off, and none that has a session already.
func (d *Desk) Topics(ctx context.Context) ([]SharingTopic, error) {
	vain, err := d.vainTopics(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := d.askedTopics(ctx)
	if err != nil {
		return nil, err
	}
	taken, err := d.Store.PausedTopics(ctx)
	if err != nil {
		return nil, err
	}
	recent, err := d.Store.ListSharings(ctx, store.SharingQuery{States: []store.SharingState{store.SharingPlanned, store.SharingAnnounced, store.SharingLive, store.SharingEnded}, Since: d.Store.Now().AddDate(0, 0, -topicDays), N: 200})
	if err != nil {
		return nil, err
	}
	for _, s := range recent {
		taken = append(append(taken, s.Words...), s.Title)
	}
	var out []SharingTopic
	for _, t := range append(vain, asked...) {
		if !slices.ContainsFunc(taken, func(w string) bool { return about(w, []string{t.Word}) || about(t.Word, []string{w}) }) {
			out, taken = append(out, t), append(taken, t.Word)
		}
	}
	return out, nil
}

// TopicOf is a proposed topic by its word; a word that nobody proposed is a
// topic too.
func (d *Desk) TopicOf(ctx context.Context, word string) (SharingTopic, error) {
	word = chat.Cut(oneLine(word), 20)
	vain, err := d.vainTopics(ctx)
	if err != nil {
		return SharingTopic{}, err
	}
	asked, err := d.askedTopics(ctx)
	if err != nil {
		return SharingTopic{}, err
	}
	all := append(vain, asked...)
	if i := slices.IndexFunc(all, func(t SharingTopic) bool { return t.Word == word }); i >= 0 {
		return all[i], nil
	}
	return SharingTopic{Word: word}, nil
}

// LinkTopic ties a session to the gaps on its topic. Without words of its own
// it takes the topics that its title names.
func (d *Desk) LinkTopic(ctx context.Context, s *store.Sharing) error {
	words := s.Words
	if len(words) == 0 {
		vain, err := d.vainTopics(ctx)
		if err != nil {
			return err
		}
		known, err := d.topicWords(ctx)
		if err != nil {
			return err
		}
		for _, t := range vain {
			known = append(known, t.Word)
		}
		slices.SortStableFunc(known, func(a, b string) int { return len(b) - len(a) })
		for _, w := range known {
			if about(s.Title, []string{w}) && !slices.ContainsFunc(words, func(have string) bool { return about(have, []string{w}) || about(w, []string{have}) }) {
				words = append(words, w)
			}
		}
		s.Words = words[:min(len(words), sharingWordsMost)]
	}
	if len(s.Gaps) > 0 || len(s.Words) == 0 {
		return nil
	}
	gaps, err := d.Gaps(ctx)
	for _, g := range gaps {
		if slices.ContainsFunc(g.Texts, func(text string) bool { return about(text, s.Words) }) && len(s.Gaps) < gapWordings {
			s.Gaps = append(s.Gaps, g.Lead.Message)
		}
	}
	return err
}

// topicWords are words that the house has for its matters: subclasses of
// tickets and tags of knowledge.
func (d *Desk) topicWords(ctx context.Context) ([]string, error) {
	words, err := d.Store.EntryTags(ctx)
	for _, c := range d.Rules.Classes {
		words = append(words, c.Subclasses...)
	}
	words = slices.DeleteFunc(words, func(w string) bool { return len([]rune(w)) < 2 })
	slices.Sort(words)
	return slices.Compact(words), err
}

// vainTopics are the topics of questions that had no answer.
func (d *Desk) vainTopics(ctx context.Context) ([]SharingTopic, error) {
	list, err := d.Store.ListUnanswered(ctx, d.Store.Now().AddDate(0, 0, -topicDays), gapsRead)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = list[i].Text
	}
	own, err := d.ownSynonyms(ctx)
	if err != nil {
		return nil, err
	}
	groups := kb.Cluster(texts, own)
	words, err := d.topicWords(ctx)
	if err != nil {
		return nil, err
	}
	return topicsAmong(list, groups, append(words, coreWords(texts, groups)...)), nil
}

// topicsAmong counts, for each word, the questions that say it, and keeps those
// that enough people asked. Of words within each other the one that more say stays.
func topicsAmong(list []store.Question, groups [][]int, words []string) (out []SharingTopic) {
	texts := make([]string, len(list))
	for i := range list {
		texts[i] = strings.ToLower(list[i].Text)
	}
	for _, w := range words {
		low := strings.ToLower(w)
		t, people := SharingTopic{Word: w}, map[string]bool{}
		for _, g := range groups {
			lead := false
			for _, i := range g {
				if !strings.Contains(texts[i], low) {
					continue
				}
				t.Count++
				people[list[i].Asker] = true
				if !lead {
					lead = true
					t.Gaps = append(t.Gaps, list[g[0]].Message)
					if len(t.Samples) < topicSamples {
						t.Samples = append(t.Samples, list[i].Text)
					}
				}
			}
		}
		if t.People = len(people); t.People >= topicPeople {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b SharingTopic) int {
		return cmp.Or(b.People-a.People, b.Count-a.Count) // else the house's own words stay before others
	})
	kept := out[:0]
	for _, t := range out {
		// 两融合同 within 两融: the same questions, or a part of them.
		if !slices.ContainsFunc(kept, func(k SharingTopic) bool { return about(k.Word, []string{t.Word}) || about(t.Word, []string{k.Word}) }) {
			kept = append(kept, t)
		}
	}
	return kept
}

// coreWords are what the questions of a group have in common, and what those
// cores share: how a topic is found that nobody has a tag for.
func coreWords(texts []string, groups [][]int) (words []string) {
	for _, g := range groups[:min(len(groups), topicCores)] {
		if len(g) < 2 {
			continue
		}
		core := spokenCore(texts[g[0]])
		for _, i := range g[1:min(len(g), 20)] {
			if c := commonRun(core, spokenCore(texts[i])); len(c) >= 2 {
				core = c
			}
		}
		if len(core) >= 2 && len(core) <= 12 {
			words = append(words, string(core))
		}
	}
	n := len(words)
	for i := range n {
		for j := range i {
			if c := commonRun([]rune(words[i]), []rune(words[j])); len(c) >= 2 {
				words = append(words, string(c))
			}
		}
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.DeleteFunc(slices.Compact(words), func(w string) bool { return politeWords.MatchString(w) || askWords.MatchString(w) })
}

// askWords is what every question says, whatever it is about.
var askWords = regexp.MustCompile(`怎么样?|怎样|如何|咋办?|什么|为啥|为何|多久|几点|何时|哪里|在哪|哪个|哪|能不能|可不可以|可以|是不是|是否|要不要|需要|多少|页面|入口|地方|位置|路径|打开|找不到|查不到|办理|老的|新的|新版|旧版|提示|问题|的|了|吗|呢|是|在|不`)

// spokenCore is a question without what people say around it.
func spokenCore(text string) []rune {
	return []rune(askWords.ReplaceAllString(politeWords.ReplaceAllString(strings.ToLower(text), " "), " "))
}

// commonRun is the longest run of letters that two texts share.
func commonRun(a, b []rune) (best []rune) {
	last := make([]int, len(b)+1)
	for i := range a {
		row := make([]int, len(b)+1)
		for j := range b {
			if a[i] == b[j] && a[i] != ' ' && (unicode.IsLetter(a[i]) || unicode.IsDigit(a[i])) {
				if row[j+1] = last[j] + 1; row[j+1] > len(best) {
					best = a[i+1-row[j+1] : i+1]
				}
			}
		}
		last = row
	}
	return best
}

// askedTopics are the tags of the entries that were asked for most.
func (d *Desk) askedTopics(ctx context.Context) ([]SharingTopic, error) {
	now := d.Store.Now().In(d.Store.FigureZone())
	today, _ := NewPeriod("today", now)
	sums, err := d.Store.SplitQuestions(ctx, store.ByEntry, today.From.AddDate(0, 0, 1-topicDays), today.To)
	if err != nil {
		return nil, err
	}
	var numbers []int64
	for text, f := range sums {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && f.Asked > 0 {
			numbers = append(numbers, n)
		}
	}
	asked := func(n int64) int { return int(sums[strconv.FormatInt(n, 10)].Asked) }
	slices.SortFunc(numbers, func(a, b int64) int { return cmp.Or(asked(b)-asked(a), cmp.Compare(a, b)) })
	numbers = numbers[:min(len(numbers), 100)]
	entries, err := d.Store.EntriesOf(ctx, numbers)
	if err != nil {
		return nil, err
	}
	byTag := map[string]*SharingTopic{}
	for _, n := range numbers {
		e, ok := entries[n]
		if !ok || e.State != kb.Published {
			continue
		}
		for _, tag := range e.Tags {
			t := byTag[tag]
			if t == nil {
				t = &SharingTopic{Word: tag, Asked: true}
				byTag[tag] = t
			}
			t.Count += asked(n)
			t.Entries = append(t.Entries, n)
			if len(t.Samples) < topicSamples {
				t.Samples = append(t.Samples, e.Question)
			}
		}
	}
	var out []SharingTopic
	for _, t := range byTag {
		if t.Count >= topicAsked && len([]rune(t.Word)) >= 2 {
			out = append(out, *t)
		}
	}
	slices.SortFunc(out, func(a, b SharingTopic) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Word, b.Word)) })
	return out, nil
}

// PauseTopic keeps a topic from being proposed for four weeks.
func (d *Desk) PauseTopic(tx *store.Tx, by chat.User, word string) error {
	if !Organises(by) {
		return refuse("分享由知识管理员或管理者来排期。")
	}
	if err := tx.PauseTopic(chat.Cut(oneLine(word), 40), by.ID, tx.Now().Add(topicPause)); err != nil {
		return err
	}
	return tx.Audit(by.ID, "sharing.pause", chat.Cut(oneLine(word), 40), map[string]string{})
}

// ProposeSharing tells the curators once a week of the topic that deserves a
// session most.
func (d *Desk) ProposeSharing(ctx context.Context) error {
	topics, err := d.Topics(ctx)
	if err != nil || len(topics) == 0 {
		return err
	}
	t := topics[0]
	to, err := d.subscribers(ctx, "gaps")
	if err != nil {
		return err
	}
	list := []string{"排期 话题 " + t.Word, "先不 " + t.Word}
	lines := []string{t.words(), "1  排期", "2  先不"}
	if d.PublicURL != "" {
		lines = append(lines, "看问法和别的话题："+d.PublicURL+"/sessions")
	}
	return d.Store.InTx(ctx, func(tx *store.Tx) error {
		for _, place := range to {
			if place.Kind != chat.Person {
				continue
			}
			key := fmt.Sprintf("sharing/proposal/%s/%s", tx.Now().Format(time.DateOnly), place)
			if err := tx.Enqueue(chat.Outgoing{Key: key, To: place, Body: chat.Body{Text: strings.Join(lines, "\n")}}); err != nil {
				return err
			}
			if err := d.offer(tx, place, place.ID, list); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t SharingTopic) words() string {
	head := fmt.Sprintf("近 4 周「%s」缺口 %d 问 / %d 人，建议做一场分享。", chat.Plain(t.Word), t.Count, t.People)
	if t.Asked {
		head = fmt.Sprintf("近 4 周「%s」被问了 %d 次，建议做一场分享。", chat.Plain(t.Word), t.Count)
	}
	for _, s := range t.Samples {
		head += "\n· " + chat.Plain(chat.Cut(s, 40))
	}
	return head
}
