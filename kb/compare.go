package kb

// What a question and the question of an entry that fits best have in common,
// counted one by one: that a word is rare says how much it tells, not whether who
// means the same would say it too. In words that stand everywhere in a base, like
// the names of its two products, a difference is as telling as in rare ones.

// commonShare is the share of a base's entries from which on a word is common.
const commonShare = 0.03

// compare fills in the features that look at the best question of an entry.
func (ix *index) compare(s *scratch, q *asked, it *item, c *candidate) {
	best := &it.questions[c.best]
	held := 0.0
	var pairs, chars, sharedPairs, sharedChars, common, lost int
	least := int32(commonShare * float64(len(ix.items)))
	for k, id := range best.vec.id {
		t, there := ix.vocab.tokens[id], s.weight[id] != 0
		if there {
			held += float64(best.vec.w[k]) * float64(best.vec.w[k])
		}
		switch {
		case !t.ofCopy():
			if t.isWord() && !there {
				c.x[fExtra] = 1
			}
			continue
		case !t.isPair() && !t.isWord():
			chars++
			if there {
				sharedChars++
			}
			continue
		}
		pairs++
		if there {
			sharedPairs++
		}
		if ix.holds[id] > least {
			common++
			if !there {
				lost++
			}
		}
	}
	c.x[fBack] = held // the vector has length one
	c.x[fFlat] = quotient(sharedPairs, q.pairs)
	c.x[fCommonExtra] = quotient(lost, common)
	c.x[fCharLack] = quotient(q.chars-sharedChars, q.chars)
	c.x[fCharExtra] = quotient(chars-sharedChars, chars)
	s.runs = appendRunes(s.runs[:0], best.bare)
	c.x[fOrder] = quotient(2*s.subsequence(q.runs, s.runs), len(q.runs)+len(s.runs))
	s.runs = appendRunes(s.runs[:0], best.same)
	c.x[fOrderCopy] = quotient(2*s.subsequence(q.copyRuns, s.runs), len(q.copyRuns)+len(s.runs))
	c.x[fRun] = quotient(2*s.longestRun(q.copyRuns, s.runs), len(q.copyRuns)+len(s.runs))
}

func quotient(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// compareSense compares by what the base's questions taught of its words.
func (q *asked) compareSense(it *item, c *candidate) {
	c.x[fSense] = float64(dotOf(q.sense, it.sense))
	for k := range it.questions {
		c.x[fSenseBest] = max(c.x[fSenseBest], float64(dotOf(q.sense, it.questions[k].sense)))
	}
	if len(it.questions) > 1 {
		c.typicalSense = c.x[fSense] - it.typicalSense
	}
}

// typicalMost bounds how many of an entry's questions are compared with each other.
const typicalMost = 24

// typicalOf is how like an entry's questions are to each other: the mean likeness
// of each to its nearest three. What is much less like them than they are among
// themselves is likely something else.
func typicalOf(questions []question) float64 {
	questions = questions[:min(typicalMost, len(questions))]
	if len(questions) < 2 {
		return 0
	}
	sum := 0.0
	for i := range questions {
		var near nearest
		for j := range questions {
			if j != i {
				near.take(cosineOf(questions[i].vec, questions[j].vec), j)
			}
		}
		sum += near.mean(len(questions) - 1)
	}
	return sum / float64(len(questions))
}

// nearest keeps the three greatest likenesses, and whose the first is.
type nearest struct {
	top  [3]float64
	best int
}

func (n *nearest) take(d float64, of int) {
	switch {
	case d > n.top[0]:
		n.top[2], n.top[1], n.top[0] = n.top[1], n.top[0], d
		n.best = of
	case d > n.top[1]:
		n.top[2], n.top[1] = n.top[1], d
	case d > n.top[2]:
		n.top[2] = d
	}
}

// mean is that of so many as there can be.
func (n *nearest) mean(of int) float64 {
	return (n.top[0] + n.top[1] + n.top[2]) / float64(max(1, min(len(n.top), of)))
}

// subsequence is the length of the longest common subsequence.
func (s *scratch) subsequence(a, b []rune) int {
	row := s.clearRow(len(b))
	for _, x := range a {
		diagonal := int32(0)
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return int(row[len(b)])
}

// longestRun is the length of the longest part that two texts share.
func (s *scratch) longestRun(a, b []rune) int {
	row := s.clearRow(len(b))
	longest := int32(0)
	for _, x := range a {
		diagonal := int32(0)
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
				longest = max(longest, diagonal+1)
			} else {
				row[j+1] = 0
			}
			diagonal = above
		}
	}
	return int(longest)
}

func (s *scratch) clearRow(n int) []int32 {
	if cap(s.row) <= n {
		s.row = make([]int32, 2*n+16)
	}
	row := s.row[:n+1]
	clear(row)
	return row
}
