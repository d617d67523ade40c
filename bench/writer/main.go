// Command writer is the application which proves that no write is lost: it changes rows through the Service and keeps,
// on a volume of its own, a journal of what the database acknowledged.
//
//	writer run               change rows until SIGTERM
//	writer verify [--json]   compare the database with the journal; exit 1 on any difference
//	writer status            what the journal says, as JSON, without asking the database
//	writer idle              do nothing until SIGTERM: what the other applications of the bench do
//
// Environment: WRITER_HOST and WRITER_PORT (default: the Service "postgresql" as Kubernetes names it), WRITER_USER,
// WRITER_PASSWORD, WRITER_DATABASE, WRITER_JOURNAL (a directory), WRITER_RATE (transactions per second at most); for TLS
// those of libpq: PGSSLMODE (default: disable) and PGSSLROOTCERT.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

func main() {
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var err error
	switch command {
	case "run":
		err = run(ctx)
	case "verify":
		err = verify(ctx)
	case "status":
		err = printStatus()
	case "idle":
		<-ctx.Done()
	default:
		fmt.Fprintln(os.Stderr, "usage: writer run | verify [--json] | status | idle")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func journalDirectory() string { return setting("WRITER_JOURNAL", "/journal") }

func connect(ctx context.Context) (*pgx.Conn, error) {
	host := setting("WRITER_HOST", os.Getenv("POSTGRESQL_SERVICE_HOST"))
	if host == "" {
		return nil, fmt.Errorf("neither WRITER_HOST nor POSTGRESQL_SERVICE_HOST is set: the container started before the Service was there")
	}
	port, err := strconv.ParseUint(setting("WRITER_PORT", setting("POSTGRESQL_SERVICE_PORT", "5432")), 10, 16)
	if err != nil {
		return nil, fmt.Errorf("WRITER_PORT: %w", err)
	}
	// With the host: without one, pgx may choose a socket, which has no TLS.
	config, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%d sslmode=%s", host, port, setting("PGSSLMODE", "disable")))
	if err != nil {
		return nil, err
	}
	config.User, config.Password = setting("WRITER_USER", "writer"), os.Getenv("WRITER_PASSWORD")
	config.Database = setting("WRITER_DATABASE", "writer")
	config.ConnectTimeout = 3 * time.Second
	config.RuntimeParams["application_name"] = "writer"
	return pgx.ConnectConfig(ctx, config)
}

func printStatus() error {
	j, err := readJournal(journalDirectory())
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"acknowledged": j.acknowledged, "uncertain": len(j.uncertain), "rows": len(j.rows), "last": j.last,
	})
}
