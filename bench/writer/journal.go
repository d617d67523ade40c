package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// row is what one row of the table holds. Two equal inserts or a doubled update show in it: the table has no unique
// key, and each update counts the revision up by one where the row is, rather than setting it.
type row struct {
	Revision int64  `json:"revision"`
	Payload  string `json:"payload"`
}

// A line of the journal is either an intent, written before its statement is sent, or the acknowledgement of the one
// before, written after the commit was answered.
type line struct {
	Change       int64     `json:"change"`
	Operation    string    `json:"operation,omitempty"` // insert, update or delete: an intent
	ID           int64     `json:"id,omitempty"`
	Row          *row      `json:"row,omitempty"` // after the change
	Acknowledged bool      `json:"acknowledged,omitempty"`
	Time         time.Time `json:"time"`
}

// journal is the sum of the lines.
type journal struct {
	next         int64           // number of the next change
	acknowledged int64           // how many changes
	rows         map[int64]row   // as acknowledged
	deleted      map[int64]bool  // acknowledged as gone
	changes      map[int64]int64 // acknowledged changes, by row
	uncertain    map[int64]line  // by row: sent and never answered, so both states are right. Such a row is never used again
	pending      *line
	last         time.Time // acknowledgement
}

func newJournal() *journal {
	return &journal{next: 1, rows: map[int64]row{}, deleted: map[int64]bool{}, changes: map[int64]int64{}, uncertain: map[int64]line{}}
}

func (j *journal) add(l line) error {
	if l.Acknowledged {
		if j.pending == nil || j.pending.Change != l.Change {
			return fmt.Errorf("the journal acknowledges change %d, which is not under way", l.Change)
		}
		p := j.pending
		j.pending = nil
		j.acknowledged++
		j.changes[p.ID]++
		j.last = l.Time
		if p.Operation == "delete" {
			delete(j.rows, p.ID)
			j.deleted[p.ID] = true
		} else {
			j.rows[p.ID] = *p.Row
		}
		return nil
	}
	j.abandon()
	j.pending = &l
	j.next = max(j.next, l.Change+1)
	return nil
}

// abandon takes an unanswered change out of what is certain.
func (j *journal) abandon() {
	if j.pending != nil {
		j.uncertain[j.pending.ID] = *j.pending
		j.pending = nil
	}
}

func journalFile(directory string) string { return filepath.Join(directory, "journal.jsonl") }

func readJournal(directory string) (*journal, error) {
	j, _, err := readJournalTo(directory)
	return j, err
}

// readJournalTo also says where the last whole line ends: a kill may leave half of one behind it.
func readJournalTo(directory string) (*journal, int64, error) {
	j := newJournal()
	f, err := os.Open(journalFile(directory))
	if errors.Is(err, os.ErrNotExist) {
		return j, 0, nil
	} else if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	var end int64
	for {
		text, err := in.ReadBytes('\n')
		if err == io.EOF {
			j.abandon()
			return j, end, nil
		} else if err != nil {
			return nil, 0, err
		}
		var l line
		if err := json.Unmarshal(bytes.TrimSpace(text), &l); err != nil {
			return nil, 0, fmt.Errorf("the journal at byte %d: %w", end, err)
		}
		if err := j.add(l); err != nil {
			return nil, 0, err
		}
		end += int64(len(text))
	}
}

// appender writes lines which are on the disk before it returns.
type appender struct {
	file *os.File
	j    *journal
}

func openAppender(directory string) (*appender, error) {
	j, end, err := readJournalTo(directory)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(journalFile(directory), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	return &appender{f, j}, f.Truncate(end)
}

func (a *appender) append(l line) error {
	l.Time = time.Now().UTC()
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := a.file.Write(append(text, '\n')); err != nil {
		return err
	}
	if err := unix.Fdatasync(int(a.file.Fd())); err != nil {
		return err
	}
	return a.j.add(l)
}

// lock opens and locks a file of the journal's directory until close.
func lock(directory, name string, how int) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(directory, name), os.O_CREATE|os.O_RDWR, 0o660)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return f, nil
}
