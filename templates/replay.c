#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
/* Each script needs some of these functions, and none all. */
#pragma GCC diagnostic ignored "-Wunused-function"
#ifndef FICLONE
#define FICLONE _IOW(0x94, 9, int)
#endif
#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#define FALLOC_FL_ZERO_RANGE 16
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

enum { PAGE = @PAGE@, BLOCK = @BLOCK@, PATIENCE = 30000, SAID = 64, SKIPPED = -1, ENDED = -2 };

/* One line of a script: who, which, its text, and what it came to in the simulator. */
struct line { int task, number; const char *text, *expected; };
/* What a line came to here: 0 or an errno, and what was read. */
struct result { int error; char said[SAID]; };

/* What a process is told. A thread does its lines in the process of its leader. */
struct order { int task, number; };

static int down[@TASKS@][2], up[@TASKS@][2];
static const int leader[] = { @LEADERS@ };
static const int parent_of[] = { @PARENTS@ };
static const char *names[] = { @NAMES@ };
static char said[SAID];
static const char *why = "";

static int answer(long value) { return value == -1 ? errno : 0; }

/* A text, repeated, into memory: the compiler must not leave a store out. */
static int fill_text(char *to, size_t length, const char *text) {
    size_t n = strlen(text);
    for (size_t i = 0; i < length; i++) ((volatile char *)to)[i] = text[i % n];
    return 0;
}

static int load(const char *from, size_t length) {
    size_t shown = length < SAID - 1 ? length : SAID - 1;
    volatile char last = 0;
    for (size_t i = 0; i < length; i++) last = ((const volatile char *)from)[i];
    (void)last;
    memcpy(said, from, shown);
    return 0;
}

/* O_DIRECT wants memory that begins at a block. */
static char *aligned(size_t length) {
    void *found = NULL;
    if (posix_memalign(&found, 4096, length ? length : 1)) { perror("memory"); exit(2); }
    return found;
}

static int write_text(int fd, const char *text, size_t length, off_t at) {
    char *from = aligned(length);
    fill_text(from, length, text);
    ssize_t done = pwrite(fd, from, length, at);
    int error = done == -1 ? errno : 0;
    if (done >= 0 && (size_t)done < length) snprintf(said, SAID, "%zd of %zu bytes", done, length);
    free(from);
    return error;
}

static int read_text(int fd, size_t length, off_t at) {
    char *to = aligned(length);
    ssize_t done = pread(fd, to, length, at);
    int error = done == -1 ? errno : 0;
    if (done > 0) load(to, done);
    free(to);
    return error;
}

/* read(2) from a file of its own into the mapping: the kernel stores there. */
static int read_into(char *to, size_t length, const char *text) {
    char path[] = "/tmp/pagefate-XXXXXX";
    int fd = mkstemp(path);
    if (fd == -1) return errno;
    unlink(path);
    int error = write_text(fd, text, length, 0);
    if (!error) error = answer(pread(fd, to, length, 0));
    close(fd);
    return error;
}

/* Take every free block but some: as much as write(2) gives. */
static int take_all(int fd, long leave) {
    static char block[BLOCK];
    off_t end = lseek(fd, 0, SEEK_END);
    memset(block, 'g', sizeof block);
    while (pwrite(fd, block, sizeof block, end) == (ssize_t)sizeof block) end += sizeof block;
    end -= leave * (off_t)sizeof block;
    int error = answer(ftruncate(fd, end < 0 ? 0 : end));
    return error ? error : answer(fsync(fd));
}

/* Give some blocks back, or take some more. */
static int resize(int fd, long blocks) {
    off_t end = lseek(fd, 0, SEEK_END);
    if (blocks > 0) return posix_fallocate(fd, end, blocks * (off_t)BLOCK);
    off_t shorter = end + blocks * (off_t)BLOCK;
    return answer(ftruncate(fd, shorter < 0 ? 0 : shorter));
}

static int drop_caches(void) {
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    if (fd == -1) { why = "only root may drop caches"; return SKIPPED; }
    int error = answer(write(fd, "1", 1));
    close(fd);
    return error;
}

static int skip(const char *reason) { why = reason; return SKIPPED; }

static int open_file(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd == -1) { fprintf(stderr, "%s: %s\n", path, strerror(errno)); exit(2); }
    return fd;
}

static void serve(int task);
static void let_go(int *end);

/* Begin a task as a child of this process. */
static int begin(int task) {
    pid_t pid = fork();
    if (pid == 0) serve(task);
    let_go(&down[task][0]);
    let_go(&up[task][1]);
    return answer(pid);
}

static const char *folder;

@FILES@

@VARIABLES@

static int perform(int task, int number) {
    switch (task * 10000 + number) {
@LINES@
    }
    return skip("there is no such line");
}

static void let_go(int *end) {
    if (*end >= 0) close(*end);
    *end = -1;
}

/* Keep only one's own ends of the pipes, and those of tasks that are still to be forked: who dies is then heard of. */
static void keep_ends(int task) {
    for (int other = 0; other < @TASKS@; other++) {
        int above = other;
        while (above >= 0 && above != task) above = parent_of[above];
        let_go(&down[other][1]);
        let_go(&up[other][0]);
        if (above >= 0) continue;
        let_go(&down[other][0]);
        let_go(&up[other][1]);
    }
}

/* A process waits to be told which line to do. */
static void serve(int task) {
    struct order order;
    keep_ends(task);
    while (read(down[task][0], &order, sizeof order) == sizeof order) {
        memset(said, 0, sizeof said);
        struct result result = { perform(order.task, order.number), "" };
        memcpy(result.said, result.error == SKIPPED ? why : said, result.error == SKIPPED ? strnlen(why, SAID - 1) : SAID - 1);
        int is_over = result.error == ENDED;
        if (is_over) result.error = 0;
        if (write(up[task][1], &result, sizeof result) != sizeof result || is_over) break;
    }
    _exit(0);
}

static const char *error_name(int error) {
    static const struct { int error; const char *name; } known[] = {
        {ENOSPC, "ENOSPC"}, {EDQUOT, "EDQUOT"}, {EIO, "EIO"}, {EFAULT, "EFAULT"}, {EINVAL, "EINVAL"}, {ENOMEM, "ENOMEM"},
        {EBADF, "EBADF"}, {EACCES, "EACCES"}, {EFBIG, "EFBIG"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {EPERM, "EPERM"}, {ENODEV, "ENODEV"},
        {EXDEV, "EXDEV"}, {EBUSY, "EBUSY"}, {EAGAIN, "EAGAIN"}, {EHWPOISON, "EHWPOISON"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) if (known[i].error == error) return known[i].name;
    return strerror(error);
}

static const struct line lines[] = {
@ORDER@
};

/* Which signal ended the task. One that another forked comes to us when that has ended. */
static const char *how_it_ended(pid_t *of, int task) {
    int status = 0;
    pid_t pid = of[task] > 0 ? waitpid(of[task], &status, 0) : 0;
    for (int tries = 0; pid == 0 && tries < 20; tries++) {
        usleep(10000);
        pid = waitpid(-1, &status, WNOHANG);
    }
    if (pid > 0 && WIFSIGNALED(status)) return WTERMSIG(status) == SIGBUS ? "SIGBUS" : WTERMSIG(status) == SIGSEGV ? "SIGSEGV" : strsignal(WTERMSIG(status));
    return "ended";
}

/* Let a task do a line; what it came to, as a word. */
static const char *ask(const struct line *line, pid_t *pids, char *note) {
    struct result result;
    struct order order = { line->task, line->number };
    int process = leader[line->task];
    struct pollfd waiting = { up[process][0], POLLIN, 0 };
    if (write(down[process][1], &order, sizeof order) != sizeof order) return "ended";
    if (poll(&waiting, 1, PATIENCE) == 0) return "did not come back";
    if (read(up[process][0], &result, sizeof result) != sizeof result) return how_it_ended(pids, process);
    memcpy(note, result.said, SAID);
    if (result.error == SKIPPED) return "skipped";
    return result.error ? error_name(result.error) : "ok";
}

/* In the simulator a call that worked is ok, or says what it read. */
static int agrees(const char *real, const char *expected) {
    int failed = expected[0] == 'E' || !strncmp(expected, "SIG", 3);
    return failed ? !strcmp(real, expected) : !strcmp(real, "ok");
}

int main(int argc, char **argv) {
    static pid_t pids[@TASKS@];
    int others = 0, skipped = 0;
    if (argc != 2) { fprintf(stderr, "usage: %s FOLDER (on the filesystem to try)\n", argv[0]); return 2; }
    folder = argv[1];
    if (sysconf(_SC_PAGESIZE) != PAGE) fprintf(stderr, "Pages have %ld bytes here, and %d in the scenario.\n", sysconf(_SC_PAGESIZE), PAGE);
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prepare();
    for (int task = 0; task < @TASKS@; task++) if (pipe(down[task]) || pipe(up[task])) { perror("pipe"); return 2; }
@STARTS@
    for (int task = 0; task < @TASKS@; task++) {
        let_go(&down[task][0]);
        let_go(&up[task][1]);
    }
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct line *line = &lines[i];
        char note[SAID + 1] = "";
        const char *real = ask(line, pids, note);
        int same = agrees(real, line->expected);
        if (!strcmp(real, "skipped")) skipped++; else others += !same;
        printf("%s.%d  %-40s %s%s%s  %s%s\n", names[line->task], line->number, line->text, real, *note ? ": " : "", note,
               !strcmp(real, "skipped") ? "" : same ? "as simulated" : "NOT as simulated: ", same || !strcmp(real, "skipped") ? "" : line->expected);
    }
    for (int task = 0; task < @TASKS@; task++) let_go(&down[task][1]);
    printf("%d lines came to something else than in the simulator, %d were skipped.\n", others, skipped);
    return others != 0;
}
