package main

import (
	"os"
	"testing"
)

func filled(t *testing.T, lines ...line) *journal {
	t.Helper()
	j := newJournal()
	for _, l := range lines {
		if err := j.add(l); err != nil {
			t.Fatal(err)
		}
	}
	j.abandon()
	return j
}

func intent(change int64, operation string, id, revision int64, payload string) line {
	l := line{Change: change, Operation: operation, ID: id}
	if operation != "delete" {
		l.Row = &row{revision, payload}
	}
	return l
}

func done(change int64) line { return line{Change: change, Acknowledged: true} }

func TestCompare(t *testing.T) {
	j := filled(t,
		intent(1, "insert", 1, 1, "a"), done(1),
		intent(2, "insert", 2, 1, "b"), done(2),
		intent(3, "update", 2, 2, "c"), done(3),
		intent(4, "insert", 4, 1, "d"), done(4),
		intent(5, "delete", 4, 0, ""), done(5),
		intent(6, "insert", 6, 1, "e"), // never answered
		intent(7, "update", 1, 2, "f"), // nor this
	)
	right := func() map[int64][]row { return map[int64][]row{1: {{1, "a"}}, 2: {{2, "c"}}} }
	for name, test := range map[string]struct {
		alter                     func(map[int64][]row)
		lost, doubled, unexpected int
	}{
		"as acknowledged":                     {func(map[int64][]row) {}, 0, 0, 0},
		"an unanswered insert which happened": {func(m map[int64][]row) { m[6] = []row{{1, "e"}} }, 0, 0, 0},
		"an unanswered update which happened": {func(m map[int64][]row) { m[1] = []row{{2, "f"}} }, 0, 0, 0},
		"an unanswered insert, altered":       {func(m map[int64][]row) { m[6] = []row{{1, "x"}} }, 1, 0, 0},
		"a row gone":                          {func(m map[int64][]row) { delete(m, 1) }, 1, 0, 0},
		"an update undone":                    {func(m map[int64][]row) { m[2] = []row{{1, "b"}} }, 1, 0, 0},
		"a row altered":                       {func(m map[int64][]row) { m[2] = []row{{2, "x"}} }, 1, 0, 0},
		"a delete undone":                     {func(m map[int64][]row) { m[4] = []row{{1, "d"}} }, 1, 0, 0},
		"an insert twice":                     {func(m map[int64][]row) { m[1] = []row{{1, "a"}, {1, "a"}} }, 0, 1, 0},
		"an update twice":                     {func(m map[int64][]row) { m[2] = []row{{3, "c"}} }, 0, 1, 0},
		"a row from nowhere":                  {func(m map[int64][]row) { m[9] = []row{{1, "z"}} }, 0, 0, 1},
	} {
		table := right()
		test.alter(table)
		r := compare(j, table)
		if len(r.Lost) != test.lost || len(r.Doubled) != test.doubled || len(r.Unexpected) != test.unexpected {
			t.Errorf("%s: %+v", name, r)
		}
		if all := r.Found == r.Acknowledged; all != (test.lost+test.doubled == 0) && name != "an unanswered insert, altered" {
			t.Errorf("%s: acknowledged %d, found %d", name, r.Acknowledged, r.Found)
		}
	}
}

// A kill leaves half a line at the journal's end: it was never sent.
func TestTornJournal(t *testing.T) {
	directory := t.TempDir()
	a, err := openAppender(directory)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []line{intent(1, "insert", 1, 1, "a"), done(1), intent(2, "insert", 2, 1, "b")} {
		if err := a.append(l); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(journalFile(directory), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"change":2,"ackno`)
	f.Close()

	a, err = openAppender(directory)
	if err != nil {
		t.Fatal(err)
	}
	if a.j.acknowledged != 1 || len(a.j.uncertain) != 1 || a.j.next != 3 {
		t.Fatalf("%+v", a.j)
	}
	if err := a.append(intent(3, "insert", 3, 1, "c")); err != nil {
		t.Fatal(err)
	}
	if j, err := readJournal(directory); err != nil || len(j.uncertain) != 2 {
		t.Fatal(j, err)
	}
}
