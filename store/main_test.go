package store_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"frontline/kb"
	"frontline/store"
	"frontline/store/storetest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv("FRONTLINE_TEST_CHILD_URL"); url != "" {
		if err := child(url, os.Getenv("FRONTLINE_TEST_CHILD_DOES")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	set := func(name, value string) {
		given := false
		flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
		if !given {
			flag.Set(name, value)
		}
	}
	set("test.parallel", "8") // they wait for disks more than they compute
	set("rapid.checks", "20")
	set("rapid.nofailfile", "true")
	os.Exit(m.Run())
}

// child is another process on the same database.
func child(url, does string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{URL: url, Key: storetest.Key, Serve: does == "lead"})
	if err != nil {
		return err
	}
	defer s.Close()
	switch does {
	case "open":
	case "lead":
		if err := s.Lead(ctx); err != nil {
			return err
		}
	case "import": // what kb import does, in several files
		for i := range 30 {
			err := s.InTx(ctx, func(tx *store.Tx) error {
				_, err := tx.PutEntries("child", []kb.Entry{{Question: fmt.Sprint("child ", i), Answer: "x"}})
				return err
			})
			if err != nil {
				return err
			}
		}
	case "hold": // one long write
		return s.InTx(ctx, func(tx *store.Tx) error {
			if _, err := tx.PutEntries("child", []kb.Entry{{Question: "held", Answer: "x"}}); err != nil {
				return err
			}
			fmt.Println("holding")
			time.Sleep(700 * time.Millisecond)
			return nil
		})
	}
	fmt.Println("done")
	return nil
}
