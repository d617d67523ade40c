// A background worker as pg_partman has one: it calls partman.run_maintenance() in database postgres, without a client. No package has the headers of
// PostgreSQL 12, so this declares what it uses of them, as both majors have it. MAJOR is 12 or 14.
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// fmgr.h
struct module_magic {
  int length, version, function_arguments, index_keys, name_length;
#if MAJOR < 13
  int float4_by_value;
#endif
  int float8_by_value;
};
const struct module_magic *Pg_magic_func(void);
const struct module_magic *Pg_magic_func(void) {
  static const struct module_magic magic = {
      .length = sizeof(struct module_magic), .version = MAJOR * 100, .function_arguments = 100, .index_keys = 32, .name_length = 64,
#if MAJOR < 13
      .float4_by_value = 1,
#endif
      .float8_by_value = 1};
  return &magic;
}

// postmaster/bgworker.h
struct background_worker {
  char name[96], type[96];
  int flags, start_time, restart_seconds;
  char library[96], function[96];
  uintptr_t argument;
  char extra[128];
  pid_t notified;
};
enum { SHARED_MEMORY = 1, DATABASE_CONNECTION = 2, RECOVERY_FINISHED = 2 };
extern bool process_shared_preload_libraries_in_progress;
void RegisterBackgroundWorker(struct background_worker *worker);
void BackgroundWorkerUnblockSignals(void);
void BackgroundWorkerInitializeConnection(const char *database, const char *user, uint32_t flags);

// storage/latch.h, utils/guc.h, access/xact.h, executor/spi.h, utils/snapmgr.h
enum { LATCH_SET = 1, TIMEOUT = 8, EXIT_WITH_POSTMASTER = 32, WAIT_EXTENSION = 0x07000000, AT_START_ONLY = 1 };
extern struct Latch *MyLatch;
int WaitLatch(struct Latch *latch, int events, long milliseconds, uint32_t wait_event);
void ResetLatch(struct Latch *latch);
void DefineCustomIntVariable(const char *name, const char *what, const char *more, int *value, int initial, int least, int most, int context, int flags,
                             void *check, void *assign, void *show);
void SetCurrentStatementStartTimestamp(void);
void StartTransactionCommand(void);
void CommitTransactionCommand(void);
int SPI_connect(void);
int SPI_execute(const char *sql, bool read_only, long most_rows);
int SPI_finish(void);
void *GetTransactionSnapshot(void);
void PushActiveSnapshot(void *snapshot);
void PopActiveSnapshot(void);

static int interval;

void bench_partman_main(uintptr_t argument);
void bench_partman_main(uintptr_t argument) {
  (void)argument;
  BackgroundWorkerUnblockSignals();
  BackgroundWorkerInitializeConnection("postgres", NULL, 0);
  for (;;) {
    // Others set the latch too, for what they want of every process.
    bool is_time = WaitLatch(MyLatch, LATCH_SET | TIMEOUT | EXIT_WITH_POSTMASTER, interval * 1000L, WAIT_EXTENSION) & TIMEOUT;
    ResetLatch(MyLatch);
    if (!is_time) continue;
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    SPI_connect();
    PushActiveSnapshot(GetTransactionSnapshot());
    SPI_execute("DO $$ BEGIN IF to_regproc('partman.run_maintenance') IS NOT NULL THEN PERFORM partman.run_maintenance(); END IF; END $$", false, 0);
    SPI_finish();
    PopActiveSnapshot();
    CommitTransactionCommand();
  }
}

void _PG_init(void);
void _PG_init(void) {
  struct background_worker worker = {.name = "bench_partman background worker",
                                     .type = "bench_partman background worker",
                                     .flags = SHARED_MEMORY | DATABASE_CONNECTION,
                                     .start_time = RECOVERY_FINISHED,
                                     .restart_seconds = 10,
                                     .library = "bench_partman_bgw",
                                     .function = "bench_partman_main"};
  if (!process_shared_preload_libraries_in_progress) return;
  DefineCustomIntVariable("bench_partman_bgw.interval", "Seconds between two runs.", NULL, &interval, 3600, 1, INT_MAX / 1000, AT_START_ONLY, 0, NULL, NULL,
                          NULL);
  RegisterBackgroundWorker(&worker);
}
