package kb

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// meaning is an embedding endpoint that knows which words mean the same: a text
// is the sum of a random direction for each of its meanings, and some noise.
type meaning struct {
	mu    sync.Mutex
	same  map[string]string // word → meaning
	dim   int
	calls int
	does  func(ctx context.Context, texts []string) ([][]float32, error)
	asked []string
}

func (m *meaning) Embed(ctx context.Context, _ string, texts []string) ([][]float32, error) {
	m.mu.Lock()
	m.calls++
	m.asked = append(m.asked, texts...)
	does := m.does
	m.mu.Unlock()
	if does != nil {
		return does(ctx, texts)
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = m.vector(t)
	}
	return out, nil
}

func direction(word string, dim int) []float32 {
	h := fnv.New64a()
	h.Write([]byte(word))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	return randomVector(r, dim)
}

func (m *meaning) vector(text string) []float32 {
	out := direction("noise "+text, m.dim)
	for i := range out {
		out[i] *= 0.4
	}
	for word, what := range m.same {
		if strings.Contains(text, word) {
			for i, x := range direction(what, m.dim) {
				out[i] += x
			}
		}
	}
	return out
}

// shelf is a VectorStore in memory.
type shelf struct {
	mu   sync.Mutex
	rows []EntryVector
	next int64
	fail error
}

func (s *shelf) Vectors(_ context.Context, model string, after int64, n int) (out []EntryVector, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rows {
		if r.Model == model && r.Changed > after && len(out) < n {
			out = append(out, r)
		}
	}
	return out, s.fail
}

func (s *shelf) PutVectors(_ context.Context, list []EntryVector) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range list {
		s.rows = slices.DeleteFunc(s.rows, func(r EntryVector) bool { return r.Model == v.Model && r.Text == v.Text })
		s.next++
		v.Changed = s.next
		s.rows = append(s.rows, v)
	}
	return s.fail
}

func (s *shelf) DropVectors(_ context.Context, model string, texts []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = slices.DeleteFunc(s.rows, func(r EntryVector) bool { return r.Model == model && slices.Contains(texts, r.Text) })
	return nil
}

func (s *shelf) DropOtherVectors(_ context.Context, model string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = slices.DeleteFunc(s.rows, func(r EntryVector) bool { return r.Model != model })
	return nil
}

// embedded is an engine whose questions all have their vectors.
func embedded(t testing.TB, m *meaning, entries ...Entry) (*Engine, *Vectors, *Embedding, *shelf, *changes) {
	t.Helper()
	src := &changes{}
	src.put(entries...)
	e := NewEngine(Options{Log: quietLog})
	if err := e.Load(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	v := NewVectors(e, VectorOptions{Model: "m", Embedder: m, Wait: time.Second, Log: quietLog})
	s := &shelf{}
	job := &Embedding{Vectors: v, Store: s, Now: time.Now}
	if err := job.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.fit(t.Context())
	return e, v, job, s, src
}

// words that mean the same and have no character in common.
var twoWords = map[string]string{"两融": "margin", "信用交易": "margin", "补签": "sign", "续约": "sign", "合同": "paper", "协议": "paper", "对账单": "statement", "汇总簿": "statement", "登记册": "statement",
	"逆回购": "repo", "国债": "bond", "到账": "arrive", "开户": "open", "验证码": "code"}

var fewEntries = []Entry{
	{Number: 1, Question: "两融合同在哪里补签", Answer: "业务办理里补签。"},
	{Number: 2, Question: "对账单怎么下载", Answer: "在查询里。"},
	{Number: 3, Question: "国债逆回购几点到账", Answer: "次日。"},
	{Number: 4, Question: "信用账户怎么开户", Answer: "营业部。"},
	{Number: 5, Question: "收不到验证码怎么办", Answer: "等五分钟。"},
	{Number: 6, Question: "账户密码忘了怎么办", Answer: "重置。"},
	{Number: 7, Question: "账户怎么修改地址", Answer: "在资料里。"},
}

func ask(t testing.TB, e *Engine, text string) Result {
	t.Helper()
	res, err := e.Search(t.Context(), Query{Text: text, Vectors: true})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// By rule, on a base without similar questions: words stay first, what is most
// like the question comes second, and what words refuse stays refused.
func TestVectorsByRule(t *testing.T) {
	m := &meaning{same: twoWords, dim: 64}
	e, v, _, _, _ := embedded(t, m, fewEntries...)
	if s := v.State(); s.Have != 7 || s.Want != 7 || s.Dim != 64 || s.Fitted != 0 {
		t.Errorf("%+v", s)
	}
	const question = "账户怎么修改汇总簿"
	words := search(t, e, question)
	if words.Band != Clarify || words.Hits[0].Entry.Number == 2 {
		t.Fatalf("the words alone: %v %+v", words.Band, words.Hits)
	}
	both := ask(t, e, question)
	if both.Band != Clarify || both.Hits[0].Entry.Number != words.Hits[0].Entry.Number || both.Hits[1].Entry.Number != 2 || both.Hits[1].Explanation.Signals.Vector < 0.5 {
		t.Errorf("with vectors: %v %+v", both.Band, both.Hits)
	}
	if both.Hits[0].Score != words.Hits[0].Score {
		t.Errorf("the probability is not the words': %v, %v", both.Hits[0].Score, words.Hits[0].Score)
	}
	before := m.calls
	for _, sure := range []string{"对账单怎么下载", "你好", ""} {
		if got, want := ask(t, e, sure), search(t, e, sure); got.Band != want.Band || got.Reason != want.Reason {
			t.Errorf("%q: %v, words %v", sure, got, want)
		}
	}
	if m.calls != before {
		t.Errorf("%d calls for what words know", m.calls-before)
	}
	if got := ask(t, e, "登记册"); got.Band != Refuse {
		t.Errorf("lifted by a rule that nothing has shown to hold: %v %+v", got.Reason, got.Hits)
	}
	if search(t, e, question); m.calls != before+1 {
		t.Errorf("a search for no one asked the endpoint: %d", m.calls-before)
	}
}

// halvedTopics is a base with enough similar questions to fit on: half of those
// of a topic share no words with the other half.
func halvedTopics() (list []Entry, same map[string]string) {
	same = map[string]string{}
	letters := []rune("天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰菜重芥姜海咸河淡鳞潜羽翔龙师火帝鸟官人皇始制文字乃服衣裳推位让国有虞陶唐吊民伐罪周发殷汤坐朝问道垂拱平章")
	r := rand.New(rand.NewPCG(7, 7))
	name := func() string {
		out := make([]rune, 4)
		for i := range out {
			out[i] = letters[r.IntN(len(letters))]
		}
		return string(out)
	}
	for n := range 60 {
		a, b, topic := name(), name(), fmt.Sprint("topic", n)
		same[a], same[b] = topic, topic
		list = append(list, Entry{Number: int64(n + 1), Question: "办理" + a + "业务", Similar: []string{a + "在哪里办理", "想办" + a, "客户问" + a, b + "找谁"}, Answer: "见说明。"})
	}
	return list, same
}

// Fitted on the base: what shares no word is offered, strangers still are not,
// and nothing is answered for sure because of vectors.
func TestVectorsFitted(t *testing.T) {
	list, same := halvedTopics()
	m := &meaning{same: same, dim: 128}
	e, v, _, _, _ := embedded(t, m, list...)
	f := v.fuse.Load()
	if f == nil || f.own == 0 || f.floor >= 1 || v.State().Fitted != f.own {
		t.Fatalf("%+v", f)
	}
	// A third wording, whose meaning only the embedding knows.
	for n := range 20 {
		m.same["第三种"+string(rune('甲'+n))] = fmt.Sprint("topic", n)
	}
	lifted, wrong := 0, 0
	for n := range 20 {
		got := ask(t, e, "第三种"+string(rune('甲'+n)))
		if got.Band == Answer {
			t.Errorf("%d is answered for sure: %+v", n, got.Hits[0])
		}
		if got.Band == Clarify && got.Reason == "likeness" {
			if lifted++; got.Hits[0].Entry.Number != int64(n+1) {
				wrong++
			}
		}
	}
	if lifted < 15 || wrong > 1 {
		t.Errorf("%d of 20 are offered, %d of them wrong", lifted, wrong)
	}
	strange := 0
	for n := range 20 {
		if ask(t, e, "毫不相干"+string(rune('子'+n))).Reason == "likeness" {
			strange++
		}
	}
	if strange > 2 {
		t.Errorf("%d of 20 strangers are offered something", strange)
	}
}

// Likeness that says nothing changes nothing.
func TestUselessVectors(t *testing.T) {
	list, _ := halvedTopics()
	e, v, _, _, _ := embedded(t, &meaning{dim: 64}, list...)
	f := v.fuse.Load()
	if f == nil || f.own == 0 || f.floor != never {
		t.Fatalf("%+v", f)
	}
	changed := 0
	for _, x := range list[:30] {
		for _, q := range []string{"请问" + x.Similar[2] + "呀谁", "毫不相干" + x.Question[6:12]} {
			words, both := search(t, e, q), ask(t, e, q)
			if words.Band != both.Band {
				t.Errorf("%s: %v became %v", q, words.Band, both.Band)
			}
			if len(words.Hits) > 0 && words.Hits[0].Entry.Number != both.Hits[0].Entry.Number {
				changed++
			}
		}
	}
	if changed > 1 {
		t.Errorf("%d orders changed", changed)
	}
}

// Whatever the endpoint does, words answer, and soon.
func TestVectorsFail(t *testing.T) {
	m := &meaning{same: twoWords, dim: 64}
	e, v, _, _, _ := embedded(t, m, fewEntries...)
	v.opt.Wait = 50 * time.Millisecond
	const question = "账户怎么修改汇总簿"
	words := search(t, e, question)
	for name, does := range map[string]func(context.Context, []string) ([][]float32, error){
		"error":   func(context.Context, []string) ([][]float32, error) { return nil, errors.New("down") },
		"hang":    func(ctx context.Context, _ []string) ([][]float32, error) { <-ctx.Done(); return nil, ctx.Err() },
		"none":    func(context.Context, []string) ([][]float32, error) { return nil, nil },
		"many":    func(context.Context, []string) ([][]float32, error) { return make([][]float32, 2), nil },
		"short":   func(context.Context, []string) ([][]float32, error) { return [][]float32{{1, 2, 3}}, nil },
		"zero":    func(context.Context, []string) ([][]float32, error) { return [][]float32{make([]float32, 64)}, nil },
		"nothing": func(context.Context, []string) ([][]float32, error) { return [][]float32{nil}, nil },
	} {
		m.does = does
		if got := ask(t, e, question); got.Band != words.Band || got.Hits[0].Entry.Number != words.Hits[0].Entry.Number || got.Hits[1].Entry.Number != words.Hits[1].Entry.Number {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is published is embedded, what is retired is forgotten, what is out of
// date or denied is not offered, and another length makes everything anew.
func TestVectorsFollowTheBase(t *testing.T) {
	m := &meaning{same: twoWords, dim: 64}
	e, v, job, s, src := embedded(t, m, fewEntries...)
	const question = "账户怎么修改汇总簿"
	second := func() int64 { t.Helper(); return ask(t, e, question).Hits[1].Entry.Number }
	follow := func() {
		t.Helper()
		if _, err := e.catchUp(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if err := job.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	before := m.calls
	follow()
	if m.calls != before {
		t.Error("what has a vector is embedded again")
	}
	x := fewEntries[1]
	x.Negative = []string{question}
	src.put(x)
	follow()
	if second() == 2 {
		t.Error("a denied entry is offered")
	}
	x.Negative, x.ValidUntil = nil, "2020-01-01"
	src.put(x)
	follow()
	res, err := e.Search(t.Context(), Query{Text: question, Vectors: true, Now: time.Now()})
	if err != nil || slices.ContainsFunc(res.Hits, func(h Hit) bool { return h.Entry.Number == 2 }) {
		t.Error("an entry out of date is offered")
	}
	x.State = Retired
	src.put(x, Entry{Number: 8, Question: "查询登记册", Answer: "在查询里。"})
	follow()
	if second() != 8 || len(s.rows) != 7 || v.State().Have != 7 {
		t.Errorf("second is K%d, %d rows, %+v", second(), len(s.rows), v.State())
	}
	m.dim = 32 // the model behind the name is another
	src.put(Entry{Number: 9, Question: "怎样补登印鉴", Answer: "柜台。"})
	follow()
	if st := v.State(); st.Dim != 32 || st.Have != 8 || second() != 8 {
		t.Errorf("%+v", st)
	}
	other := NewVectors(e, VectorOptions{Model: "n", Embedder: m, Wait: time.Second, Log: quietLog})
	if err := (&Embedding{Vectors: other, Store: s, Now: time.Now}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.rows) != 8 || s.rows[0].Model != "n" || second() != 8 {
		t.Errorf("%d rows of %s", len(s.rows), s.rows[0].Model)
	}
}

// An endpoint that fails is asked less and less, and nothing is lost.
func TestEmbeddingPauses(t *testing.T) {
	m := &meaning{same: twoWords, dim: 64}
	_, v, _, s, _ := embedded(t, m, fewEntries...)
	s.rows, v.rows, v.seen, v.after = nil, map[string]row{}, nil, 0
	now := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	job := &Embedding{Vectors: v, Store: s, Now: func() time.Time { return now }}
	m.does = func(context.Context, []string) ([][]float32, error) { return nil, ErrBudget }
	before, tries := m.calls, 0
	for range 360 { // an hour, every ten seconds
		if job.Run(t.Context()) != nil {
			tries++
		}
		now = now.Add(10 * time.Second)
	}
	if tries != m.calls-before || tries < 5 || tries > 12 {
		t.Errorf("%d tries in an hour", tries)
	}
	m.does = nil
	now = now.Add(longPause)
	if err := job.Run(t.Context()); err != nil || len(s.rows) != 7 {
		t.Errorf("%v, %d rows", err, len(s.rows))
	}
}

// Personal data is hidden before a question is sent.
func TestVectorsHide(t *testing.T) {
	m := &meaning{same: twoWords, dim: 64}
	e, v, _, _, _ := embedded(t, m, fewEntries...)
	v.opt.Hide = func(text string) string { return strings.ReplaceAll(text, "13800135521", "***") }
	ask(t, e, "账户怎么修改汇总簿 13800135521")
	if last := m.asked[len(m.asked)-1]; strings.Contains(last, "138") || !strings.Contains(last, "***") {
		t.Errorf("%s", last)
	}
}

// Questions are asked while base and vectors change under them.
func TestVectorsRace(t *testing.T) {
	m := &meaning{same: twoWords, dim: 64}
	e, v, job, s, src := embedded(t, m, fewEntries...)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { v.Follow(ctx, s, time.Millisecond) })
	all.Go(func() { e.Follow(ctx, src, time.Millisecond) })
	for n := range 40 {
		src.put(Entry{Number: int64(10 + n%5), Question: fmt.Sprintf("第%d种登记册", n), Answer: "见说明。", State: []string{Published, Retired}[n%2]})
		if err := job.Run(ctx); err != nil {
			t.Error(err)
		}
		ask(t, e, "账户怎么修改汇总簿")
	}
	cancel()
	all.Wait()
}
