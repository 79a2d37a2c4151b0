package main

import (
	"bytes"
	"cmp"
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"golang.org/x/text/unicode/norm"
	_ "modernc.org/sqlite"

	"frontline/kb"
)

// hitsWanted is how many hits a system gives for a question.
const hitsWanted = 10

type system struct {
	name   string
	answer func(s set, track string) ([]result, error)
}

var systems = []system{
	{"frontline", askFrontline},
	{"bleve cjk, tf-idf", func(s set, track string) ([]result, error) { return askBleve(s, track, "tf-idf") }},
	{"bleve cjk, BM25", func(s set, track string) ([]result, error) { return askBleve(s, track, "bm25") }},
	{"FTS5, pairs", askFTS5},
	{"BM25 of pairs", askBM25},
}

// askFrontline is kb eval, as the command does it.
func askFrontline(s set, track string) ([]result, error) {
	base, err := os.Open(filepath.Join(s.dir, "kb.jsonl"))
	if err != nil {
		return nil, err
	}
	defer base.Close()
	queries, err := os.Open(filepath.Join(s.dir, "queries.jsonl"))
	if err != nil {
		return nil, err
	}
	defer queries.Close()
	var out bytes.Buffer
	if _, err := kb.Eval(base, queries, &out, track); err != nil {
		return nil, err
	}
	var results []result
	return results, decodeLines(&out, "results", &results)
}

// plain brings spellings together for those that do not do it themselves.
func plain(text string) string { return strings.ToLower(norm.NFKC.String(text)) }

// pairs cuts a text into pairs of neighbouring Han characters and whole runs of
// letters and digits; a character that stands alone is a pair by itself.
func pairs(text string) (out []string) {
	run, han := []rune(nil), []rune(nil)
	flush := func() {
		if len(run) > 0 {
			out = append(out, string(run))
		}
		if len(han) == 1 {
			out = append(out, string(han))
		}
		for i := 1; i < len(han); i++ {
			out = append(out, string(han[i-1:i+1]))
		}
		run, han = nil, nil
	}
	for _, r := range plain(text) {
		switch {
		case unicode.Is(unicode.Han, r):
			if len(run) > 0 {
				flush()
			}
			han = append(han, r)
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if len(han) > 0 {
				flush()
			}
			run = append(run, r)
		default:
			flush()
		}
	}
	flush()
	return out
}

// openBleve indexes each entry as one document with bleve's own analyser for
// Chinese, Japanese and Korean.
func openBleve(s set, track, scoring string) (*bleveIndex, error) {
	m := bleve.NewIndexMapping()
	m.DefaultAnalyzer, m.ScoringModel = cjk.AnalyzerName, scoring
	field := bleve.NewTextFieldMapping()
	field.Store, field.IncludeTermVectors = false, false
	m.DefaultMapping.AddFieldMappingsAt("q", field)
	dir, err := os.MkdirTemp("", "peers")
	if err != nil {
		return nil, err
	}
	made, err := bleve.New(filepath.Join(dir, "ix"), m)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	ix := &bleveIndex{made, dir}
	for part := range slices.Chunk(s.entries, 2000) {
		b := ix.NewBatch()
		for _, e := range part {
			if err := b.Index(e.ID, map[string]string{"q": e.text(track == "warm")}); err != nil {
				ix.close()
				return nil, err
			}
		}
		if err := ix.Batch(b); err != nil {
			ix.close()
			return nil, err
		}
	}
	return ix, nil
}

// askBleve asks bleve.
func askBleve(s set, track, scoring string) ([]result, error) {
	ix, err := openBleve(s, track, scoring)
	if err != nil {
		return nil, err
	}
	defer ix.close()
	var out []result
	for _, q := range s.queries {
		hits, err := ix.ask(q.Text)
		if err != nil {
			return nil, err
		}
		out = append(out, result{ID: q.ID, Hits: hits})
	}
	return out, nil
}

// askFTS5 indexes pairs that are set apart by spaces, which SQLite's tokenizer
// for spaces then takes for words.
func askFTS5(s set, track string) ([]result, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	if _, err := db.Exec("CREATE VIRTUAL TABLE f USING fts5(q, tokenize='unicode61')"); err != nil {
		return nil, err
	}
	tx, err := db.Begin()
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	for i, e := range s.entries {
		if _, err := tx.Exec("INSERT INTO f(rowid, q) VALUES (?, ?)", i+1, strings.Join(pairs(e.text(track == "warm")), " ")); err != nil {
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	var out []result
	for _, q := range s.queries {
		r := result{ID: q.ID}
		if words := pairs(q.Text); len(words) > 0 {
			if r.Hits, err = ftsHits(db, s, `"`+strings.Join(words, `" OR "`)+`"`); err != nil {
				return nil, fmt.Errorf("%s: %w", q.ID, err)
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func ftsHits(db *sql.DB, s set, match string) (hits []hit, err error) {
	rows, err := db.Query("SELECT rowid, -bm25(f) FROM f WHERE f MATCH ? ORDER BY bm25(f) LIMIT ?", match, hitsWanted)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		var h hit
		if err := rows.Scan(&n, &h.Score); err != nil {
			return nil, err
		}
		h.ID = s.entries[n-1].ID
		hits = append(hits, h)
	}
	return hits, rows.Err()
}

// The usual constants of BM25 (Robertson, Zaragoza: The Probabilistic Relevance
// Framework, 3.2).
const bm25K, bm25B = 1.2, 0.75

// askBM25 is the textbook: each entry one document of pairs.
func askBM25(s set, track string) ([]result, error) {
	counts, lengths, total := make([]map[string]float64, len(s.entries)), make([]float64, len(s.entries)), 0.0
	holds := map[string][]int{}
	for i, e := range s.entries {
		counts[i] = map[string]float64{}
		for _, p := range pairs(e.text(track == "warm")) {
			if counts[i][p]++; counts[i][p] == 1 {
				holds[p] = append(holds[p], i)
			}
			lengths[i]++
		}
		total += lengths[i]
	}
	n, mean := float64(len(s.entries)), total/max(1, float64(len(s.entries)))
	var out []result
	for _, q := range s.queries {
		sums := map[int]float64{}
		for _, p := range pairs(q.Text) {
			df := float64(len(holds[p]))
			idf := math.Log(1 + (n-df+0.5)/(df+0.5))
			for _, i := range holds[p] {
				tf := counts[i][p]
				sums[i] += idf * tf * (bm25K + 1) / (tf + bm25K*(1-bm25B+bm25B*lengths[i]/mean))
			}
		}
		r := result{ID: q.ID}
		for i, sum := range sums {
			r.Hits = append(r.Hits, hit{s.entries[i].ID, sum})
		}
		slices.SortFunc(r.Hits, func(a, b hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
		r.Hits = r.Hits[:min(len(r.Hits), hitsWanted)]
		out = append(out, r)
	}
	return out, nil
}
