package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

const (
	mostRows    = 5000             // beyond these, it deletes more than it inserts
	answerLimit = 15 * time.Second // for one transaction
)

// run changes rows until ctx ends. A change that has begun is finished, within its limit.
func run(ctx context.Context) error {
	directory := journalDirectory()
	// One writer at a time, whoever scaled what.
	alone, err := lock(directory, "writer.lock", unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer alone.Close()
	a, err := openAppender(directory)
	if err != nil {
		return err
	}
	rate, err := strconv.ParseFloat(setting("WRITER_RATE", "50"), 64)
	if err != nil || rate <= 0 {
		return fmt.Errorf("WRITER_RATE must be a number above 0")
	}
	tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer tick.Stop()
	fmt.Printf("starting with change %d; acknowledged so far: %d\n", a.j.next, a.j.acknowledged)

	var connection *pgx.Conn
	var away time.Time // since when the server has been away
	w := newChooser(a.j)
	for {
		select {
		case <-ctx.Done():
			if connection != nil {
				closing, cancel := context.WithTimeout(context.Background(), time.Second)
				connection.Close(closing)
				cancel()
			}
			fmt.Printf("stopped after change %d; acknowledged: %d\n", a.j.next-1, a.j.acknowledged)
			return nil
		case <-tick.C:
		}
		if connection == nil {
			connection, err = connect(ctx)
			if err != nil {
				if away.IsZero() {
					away = time.Now()
					fmt.Println("the server is away:", err)
				}
				connection = nil
				select { // a refused connection is answered at once: ask ten times a second, not a thousand
				case <-time.After(100 * time.Millisecond):
				case <-ctx.Done():
				}
				continue
			}
			if !away.IsZero() {
				fmt.Printf("the server is back after %.1f s\n", time.Since(away).Seconds())
				away = time.Time{}
			}
		}
		lost, err := change(connection, a, w, directory)
		if err != nil {
			return err
		}
		if lost != nil {
			fmt.Println("a change was not acknowledged:", lost)
			away = time.Now()
			closing, cancel := context.WithTimeout(context.Background(), time.Second)
			connection.Close(closing)
			cancel()
			connection = nil
		}
	}
}

// change does one: intent, transaction, acknowledgement. lost is why it was not acknowledged; err is about the journal
// and ends the writer, because without a journal nothing is proven.
func change(connection *pgx.Conn, a *appender, w *chooser, directory string) (lost, err error) {
	// verify holds this lock while it looks, so it sees no change half done.
	moment, err := lock(directory, "change.lock", unix.LOCK_SH)
	if err != nil {
		return nil, err
	}
	defer moment.Close()

	l := w.choose(a.j)
	if err := a.append(l); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	if lost := send(ctx, connection, l); lost != nil {
		a.j.abandon()
		return lost, nil
	}
	if err := a.append(line{Change: l.Change, Acknowledged: true}); err != nil {
		return nil, err
	}
	w.acknowledged(l)
	return nil, nil
}

func send(ctx context.Context, connection *pgx.Conn, l line) error {
	return pgx.BeginFunc(ctx, connection, func(tx pgx.Tx) error {
		var sql string
		var arguments []any
		switch l.Operation {
		case "insert":
			sql, arguments = "INSERT INTO ledger (id, revision, payload) VALUES ($1, $2, $3)", []any{l.ID, l.Row.Revision, l.Row.Payload}
		case "update":
			sql, arguments = "UPDATE ledger SET revision = revision + 1, payload = $2 WHERE id = $1", []any{l.ID, l.Row.Payload}
		case "delete":
			sql, arguments = "DELETE FROM ledger WHERE id = $1", []any{l.ID}
		}
		done, err := tx.Exec(ctx, sql, arguments...)
		if err != nil {
			return err
		}
		// Not an error to retry: verify will say what is missing.
		if done.RowsAffected() != 1 {
			fmt.Fprintf(os.Stderr, "change %d: %s of row %d affected %d rows\n", l.Change, l.Operation, l.ID, done.RowsAffected())
		}
		return nil
	})
}

// chooser picks the next change: it knows the certain rows as a list.
type chooser struct{ ids []int64 }

func newChooser(j *journal) *chooser {
	w := &chooser{}
	for id := range j.rows {
		if _, uncertain := j.uncertain[id]; !uncertain {
			w.ids = append(w.ids, id)
		}
	}
	return w
}

func (w *chooser) choose(j *journal) line {
	l := line{Change: j.next, Operation: "insert", ID: j.next}
	payload := fmt.Sprintf("%d-%016x-%016x", j.next, rand.Uint64(), rand.Uint64())
	dice := rand.IntN(10)
	if len(w.ids) > mostRows {
		dice = 9
	}
	if len(w.ids) < 10 || dice < 4 {
		l.Row = &row{Revision: 1, Payload: payload}
		return l
	}
	// The chosen row leaves the list until its change is acknowledged: unanswered, it is never chosen again.
	i := rand.IntN(len(w.ids))
	l.ID = w.ids[i]
	w.ids[i] = w.ids[len(w.ids)-1]
	w.ids = w.ids[:len(w.ids)-1]
	if dice < 8 {
		l.Operation, l.Row = "update", &row{Revision: j.rows[l.ID].Revision + 1, Payload: payload}
	} else {
		l.Operation = "delete"
	}
	return l
}

func (w *chooser) acknowledged(l line) {
	if l.Operation != "delete" {
		w.ids = append(w.ids, l.ID)
	}
}
