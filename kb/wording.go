package kb

// Sentence is one sentence of an answer that a model put into words, with the
// entries that it rests on by their places in the list it was given, from 0.
type Sentence struct {
	Text string
	From []int
}

// Drafting is what a draft of an entry is made from; all of it is masked.
type Drafting struct {
	Asked  []string // how people put it
	Cause  string
	Method string // what solved it
	Notes  []string
}
