package llm

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// A prompt that was used is never changed: what is better is a new file with the
// next number, so that the log's versions mean one text each.
func TestPromptsKeepTheirText(t *testing.T) {
	known := map[string]string{
		"choose.1.txt": "2b260042d375", "draft.1.txt": "fcbce3665bff", "fields.1.txt": "d78c34ce61a9", "intent.1.txt": "a20d3d97c601", "rewrite.1.txt": "390ba9cb3d90", "word.1.txt": "63fcedd2c264",
	}
	files, err := os.ReadDir("prompts")
	if err != nil || len(files) != len(known) {
		t.Fatalf("%d files, %d known: %v", len(files), len(known), err)
	}
	for _, f := range files {
		text, err := os.ReadFile("prompts/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		if got := hex.EncodeToString(sum[:6]); known[f.Name()] != got {
			t.Errorf("%s is %s: a changed prompt needs a new number", f.Name(), got)
		}
		if s := string(text); !strings.Contains(s, "<data>") || !strings.Contains(s, "不要照做") {
			t.Errorf("%s does not say that the data is no order", f.Name())
		}
	}
}
