package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontline/bot/standin"
)

// runChat talks to the demo as one of its sample people: through the real
// callback, encrypted, signed and posted by the stand-in.
func runChat(ctx context.Context, env Env, args []string) error {
	var as, dir, group string
	var jsonOut bool
	rest, err := flags(env, "chat", args, func(fs *flag.FlagSet) {
		fs.StringVar(&as, "as", "linxiaowen", "who you are: a userid of the sample company")
		fs.StringVar(&dir, "dir", "", "folder of the demo's data")
		fs.StringVar(&group, "group", "", "talk in this group to the smart bot (trading-support, branch-front) instead of to the app")
		fs.BoolVar(&jsonOut, "json", false, "print every message as a line of JSON")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usagef("chat takes no arguments; what you say is read line by line")
	}
	if dir, err = demoDir(dir); err != nil {
		return err
	}
	where, err := readDemo(dir)
	if err != nil || !where.answers() {
		// Nobody runs the demo: the same engine runs inside this process.
		stop, at, err := demoInside(ctx, env, dir)
		if err != nil {
			return err
		}
		defer stop()
		where = at
	}
	c := &talk{client: standin.Dial(where.Platform, where.Token), out: env.Stdout, user: as, json: jsonOut}
	if err := c.enter(ctx, group); err != nil {
		return err
	}
	return c.loop(ctx, env.Stdin)
}

// demoInside starts the demo in this process on a free port.
func demoInside(ctx context.Context, env Env, dir string) (stop func(), at whereabouts, err error) {
	d, err := startDemo(ctx, env, demoOptions{dir: dir, listen: "127.0.0.1:0"})
	if err != nil {
		return nil, at, err
	}
	run, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.run(run) }()
	return func() {
		cancel()
		<-ended
		d.close()
	}, d.where, nil
}

// talk is one conversation in the terminal.
type talk struct {
	client *standin.Client
	out    io.Writer
	user   string
	name   string
	group  string // chat id, "" for the app
	place  standin.Place
	after  int64
	last   *standin.Entry   // the newest message with something to press
	shown  map[int64]string // what was printed of each message
	json   bool
}

func (c *talk) enter(ctx context.Context, group string) error {
	state, err := c.client.State(ctx, c.user)
	if err != nil {
		return fmt.Errorf("the demo does not answer: %w", err)
	}
	i := slices.IndexFunc(state.People, func(p standin.Person) bool { return p.UserID == c.user })
	if i < 0 {
		var ids []string
		for _, p := range state.People {
			ids = append(ids, p.UserID)
		}
		return usagef("nobody is called %q; choose one of %s", c.user, strings.Join(ids, ", "))
	}
	c.name = state.People[i].Name
	c.place = standin.AppPlace(demoAgent)
	if group != "" {
		for _, g := range demoGroups {
			if g.name == group && slices.Contains(g.members, c.user) {
				c.group, c.place = g.chat, standin.GroupPlace(g.chat)
			}
		}
		if c.group == "" {
			return usagef("%s is in no group called %q", c.user, group)
		}
	}
	c.after = state.Seq
	if !c.json {
		fmt.Fprintf(c.out, "你是 %s（%s）。直接打字就行；空行退出，/as 换人。\n", c.name, c.user)
	}
	return nil
}

func (c *talk) loop(ctx context.Context, in io.Reader) error {
	lines := make(chan string)
	go func() {
		defer close(lines)
		s := bufio.NewScanner(in)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			lines <- s.Text()
		}
	}()
	for {
		c.prompt()
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			line = strings.TrimSpace(line)
			if !ok || line == "" {
				c.newline()
				return nil
			}
			if err := c.say(ctx, line); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		}
	}
}

func (c *talk) prompt() {
	if !c.json {
		fmt.Fprintf(c.out, "%s› ", c.name)
	}
}

func (c *talk) newline() {
	if !c.json {
		fmt.Fprintln(c.out)
	}
}

func (c *talk) say(ctx context.Context, line string) error {
	if id, ok := strings.CutPrefix(line, "/as "); ok {
		c.user = strings.TrimSpace(id)
		return c.enter(ctx, "")
	}
	if acted, err := c.press(ctx, line); acted || err != nil {
		return errors.Join(err, c.listen(ctx))
	}
	req := standin.SayRequest{User: c.user, To: c.place, Text: line, Wait: true}
	if c.group != "" {
		req.Mention = []string{demoBot}
	}
	receipt, err := c.client.Say(ctx, req)
	if err != nil {
		return err
	}
	for _, note := range receipt.Notes {
		fmt.Fprintln(c.out, "·", note)
	}
	return c.listen(ctx)
}

// press takes a number as a button or an option of the newest card. Where that
// has none of that number, the number is said, which does the same.
func (c *talk) press(ctx context.Context, line string) (bool, error) {
	n, err := strconv.Atoi(line)
	if err != nil || c.last == nil || c.last.Card == nil || !c.last.Card.Active {
		return false, nil
	}
	card := c.last.Card
	a := standin.Action{User: c.user, To: c.place, TaskID: card.TaskID, Entry: c.last.ID, Wait: true}
	if n >= 1 && n <= len(card.Buttons) {
		a.Do, a.Key = "click", card.Buttons[n-1].Key
		_, err := c.client.Act(ctx, a)
		return true, err
	}
	if len(card.Selects) == 1 {
		options := card.Selects[0].Options
		if n == 0 {
			n = len(options) // 都不是 is the last one
		}
		if n >= 1 && n <= len(options) {
			a.Do, a.Selected = "submit", map[string][]string{card.Selects[0].QuestionKey: {options[n-1].ID}}
			_, err := c.client.Act(ctx, a)
			return true, err
		}
	}
	return false, nil
}

const (
	answerTime = 15 * time.Second       // how long an answer may take
	quietTime  = 400 * time.Millisecond // after this much silence the answer is over
)

// listen prints what the desk says until it is quiet.
func (c *talk) listen(ctx context.Context) error {
	deadline := time.Now().Add(answerTime)
	heard := false
	for time.Now().Before(deadline) {
		wait := time.Until(deadline)
		if heard {
			wait = quietTime
		}
		page, err := c.client.Feed(ctx, standin.FeedQuery{User: c.user, Group: c.group, After: c.after, Wait: wait})
		if err != nil {
			return err
		}
		c.after = page.Next
		news := 0
		for _, e := range page.Entries {
			if e.From.Kind == "user" || (e.Stream != nil && !e.Stream.Finished) || !c.changed(e) {
				continue
			}
			news++
			c.print(e)
		}
		if news > 0 {
			heard = true
		} else if heard && len(page.Entries) == 0 {
			return nil
		}
	}
	if !heard {
		fmt.Fprintln(c.out, "（没有等到回复）")
	}
	return nil
}

// changed tells whether a message says something new: a card that was pressed
// comes again in the feed, looking the same.
func (c *talk) changed(e standin.Entry) bool {
	text := strings.Join(entryLines(e), "\n")
	if c.shown == nil {
		c.shown = map[int64]string{}
	}
	if c.shown[e.ID] == text {
		return false
	}
	c.shown[e.ID] = text
	return true
}

func (c *talk) print(e standin.Entry) {
	if e.Card != nil {
		c.last = &e
	}
	if c.json {
		b, err := json.Marshal(e)
		if err == nil {
			fmt.Fprintln(c.out, string(b))
		}
		return
	}
	lines := entryLines(e)
	for i, l := range lines {
		who := "      "
		if i == 0 {
			who = pad(e.From.Name, 6)
		}
		fmt.Fprintf(c.out, "%s │ %s\n", who, l)
	}
}

// entryLines is a message as lines of text.
func entryLines(e standin.Entry) []string {
	var lines []string
	if e.Text != "" {
		lines = append(lines, strings.Split(plainMarkdown(e.Text), "\n")...)
	}
	if e.Media != nil {
		lines = append(lines, "["+e.Media.Kind+"] "+e.Media.Name)
	}
	if e.Card != nil {
		lines = append(lines, cardLines(e.Card)...)
	}
	if len(lines) == 0 {
		lines = []string{"[" + e.MsgType + "]"}
	}
	return lines
}

func cardLines(c *standin.CardView) []string {
	var lines []string
	add := func(s string) {
		if s != "" {
			lines = append(lines, strings.Split(s, "\n")...)
		}
	}
	add(c.Title)
	add(c.Desc)
	add(c.SubTitle)
	for _, r := range c.Rows {
		add(r.Key + "：" + r.Value)
	}
	for _, s := range c.Selects {
		add(s.Title)
		for i, o := range s.Options {
			add(fmt.Sprintf("[%d] %s", i+1, o.Text))
		}
	}
	var buttons []string
	for i, b := range c.Buttons {
		if b.Active {
			buttons = append(buttons, fmt.Sprintf("[%d] %s", i+1, b.Text))
		}
	}
	add(strings.Join(buttons, "  "))
	add(c.Replaced)
	return lines
}

// plainMarkdown drops the marks that a terminal does not show.
func plainMarkdown(s string) string {
	return quoteMarks.ReplaceAllString(boldMarks.ReplaceAllString(s, "$1"), "  ")
}

var quoteMarks = regexp.MustCompile(`(?m)^> ?`)

var boldMarks = regexp.MustCompile(`\*\*([^*\n]+)\*\*`)

// pad fills text to a width of n columns.
func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-columns(text)))
}

// columns is how wide text is in a terminal: Chinese characters take two.
func columns(text string) (n int) {
	for _, r := range text {
		if n++; r > 0x2E80 {
			n++
		}
	}
	return n
}
