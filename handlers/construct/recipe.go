// Package construct makes test data by recipes: steps that call the systems of
// a test environment, each written down before it leaves and taken back in
// reverse order. It never touches production: guard.go has every layer.
package construct

import (
	"regexp"
	"slices"
	"time"

	"frontline/bot/chat"
)

// Recipe is one way to make data. It holds no address: targets are logical
// names that an environment resolves.
type Recipe struct {
	Name, Title, Owner, Description string
	Version                         int
	Tags                            []string // words of a ticket that hint at it
	Manual                          int      // minutes by hand, for what a run saves
	Aliases                         []Alias
	Environments                    []string
	RunRoles, ApproveRoles          []chat.Role
	Approval                        *Approval
	Params                          []*Param
	Vars                            []*Var
	Count                           Count
	Timeout                         time.Duration
	OnFailure                       string // undo, keep, ask
	TTL, Warn                       time.Duration
	Facts                           []Fact
	Steps                           []*Step
	Outputs                         []*Output
	SHA                             string // of the file, kept with every run
	file                            string
	root                            *node
}

// Alias are words that mean the recipe; Lock presets parameters and hides them.
type Alias struct {
	Say  []string
	Lock map[string]string
}

// Approval is a second person's yes.
type Approval struct {
	When    *expression
	Expires time.Duration
}

// Count of a batch.
type Count struct{ Default, Max, Parallel int }

// Param is one thing that a run may be told.
type Param struct {
	Name, Label, Type, Generator, Pattern, From, Help string
	Says                                              []string // other words for it
	With                                              *value
	Default                                           any
	Required, Secret                                  bool
	Min, Max                                          string
	MaxLength, MaxItems                               int
	Enum                                              []string
	When                                              *expression
	Item                                              map[string]string // of a list: field and type
	form                                              *regexp.Regexp
	withNode, whenNode                                *node
}

// Var is a value made once for each item.
type Var struct {
	Name  string
	Value *value
}

// Fact is what a ticket may tell a run: shape, never identity.
type Fact struct {
	Name, Of string
	Keep     []string
}

// Step is one step. Exactly one action is set.
type Step struct {
	ID, Title string
	When      *expression
	Timeout   time.Duration
	Retry     Retry
	// Idempotent: sent again after a crash. Lookup: an earlier step that finds what it made.
	Idempotent bool
	Key        *value
	Lookup     string
	Action     *Action
	Switch     *value
	Cases      map[string]*Action
	Foreach    *value
	As         string
	Max        int
	Expect     []Expect
	Save       []*Var
	Undo       *Action
	UndoExpect []Expect
	node       *node
}

// Retry of a step, by class of what went wrong.
type Retry struct {
	Max     int
	Backoff time.Duration
	On      []string
}

// Expect is what must hold afterwards.
type Expect struct {
	That *expression
	Say  *value
}

// Action is what a step does.
type Action struct {
	Kind   string // http soap call sql poll sleep assert recipe approve note generate
	Target string
	// Fields by name, as the kind has them.
	Fields map[string]*value
	Read   bool
	Inner  *Action // of poll
	Until  *expression
	FailIf *expression
	Every  time.Duration
	UpTo   time.Duration
	Assert []Expect
	Recipe string // of a sub-recipe
	Pass   map[string]*value
	line   int
	col    int
}

// Output is what a run hands over.
type Output struct {
	Name, Label string
	Value       *value
	Show        string // true, masked, false
}

// Param finds a parameter.
func (r *Recipe) Param(name string) *Param {
	for _, p := range r.Params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// May tells whether somebody may run it.
func (r *Recipe) May(u chat.User) bool {
	return !u.Disabled && (u.Roles.Has(chat.Admin) || u.Roles.Has(r.RunRoles...))
}

// MayApprove tells whether somebody may say yes for somebody else.
func (r *Recipe) MayApprove(u chat.User) bool {
	return !u.Disabled && (u.Roles.Has(chat.Admin) || u.Roles.Has(r.ApproveRoles...))
}

// In tells whether the recipe wants to run in an environment.
func (r *Recipe) In(env string) bool { return slices.Contains(r.Environments, env) }

// StepCount is how many steps people see, those of sub-recipes too.
func (r *Recipe) StepCount() int { return len(r.Steps) }
