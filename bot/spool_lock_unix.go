//go:build unix

package bot

import (
	"os"
	"syscall"
)

// lockSpool takes an exclusive lock that ends with the process, however it ends:
// two processes that append to one spool would write over each other.
func lockSpool(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
