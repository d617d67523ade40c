package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// difference is one row of the database which is not as the journal says.
type difference struct {
	ID       int64 `json:"id"`
	Expected *row  `json:"expected"` // null: the row was deleted, or never made
	Found    []row `json:"found"`
}

type report struct {
	Acknowledged int64        `json:"acknowledged"` // changes
	Found        int64        `json:"found"`        // acknowledged changes whose row is as it should be
	Uncertain    int          `json:"uncertain"`    // changes sent and never answered: they may be there or not
	Lost         []difference `json:"lost"`
	Doubled      []difference `json:"doubled"`
	Unexpected   []difference `json:"unexpected"`
}

func (r *report) differences() int { return len(r.Lost) + len(r.Doubled) + len(r.Unexpected) }

// compare says how the table differs from the journal.
func compare(j *journal, table map[int64][]row) *report {
	r := &report{Acknowledged: j.acknowledged, Uncertain: len(j.uncertain), Lost: []difference{}, Doubled: []difference{}, Unexpected: []difference{}}
	seen := map[int64]bool{}
	for id := range j.changes {
		seen[id] = true
	}
	for id := range j.uncertain {
		seen[id] = true
	}
	for id := range seen {
		found := table[id]
		d := difference{ID: id, Found: found}
		right := [][]row{{}} // states of the row which are in order
		if expected, alive := j.rows[id]; alive {
			d.Expected = &expected
			right = [][]row{{expected}}
		}
		if l, uncertain := j.uncertain[id]; uncertain {
			after := []row{}
			if l.Row != nil {
				after = []row{*l.Row}
			}
			right = append(right, after)
		}
		if slices.ContainsFunc(right, func(state []row) bool { return slices.Equal(state, found) }) {
			r.Found += j.changes[id]
			continue
		}
		switch {
		case len(found) > 1, d.Expected != nil && len(found) == 1 && found[0].Revision > d.Expected.Revision:
			r.Doubled = append(r.Doubled, d)
		default: // missing, of an older revision, altered, or a deletion undone
			r.Lost = append(r.Lost, d)
		}
	}
	for id, found := range table {
		if !seen[id] {
			r.Unexpected = append(r.Unexpected, difference{ID: id, Found: found})
		}
	}
	for _, list := range [][]difference{r.Lost, r.Doubled, r.Unexpected} {
		slices.SortFunc(list, func(a, b difference) int { return int(a.ID - b.ID) })
	}
	return r
}

func readTable(ctx context.Context) (map[int64][]row, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	connection, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	defer connection.Close(context.Background())
	rows, err := connection.Query(ctx, "SELECT id, revision, payload FROM ledger ORDER BY id, revision")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	table := map[int64][]row{}
	for rows.Next() {
		var id int64
		var r row
		if err := rows.Scan(&id, &r.Revision, &r.Payload); err != nil {
			return nil, err
		}
		table[id] = append(table[id], r)
	}
	return table, rows.Err()
}

func verify(ctx context.Context) error {
	directory := journalDirectory()
	moment, err := lock(directory, "change.lock", unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer moment.Close()
	j, err := readJournal(directory)
	if err != nil {
		return err
	}
	table, err := readTable(ctx)
	if err != nil {
		return fmt.Errorf("the table could not be read, so nothing is verified: %w", err)
	}
	r := compare(j, table)
	if slices.Contains(os.Args, "--json") {
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Printf("%d changes acknowledged, %d found, %d uncertain; lost: %d rows, doubled: %d, unexpected: %d\n",
			r.Acknowledged, r.Found, r.Uncertain, len(r.Lost), len(r.Doubled), len(r.Unexpected))
	}
	if r.differences() > 0 {
		return errors.New("the database is not what was acknowledged")
	}
	return nil
}
