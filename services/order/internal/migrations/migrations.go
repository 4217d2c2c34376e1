// Package migrations brings the database to the schema of this version, and makes room for coming months.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql is what goose speaks
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed sql/*.sql
var files embed.FS

// monthsAhead leaves a year for somebody to notice that nobody runs `migrate` anymore.
const monthsAhead = 12

// Run applies what is missing; of several runs at a time one works and the others wait for it.
func Run(ctx context.Context, url string, now time.Time) error {
	database, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { _ = database.Close() }()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	directory, err := fs.Sub(files, "sql")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, database, directory, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return createPartitions(ctx, database, now)
}

// createPartitions makes one partition a month, from last month (clocks differ) to a year ahead.
func createPartitions(ctx context.Context, database *sql.DB, now time.Time) error {
	now = now.UTC()
	for offset := -1; offset <= monthsAhead; offset++ {
		month := time.Date(now.Year(), now.Month()+time.Month(offset), 1, 0, 0, 0, 0, time.UTC)
		if err := createPartition(ctx, database, month); err != nil {
			return fmt.Errorf("create the partition of %s: %w", month.Format("2006-01"), err)
		}
	}
	return nil
}

// createPartition takes over the rows that had to go to the default partition, if there are any.
func createPartition(ctx context.Context, database *sql.DB, month time.Time) error {
	name := "orders_" + month.Format("2006_01")
	from, to := month.Format(time.RFC3339), month.AddDate(0, 1, 0).Format(time.RFC3339)
	transaction, err := database.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = transaction.Rollback() }()
	// One run at a time; and never a queue of customers behind a lock that does not come.
	if _, err := transaction.ExecContext(ctx,
		`select set_config('lock_timeout', '5s', true), pg_advisory_xact_lock(hashtext('order partitions'))`); err != nil {
		return err
	}
	var exists bool
	if err := transaction.QueryRowContext(ctx, `select to_regclass($1) is not null`, name).Scan(&exists); err != nil || exists {
		return err
	}
	for _, statement := range []string{
		fmt.Sprintf(`create table %s (like orders including defaults including constraints)`, name),
		fmt.Sprintf(`with moved as (delete from orders_default where created_at >= '%s' and created_at < '%s' returning *)
			insert into %s select * from moved`, from, to, name),
		fmt.Sprintf(`alter table orders attach partition %s for values from ('%s') to ('%s')`, name, from, to),
	} {
		if _, err := transaction.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return transaction.Commit()
}

// Applied reports whether the database has the schema that this version needs.
func Applied(ctx context.Context, version func(context.Context, string) (int64, error)) (bool, error) {
	newest, err := newestVersion()
	if err != nil {
		return false, err
	}
	applied, err := version(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`)
	return applied >= newest, err
}

func newestVersion() (int64, error) {
	names, err := fs.Glob(files, "sql/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		newest = max(newest, version)
	}
	return newest, nil
}
