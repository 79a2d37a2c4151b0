package kb

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Summary is what Eval did.
type Summary struct {
	Entries, Queries, Answered, Clarified int
	Fitted                                int         // own questions that the confidence was fitted on; 0: set by hand
	Threshold                             float64     // confidence from which it answered
	Labelled                              Reliability // of the queries whose right answers the file names
}

// maxLine bounds one line of a file.
const maxLine = 1 << 20

// evalHits is how many hits are written for each query.
const evalHits = 10

type evalEntry struct {
	ID string `json:"id"`
	Entry
}

type evalQuery struct {
	ID      string    `json:"id"`
	Text    string    `json:"text"`
	Answers *[]string `json:"answers"` // ids; empty: the base has none; nil: not known
}

type evalHit struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

type evalResult struct {
	ID       string    `json:"id"`
	Hits     []evalHit `json:"hits"`
	Answered bool      `json:"answered"`
}

// Eval answers every query from one knowledge file alone, in memory, and
// writes one result a line. Entries are JSON lines with id, question, answer
// and similar; queries have id and text, and answers where the right ids are known. On the track cold the similar
// questions are left aside, on warm (also when empty) they are used. The
// track's queries are never learned from.
func Eval(kb, queries io.Reader, out io.Writer, track string) (Summary, error) {
	if track != "" && track != "warm" && track != "cold" {
		return Summary{}, fmt.Errorf("track %q: cold or warm", track)
	}
	var entries []Entry
	var ids []string
	err := eachLine(kb, "kb", func(line []byte) error {
		var e evalEntry
		if err := json.Unmarshal(line, &e); err != nil {
			return err
		}
		if track == "cold" {
			e.Similar = nil
		}
		ids = append(ids, e.ID)
		e.Number = int64(len(ids))
		entries = append(entries, e.Entry)
		return nil
	})
	if err != nil {
		return Summary{}, err
	}
	e := NewEngine(Options{})
	ix, err := e.build(context.Background(), entries, e.spell, nil, true)
	if err != nil {
		return Summary{}, err
	}
	e.live.Store(ix)
	return e.answerAll(queries, out, ids)
}

func (e *Engine) answerAll(queries io.Reader, out io.Writer, ids []string) (Summary, error) {
	ix := e.live.Load()
	sum := Summary{Entries: len(ix.items), Fitted: ix.fit.own, Threshold: ix.fit.threshold}
	var labelled outcomes
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	err := eachLine(queries, "queries", func(line []byte) error {
		var q evalQuery
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		res, err := e.Search(context.Background(), Query{Text: q.Text, N: evalHits})
		if err != nil {
			return err
		}
		r := evalResult{ID: q.ID, Hits: []evalHit{}, Answered: res.Band == Answer}
		for _, h := range res.Hits {
			r.Hits = append(r.Hits, evalHit{ids[h.Entry.Number-1], h.Score})
		}
		sum.Queries++
		if q.Answers != nil && len(res.Hits) > 0 {
			labelled = append(labelled, outcome{p: res.Hits[0].Score, weight: 1, right: slices.Contains(*q.Answers, r.Hits[0].ID)})
		}
		switch res.Band {
		case Answer:
			sum.Answered++
		case Clarify:
			sum.Clarified++
		}
		return enc.Encode(r)
	})
	if err != nil {
		return sum, err
	}
	sum.Labelled = labelled.reliability()
	return sum, w.Flush()
}

// eachLine calls fn with every line that is not blank.
func eachLine(r io.Reader, name string, fn func(line []byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		line := bytes.TrimSpace(bytes.TrimPrefix(s.Bytes(), utf8BOM))
		if len(line) == 0 {
			continue
		}
		if err := fn(line); err != nil {
			return fmt.Errorf("%s line %d: %w", name, n, err)
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}
