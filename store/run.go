package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"

	"frontline/bot/chat"
)

// States of a run of data construction.
const (
	RunWaiting   = "approval"  // a second person has to say yes
	RunQueued    = "queued"    // the next free runner takes it
	RunRunning   = "running"   //
	RunDone      = "done"      // everything that was wanted is there
	RunPartly    = "partly"    // some of it
	RunFailed    = "failed"    // nothing of it
	RunAttention = "attention" // a step was cut off and may not be repeated: people decide
	RunUndoing   = "undoing"   // taken back in reverse order
	RunUndone    = "undone"    //
	RunResidue   = "residue"   // something could not be taken back
	RunRejected  = "rejected"  // nobody said yes
)

// States of an item, one piece of a batch, and of a step.
const (
	ItemPending   = "pending"
	ItemRunning   = "running"
	ItemDone      = "done"
	ItemFailed    = "failed" // what it made is still there
	ItemUndone    = "undone"
	ItemAttention = "attention"
	ItemResidue   = "residue"

	StepStarted    = "started" // written down before the call leaves
	StepDone       = "done"
	StepFailed     = "failed"
	StepSkipped    = "skipped"
	StepUndone     = "undone"
	StepUndoFailed = "undo_failed"
)

// Run is one run of a recipe.
type Run struct {
	ID, Number                        int64
	Recipe                            string
	Version                           int
	SHA, Title, Env, State, Requester string
	Place                             chat.Address
	ReplyTo, Source                   string
	Seed                              uint64
	Wanted                            int
	Params                            []byte // sealed at rest
	Ticket                            int64
	Approver, ApproveHash             string
	ApproveUntil                      time.Time
	Epoch                             int64
	Good, Bad                         int
	Created, Started, Ended, Expires  time.Time
	Warned                            bool
	Why                               string
}

type runRow struct {
	ID            int64 `gorm:"primaryKey;autoIncrement:false"`
	Number        int64
	Recipe        string
	RecipeVersion int
	SHA           string `gorm:"column:sha"`
	Title         string
	Environment   string
	State         string
	Requester     string
	Place         string
	ReplyTo       string
	SourceKey     string
	Seed          string
	Wanted        int
	Params        []byte
	Ticket        int64
	Approver      string
	ApproveHash   string
	ApproveUntil  int64
	Owner         string
	Epoch         int64
	LeaseUntil    int64
	Good, Bad     int
	CreatedAt     int64 `gorm:"autoCreateTime:false"`
	StartedAt     int64
	EndedAt       int64
	ExpiresAt     int64
	Warned        bool
	Why           string
	Version       int64
}

func (runRow) TableName() string { return "construct_run" }

func (s *Store) run(r runRow) (Run, error) {
	out := Run{ID: r.ID, Number: r.Number, Recipe: r.Recipe, Version: r.RecipeVersion, SHA: r.SHA, Title: r.Title, Env: r.Environment, State: r.State, Requester: r.Requester, ReplyTo: r.ReplyTo, Source: r.SourceKey,
		Wanted: r.Wanted, Ticket: r.Ticket, Approver: r.Approver, ApproveHash: r.ApproveHash, ApproveUntil: fromMillis(r.ApproveUntil), Epoch: r.Epoch, Good: r.Good, Bad: r.Bad,
		Created: fromMillis(r.CreatedAt), Started: fromMillis(r.StartedAt), Ended: fromMillis(r.EndedAt), Expires: fromMillis(r.ExpiresAt), Warned: r.Warned, Why: r.Why}
	out.Seed, _ = strconv.ParseUint(r.Seed, 10, 64)
	if err := json.Unmarshal([]byte(r.Place), &out.Place); err != nil {
		return out, fmt.Errorf("place of R%d: %w", r.Number, err)
	}
	var err error
	out.Params, err = s.seal.open("construct_run.params", r.Params)
	return out, err
}

func (s *Store) runs(rows []runRow, err error) ([]Run, error) {
	if err != nil {
		return nil, err
	}
	out := make([]Run, len(rows))
	for i, r := range rows {
		if out[i], err = s.run(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CreateRun writes a run with its items. The same source makes one run:
// then fresh is false and r is the one that is there.
func (tx *Tx) CreateRun(r *Run) (fresh bool, err error) {
	var old runRow
	err = tx.db.First(&old, "source_key = ?", r.Source).Error
	if err == nil {
		*r, err = tx.s.run(old)
		return false, err
	}
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return false, err
	}
	if r.Number, err = tx.NextNumber(NumberRun); err != nil {
		return false, err
	}
	place, err := json.Marshal(r.Place)
	if err != nil {
		return false, err
	}
	r.ID, r.Created = tx.s.ids.next(tx.now), tx.now
	row := runRow{ID: r.ID, Number: r.Number, Recipe: r.Recipe, RecipeVersion: r.Version, SHA: r.SHA, Title: clip(r.Title, 200), Environment: r.Env, State: r.State, Requester: r.Requester, Place: string(place), ReplyTo: r.ReplyTo,
		SourceKey: r.Source, Seed: strconv.FormatUint(r.Seed, 10), Wanted: r.Wanted, Params: tx.s.seal.sealed("construct_run.params", r.Params), Ticket: r.Ticket, ApproveHash: r.ApproveHash, ApproveUntil: millis(r.ApproveUntil), CreatedAt: millis(tx.now)}
	if err := tx.db.Create(&row).Error; err != nil {
		if isDuplicate(err) {
			return false, ErrStale
		}
		return false, err
	}
	items := make([]itemRow, r.Wanted)
	for i := range items {
		items[i] = itemRow{ID: tx.s.ids.next(tx.now), RunID: r.ID, Pos: i + 1, State: ItemPending}
	}
	if err := tx.db.CreateInBatches(&items, 100).Error; err != nil {
		return false, err
	}
	return true, tx.Audit(r.Requester, "run.create", fmt.Sprintf("R%d", r.Number), map[string]any{"recipe": r.Recipe, "environment": r.Env, "count": r.Wanted})
}

// FindRun finds a run by its number.
func (s *Store) FindRun(ctx context.Context, number int64) (Run, error) {
	return s.findRun(s.read.WithContext(ctx), number)
}

// FindRun is the same inside the transaction.
func (tx *Tx) FindRun(number int64) (Run, error) { return tx.s.findRun(tx.db, number) }

func (s *Store) findRun(db *gorm.DB, number int64) (Run, error) {
	var r runRow
	err := db.First(&r, "number = ?", number).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return Run{}, fmt.Errorf("R%d: %w", number, ErrNotFound)
	}
	if err != nil {
		return Run{}, err
	}
	return s.run(r)
}

// MoveRun changes a run's state if it is still in one of from; ErrStale otherwise.
func (tx *Tx) MoveRun(actor string, r *Run, to string, from ...string) error {
	u := tx.db.Exec("UPDATE construct_run SET state=?, why=?, approver=?, version=version+1 WHERE id=? AND state IN ?", to, clip(r.Why, 1000), r.Approver, r.ID, from)
	if u.Error != nil {
		return u.Error
	}
	if u.RowsAffected != 1 {
		return fmt.Errorf("R%d: %w", r.Number, ErrStale)
	}
	r.State = to
	return tx.Audit(actor, "run."+to, fmt.Sprintf("R%d", r.Number), nil)
}

// ResetItems makes items that ended badly pending again; what was done stays done.
func (tx *Tx) ResetItems(runID int64) error {
	return tx.db.Exec("UPDATE construct_item SET state=?, fault='', fault_step='' WHERE run_id=? AND state IN ?", ItemPending, runID, []string{ItemFailed, ItemAttention}).Error
}

// ForgetStarted makes steps that were cut off as if they had not begun: a
// person has looked and says that nothing happened.
func (tx *Tx) ForgetStarted(runID int64) error {
	return tx.db.Exec("UPDATE construct_step SET state=? WHERE state=? AND item_id IN (SELECT id FROM construct_item WHERE run_id=?)", StepFailed, StepStarted, runID).Error
}

// RunQuery chooses runs; zero values choose everything.
type RunQuery struct {
	States            []string
	Requester, Recipe string
	Department        string    // of who ordered it
	NoDepartment      bool      // who ordered it has none
	From, To          time.Time // ordered in [From, To)
	Counted           bool      // those that the figures count: somebody said yes, where somebody had to
	Done              bool      // made everything that was wanted
	Ticket            int64
	Before            int64
	N                 int
}

// CountRuns counts what a query chooses, without its page; CountMost means that
// many or more.
func (s *Store) CountRuns(ctx context.Context, q RunQuery) (n int64, err error) {
	q.Before = 0
	err = s.read.WithContext(ctx).Table("(?) AS chosen", runsWhere(s.read.Table("construct_run").Select("1 AS one"), q).Limit(CountMost)).Count(&n).Error
	return n, err
}

func runsWhere(db *gorm.DB, q RunQuery) *gorm.DB {
	if len(q.States) > 0 {
		db = db.Where("state IN ?", q.States)
	}
	if q.Requester != "" {
		db = db.Where("requester = ?", q.Requester)
	}
	if q.Recipe != "" {
		db = db.Where("recipe = ?", q.Recipe)
	}
	if q.Department != "" {
		db = db.Where("requester IN (SELECT id FROM member WHERE department = ?)", q.Department)
	}
	if q.NoDepartment {
		db = db.Where("requester NOT IN (SELECT id FROM member WHERE department <> '')")
	}
	if !q.From.IsZero() {
		db = db.Where("id >= ?", idAt(q.From))
	}
	if !q.To.IsZero() {
		db = db.Where("id < ?", idAt(q.To))
	}
	if q.Counted {
		db = db.Where("state NOT IN ?", []string{RunWaiting, RunRejected})
	}
	if q.Done {
		db = db.Where(runDone)
	}
	if q.Ticket > 0 {
		db = db.Where("ticket = ?", q.Ticket)
	}
	if q.Before > 0 {
		db = db.Where("id < ?", q.Before)
	}
	return db
}

// ListRuns lists runs, newest first.
func (s *Store) ListRuns(ctx context.Context, q RunQuery) ([]Run, error) {
	var rows []runRow
	err := runsWhere(s.read.WithContext(ctx), q).Order("id DESC").Limit(min(max(q.N, 1), 1000)).Find(&rows).Error
	return s.runs(rows, err)
}

// RunUse is how much a recipe was used in a time.
type RunUse struct {
	Recipe, Requester string
	Runs, Good, Bad   int
}

// RunUses counts by recipe and person, most used first.
func (s *Store) RunUses(ctx context.Context, since time.Time) (out []RunUse, err error) {
	err = s.read.WithContext(ctx).Raw("SELECT recipe, requester, COUNT(*) AS runs, SUM(good) AS good, SUM(bad) AS bad FROM construct_run WHERE id >= ? GROUP BY recipe, requester ORDER BY runs DESC, recipe, requester LIMIT 1000", idAt(since)).Scan(&out).Error
	return out, err
}

// ClaimRuns takes up to n runs that wait, or whose runner died, for lease; only
// that one when number is not 0. started writes, in the same commit, what
// follows from the first claim of a run.
func (s *Store) ClaimRuns(ctx context.Context, owner string, number int64, n int, lease time.Duration, started func(tx *Tx, r Run) error) ([]Run, error) {
	if n <= 0 {
		return nil, nil
	}
	var rows []runRow
	db := s.read.WithContext(ctx)
	if number != 0 {
		db = db.Where("number = ?", number)
	}
	err := db.Where("state IN ? AND lease_until < ?", []string{RunQueued, RunRunning, RunUndoing}, s.now().UnixMilli()).Order("id").Limit(min(max(n, 1), 100)).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var won []runRow
	err = s.InTx(ctx, func(tx *Tx) error {
		won = won[:0]
		for _, r := range rows {
			began := r.StartedAt
			if began == 0 {
				began = millis(tx.now)
			}
			state := r.State
			if state == RunQueued {
				state = RunRunning
			}
			u := tx.db.Exec("UPDATE construct_run SET state=?, owner=?, epoch=epoch+1, lease_until=?, started_at=? WHERE id=? AND epoch=? AND state=? AND lease_until=?",
				state, owner, millis(tx.now.Add(lease)), began, r.ID, r.Epoch, r.State, r.LeaseUntil)
			if u.Error != nil {
				return u.Error
			}
			if u.RowsAffected != 1 {
				continue
			}
			first := r.StartedAt == 0
			r.Epoch++
			r.State, r.StartedAt = state, began
			won = append(won, r)
			if !first || started == nil {
				continue
			}
			run, err := s.run(r)
			if err != nil {
				return err
			}
			if err := started(tx, run); err != nil {
				return err
			}
		}
		return nil
	})
	return s.runs(won, err)
}

// HoldRun proves that the run is still this claim's, and renews its lease. It is
// the first thing of every write of a runner.
func (tx *Tx) HoldRun(r Run, lease time.Duration) error {
	u := tx.db.Exec("UPDATE construct_run SET lease_until=?, version=version+1 WHERE id=? AND epoch=?", millis(tx.now.Add(lease)), r.ID, r.Epoch)
	if u.Error == nil && u.RowsAffected != 1 {
		return ErrFenced
	}
	return u.Error
}

// EndRun records how a claim ended and lets go of the run.
func (tx *Tx) EndRun(r Run) error {
	u := tx.db.Exec("UPDATE construct_run SET state=?, good=?, bad=?, ended_at=?, expires_at=?, why=?, lease_until=0, version=version+1 WHERE id=? AND epoch=?",
		r.State, r.Good, r.Bad, millis(tx.now), millis(r.Expires), clip(r.Why, 1000), r.ID, r.Epoch)
	if u.Error == nil && u.RowsAffected != 1 {
		return ErrFenced
	}
	return u.Error
}

// LetRunGo gives a claim back, for the next runner to go on.
func (tx *Tx) LetRunGo(r Run) error {
	return tx.db.Exec("UPDATE construct_run SET lease_until=0, version=version+1 WHERE id=? AND epoch=?", r.ID, r.Epoch).Error
}

// ExpiredRuns are runs whose data has had its time, and those that end within soon.
func (s *Store) ExpiredRuns(ctx context.Context, soon time.Duration, n int) ([]Run, error) {
	var rows []runRow
	err := s.read.WithContext(ctx).Where("expires_at > 0 AND expires_at < ? AND state IN ?", s.now().Add(soon).UnixMilli(), []string{RunDone, RunPartly, RunFailed, RunAttention}).Order("expires_at").Limit(min(max(n, 1), 200)).Find(&rows).Error
	return s.runs(rows, err)
}

// LateApprovals are runs that nobody approved in time.
func (s *Store) LateApprovals(ctx context.Context, n int) ([]Run, error) {
	var rows []runRow
	err := s.read.WithContext(ctx).Where("state = ? AND approve_until < ?", RunWaiting, s.now().UnixMilli()).Order("id").Limit(min(max(n, 1), 200)).Find(&rows).Error
	return s.runs(rows, err)
}

// WarnedRun remembers that the owner was told of the end.
func (tx *Tx) WarnedRun(id int64) error {
	return tx.db.Exec("UPDATE construct_run SET warned=1, version=version+1 WHERE id=?", id).Error
}
