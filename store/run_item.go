package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
)

// Item is one piece of a run.
type Item struct {
	ID, RunID      int64
	Pos            int
	State          string
	Data, Outputs  []byte // sealed at rest
	Card           string // masked, JSON
	Fault, FaultAt string // masked
	StepTitle      string
	StepsDone      int
	Started, Ended time.Time
}

type itemRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement:false"`
	RunID     int64
	Pos       int
	State     string
	Data      []byte
	Outputs   []byte
	Card      string
	Fault     string
	FaultStep string
	StepTitle string
	StepsDone int
	StartedAt int64
	EndedAt   int64
}

func (itemRow) TableName() string { return "construct_item" }

// RunItems are the items of a run, in order.
func (s *Store) RunItems(ctx context.Context, runID int64) ([]Item, error) {
	var rows []itemRow
	if err := s.read.WithContext(ctx).Where("run_id = ?", runID).Order("pos").Limit(1000).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]Item, len(rows))
	for i, r := range rows {
		out[i] = Item{ID: r.ID, RunID: r.RunID, Pos: r.Pos, State: r.State, Card: r.Card, Fault: r.Fault, FaultAt: r.FaultStep, StepTitle: r.StepTitle, StepsDone: r.StepsDone, Started: fromMillis(r.StartedAt), Ended: fromMillis(r.EndedAt)}
		var err, err2 error
		out[i].Data, err = s.seal.open("construct_item.data", r.Data)
		out[i].Outputs, err2 = s.seal.open("construct_item.outputs", r.Outputs)
		if err := errors.Join(err, err2); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// SaveItem writes everything of an item.
func (tx *Tx) SaveItem(i Item) error {
	return tx.db.Exec("UPDATE construct_item SET state=?, data=?, outputs=?, card=?, fault=?, fault_step=?, step_title=?, steps_done=?, started_at=?, ended_at=? WHERE id=?",
		i.State, tx.s.seal.sealed("construct_item.data", i.Data), tx.s.seal.sealed("construct_item.outputs", i.Outputs), i.Card, clip(i.Fault, 1000), clip(i.FaultAt, 191), clip(i.StepTitle, 200), i.StepsDone, millis(i.Started), millis(i.Ended), i.ID).Error
}

// RunStep is one step of an item. Request and result are sealed at rest.
type RunStep struct {
	ID, ItemID                    int64
	Path, Title, Target, State    string
	Attempt                       int
	Request, Result, Undo, Answer []byte
	Fault                         string // masked
	Began, Ended                  time.Time
}

type runStepRow struct {
	ID       int64 `gorm:"primaryKey;autoIncrement:false"`
	ItemID   int64
	Path     string
	Title    string
	Target   string
	State    string
	Attempt  int
	Request  []byte
	Result   []byte
	TakeBack []byte
	Answer   []byte
	Fault    string
	BeganAt  int64
	EndedAt  int64
}

func (runStepRow) TableName() string { return "construct_step" }

// ItemSteps are the steps of an item in the order in which they began.
func (s *Store) ItemSteps(ctx context.Context, itemID int64) ([]RunStep, error) {
	return s.itemSteps(s.read.WithContext(ctx), itemID)
}

func (s *Store) itemSteps(db *gorm.DB, itemID int64) ([]RunStep, error) {
	var rows []runStepRow
	if err := db.Where("item_id = ?", itemID).Order("id").Limit(5000).Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make([]RunStep, len(rows))
	for i, r := range rows {
		out[i] = RunStep{ID: r.ID, ItemID: r.ItemID, Path: r.Path, Title: r.Title, Target: r.Target, State: r.State, Attempt: r.Attempt, Fault: r.Fault, Began: fromMillis(r.BeganAt), Ended: fromMillis(r.EndedAt)}
		for _, f := range []struct {
			to     *[]byte
			name   string
			sealed []byte
		}{{&out[i].Request, "request", r.Request}, {&out[i].Result, "result", r.Result}, {&out[i].Undo, "undo", r.TakeBack}, {&out[i].Answer, "answer", r.Answer}} {
			var err error
			if *f.to, err = s.seal.open("construct_step."+f.name, f.sealed); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// SaveStep writes a step, new when it has no id yet.
func (tx *Tx) SaveStep(st *RunStep) error {
	seal := tx.s.seal.sealed
	r := runStepRow{ID: st.ID, ItemID: st.ItemID, Path: st.Path, Title: clip(st.Title, 200), Target: clip(st.Target, 128), State: st.State, Attempt: st.Attempt, Request: seal("construct_step.request", st.Request),
		Result: seal("construct_step.result", st.Result), TakeBack: seal("construct_step.undo", st.Undo), Answer: seal("construct_step.answer", st.Answer), Fault: clip(st.Fault, 1000), BeganAt: millis(st.Began), EndedAt: millis(st.Ended)}
	if st.ID != 0 {
		return tx.db.Model(&runStepRow{}).Where("id = ?", st.ID).Select("*").Omit("id", "item_id", "path").Updates(&r).Error
	}
	r.ID = tx.s.ids.next(tx.now)
	if err := tx.db.Create(&r).Error; err != nil {
		return err
	}
	st.ID = r.ID
	return nil
}
