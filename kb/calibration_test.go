package kb

import (
	"math"
	"reflect"
	"testing"
)

func TestReliability(t *testing.T) {
	o := outcomes{{p: 0.95, weight: 1, right: true}, {p: 0.91, weight: 1}, {p: 1, weight: 2, right: true}, {p: 0.05, weight: 4}}
	r := o.reliability()
	if r.N != 4 || len(r.Bins) != 2 || r.Bins[0].Right != 0 || r.Bins[1].N != 3 || r.Bins[1].Right != 0.75 || math.Abs(r.Bins[1].Stated-0.965) > 1e-9 {
		t.Fatalf("%+v", r)
	}
	if want := 0.5*0.05 + 0.5*(0.965-0.75); math.Abs(r.Error-want) > 1e-9 {
		t.Errorf("%v, want %v", r.Error, want)
	}
	if r := (outcomes{}).reliability(); r.N != 0 || r.Error != 0 {
		t.Errorf("%+v", r)
	}
}

// The picture of a base that can judge itself: a stricter promise answers less,
// and never more strangers; probabilities hold.
func TestCalibration(t *testing.T) {
	list, _ := halvedTopics()
	e := engineOf(t, list...)
	c, err := e.Calibration()
	if err != nil || c.Own < fewestLists || c.N != c.Own || c.Promised != defaultPromise || len(c.Promises) != len(promised) {
		t.Fatalf("%+v %v", c, err)
	}
	for i, p := range c.Promises[1:] {
		if before := c.Promises[i]; p.Threshold < before.Threshold || p.Covered > before.Covered || p.Strangers > before.Strangers {
			t.Errorf("%+v after %+v", p, before)
		}
	}
	if c.Error > 0.15 {
		t.Errorf("expected calibration error %v", c.Error)
	}
	for _, p := range c.Promises {
		if p.Promised == defaultPromise && p.Threshold != c.Threshold {
			t.Errorf("the base answers from %v, its picture says %v", c.Threshold, p.Threshold)
		}
	}
	few, err := engineOf(t, fewEntries...).Calibration()
	if err != nil || few.Own != 0 || few.Threshold != cautious.threshold {
		t.Errorf("%+v %v", few, err)
	}
	if _, err := NewEngine(Options{}).Calibration(); err != ErrNotReady {
		t.Error(err)
	}
}

// A base that comes back from its snapshot judges itself as before.
func TestCalibrationOutlivesASnapshot(t *testing.T) {
	list, _ := halvedTopics()
	e := engineOf(t, list...)
	before, err := e.Calibration()
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/snapshot"
	ix := e.live.Load()
	if err := writeSnapshot(path, snapshotOf(ix, defaultPromise)); err != nil {
		t.Fatal(err)
	}
	s, err := readSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	again := assemble(list, ix.spell)
	if _, err := s.restore(again, defaultPromise); err != nil {
		t.Fatal(err)
	}
	e.live.Store(again)
	if after, err := e.Calibration(); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("%+v\n%+v %v", after, before, err)
	}
}
