package bot

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"

	"frontline/bot/chat"
)

// FileSpool is a Spool in one append-only file. A record is its length and its
// CRC-32C (four bytes each, big-endian) and the sealed JSON of a message. Every
// record is on the disk before Append returns. One process at a time may have
// it open.
type FileSpool struct {
	mu     sync.Mutex
	f      *os.File
	dir    string
	end    int64 // behind the last whole record
	done   int64 // before this everything was handed on
	broken error // the file could not be put in order again
	seal   func([]byte) ([]byte, error)
	unseal func([]byte) ([]byte, error)

	draining sync.Mutex
}

const (
	spoolName    = "clicks.spool"
	spoolTorn    = "clicks.torn" // what could not be read, for a person to look at
	spoolHead    = 8
	spoolMost    = 1 << 20 // of one record; a callback is 64 KiB
	spoolOwnFile = 0o600
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenSpool opens the spool in dir and makes it when it is not there. What a
// crash left half-written at the end is set aside.
func OpenSpool(dir string, seal, unseal func([]byte) ([]byte, error)) (*FileSpool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, spoolName), os.O_RDWR|os.O_CREATE, spoolOwnFile)
	if err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if err := lockSpool(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("another process uses the spool in %s: %w", dir, err)
	}
	s := &FileSpool{f: f, dir: dir, seal: seal, unseal: unseal}
	if err := errors.Join(s.recover(), syncDir(dir)); err != nil {
		f.Close()
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	return s, nil
}

// recover finds the end of the last whole record and cuts off the rest.
func (s *FileSpool) recover() error {
	for {
		n, _, err := s.read(s.end)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			break
		}
		s.end += n
	}
	if err := s.setAside(s.end, -1); err != nil {
		return err
	}
	return s.cutTo(s.end)
}

// errTorn says that no whole record stands at a place.
var errTorn = errors.New("no whole record")

// read returns the record at a place and its length in the file. The error is
// io.EOF at the very end, errTorn for half a record, else the disk's.
func (s *FileSpool) read(at int64) (int64, []byte, error) {
	var head [spoolHead]byte
	switch n, err := s.f.ReadAt(head[:], at); {
	case err == io.EOF && n == 0:
		return 0, nil, io.EOF
	case err == io.EOF:
		return 0, nil, errTorn
	case err != nil:
		return 0, nil, err
	}
	size := binary.BigEndian.Uint32(head[:4])
	if size == 0 || size > spoolMost {
		return 0, nil, errTorn
	}
	body := make([]byte, size)
	if _, err := s.f.ReadAt(body, at+spoolHead); err == io.EOF {
		return 0, nil, errTorn
	} else if err != nil {
		return 0, nil, err
	}
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return 0, nil, errTorn
	}
	return spoolHead + int64(size), body, nil
}

// Append stores m durably.
func (s *FileSpool) Append(m chat.Message) error {
	plain, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("spool message %s: %w", m.ID, err)
	}
	body, err := s.seal(plain)
	if err != nil {
		return fmt.Errorf("seal message %s for the spool: %w", m.ID, err)
	}
	if len(body) == 0 || len(body) > spoolMost {
		return fmt.Errorf("spool message %s: %d bytes do not fit", m.ID, len(body))
	}
	record := make([]byte, spoolHead, spoolHead+len(body))
	binary.BigEndian.PutUint32(record, uint32(len(body)))
	binary.BigEndian.PutUint32(record[4:], crc32.Checksum(body, castagnoli))
	record = append(record, body...)

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	_, err = s.f.WriteAt(record, s.end)
	if err == nil {
		err = s.f.Sync()
	}
	if err != nil {
		// Half a record in the middle would hide what is appended after it.
		if cutErr := s.cutTo(s.end); cutErr != nil {
			s.broken = fmt.Errorf("the spool is out of order: %w", cutErr)
		}
		return fmt.Errorf("write to the spool: %w", err)
	}
	s.end += int64(len(record))
	return nil
}

// Waiting returns the bytes that are not handed on yet, for a metric.
func (s *FileSpool) Waiting() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end - s.done
}

// Drain hands all messages on in the order in which they came, and empties the
// file when none is left. It stops at the first error of put and goes on from
// there the next time. After a crash all messages that are still in the file
// come again, which their IDs make harmless. Messages that cannot be read any
// more (the key was changed) are set aside and reported at the end.
func (s *FileSpool) Drain(ctx context.Context, put func(context.Context, chat.Message) error) error {
	s.draining.Lock()
	defer s.draining.Unlock()
	var unread error
	for {
		n, m, err := s.next()
		if err == io.EOF {
			return unread
		}
		if n == 0 {
			return err
		}
		if err != nil {
			unread = err
			if err := s.setAside(s.done, n); err != nil {
				return err
			}
		} else if err := put(ctx, m); err != nil {
			return fmt.Errorf("hand on spooled message %s: %w", m.ID, err)
		}
		s.mu.Lock()
		s.done += n
		s.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// next reads the message to be handed on. At the end it empties the file and
// returns io.EOF. An error with n > 0 is about that message alone.
func (s *FileSpool) next() (n int64, m chat.Message, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == s.end {
		if s.end > 0 && s.broken == nil {
			if err := s.cutTo(0); err != nil {
				return 0, m, fmt.Errorf("empty the spool: %w", err)
			}
			s.done, s.end = 0, 0
		}
		return 0, m, io.EOF
	}
	n, body, err := s.read(s.done)
	if err != nil {
		return 0, m, fmt.Errorf("read the spool: %w", err)
	}
	plain, err := s.unseal(body)
	if err == nil {
		err = json.Unmarshal(plain, &m)
	}
	if err != nil {
		return n, m, fmt.Errorf("read a spooled message, which is now in %s: %w", spoolTorn, err)
	}
	return n, m, nil
}

// setAside copies n bytes (-1: to the end of the file) to a file beside the spool.
func (s *FileSpool) setAside(at, n int64) error {
	if n < 0 {
		n = 1 << 62
	}
	out, err := os.OpenFile(filepath.Join(s.dir, spoolTorn), os.O_WRONLY|os.O_CREATE|os.O_APPEND, spoolOwnFile)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.NewSectionReader(s.f, at, n))
	return errors.Join(err, out.Sync(), out.Close())
}

func (s *FileSpool) cutTo(size int64) error {
	return errors.Join(s.f.Truncate(size), s.f.Sync())
}

// Close closes the file. What was appended stays.
func (s *FileSpool) Close() error { return s.f.Close() }

// syncDir makes the name of a new file durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
