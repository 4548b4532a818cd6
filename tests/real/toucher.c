/*
 * One process of a row: it does what it is told, a line at a time, and says what came of it. SIGBUS is survived.
 *
 *   open PATH                                   ok
 *   mmap NAME PATH PAGES FIRST rw|r shared|private random|populate|-     ok ADDRESS (hexadecimal)
 *   load NAME PAGE                              ok FAULTS RUNS, or SIGBUS FAULTS
 *   store|kstore NAME PAGE BYTE LENGTH LETTER   ok FAULTS, SIGBUS FAULTS or an errno (kstore: read(2) into the mapping)
 *   msync NAME FIRST PAGES sync|async, madvise NAME FIRST PAGES zap|read|write, munmap NAME
 *   pwrite PATH OFFSET LENGTH LETTER            ok, the bytes written if fewer, or an errno
 *   pread PATH PAGE                             ok RUNS
 *   fsync|fdatasync|syncfs|close PATH, ftruncate PATH SIZE, fallocate PATH OFFSET LENGTH keep|zero|punch|-
 *   fork IN OUT                                 ok; the child goes on between these two fifos and says its pid first
 *
 * RUNS are letters with counts, zero bytes as dots: `A1 .4095`. A file that was not opened before is opened for good.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE 4096L
#define MOST 32
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

struct mapping { char name[32]; volatile char *at; long length; };
struct handle { char path[256]; int fd; };

static struct mapping mappings[MOST];
static struct handle handles[MOST];
static int mapped, opened;
static sigjmp_buf back;
static char page[1 << 16];

static void on_sigbus(int signal) { (void)signal; siglongjmp(back, 1); }

static void answer(long result) { printf("%s\n", result < 0 ? strerrorname_np(errno) : "ok"); }

static void give_up(const char *what) { fprintf(stderr, "toucher: %s\n", what); exit(2); }

static long faults(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_minflt + used.ru_majflt;
}

static struct mapping *mapping_of(const char *name) {
    for (int i = 0; i < mapped; i++)
        if (!strcmp(mappings[i].name, name)) return &mappings[i];
    give_up("no such mapping");
    return NULL;
}

static struct handle *open_file(const char *path) {
    if (opened == MOST) give_up("too many files");
    struct handle *made = &handles[opened++];
    snprintf(made->path, sizeof made->path, "%s", path);
    made->fd = open(path, O_RDWR);
    return made;
}

static struct handle *handle_of(const char *path) {
    for (int i = opened - 1; i >= 0; i--)
        if (handles[i].fd >= 0 && !strcmp(handles[i].path, path)) return &handles[i];
    return NULL;
}

static int file(const char *path) {
    struct handle *known = handle_of(path);
    return (known ? known : open_file(path))->fd;
}

static void say_runs(long length) {
    for (long at = 0, end; at < length; at = end) {
        for (end = at; end < length && page[end] == page[at];) end++;
        printf("%s%c%ld", at ? " " : "", page[at] ? page[at] : '.', end - at);
    }
    printf("\n");
}

static void touch(const char *name, long number, long byte, long length, int letter) {
    volatile char *at = mapping_of(name)->at + number * PAGE + byte;
    volatile long before = faults();
    if (sigsetjmp(back, 1)) {
        printf("SIGBUS %ld\n", faults() - before);
    } else if (letter) {
        memset((void *)at, letter, length);
        printf("ok %ld\n", faults() - before);
    } else {
        (void)*at;
        long taken = faults() - before;
        memcpy(page, (const void *)at, length);
        printf("ok %ld ", taken);
        say_runs(length);
    }
}

static void store_by_kernel(const char *name, long number, long byte, long length, int letter) {
    int source = memfd_create("source", 0);
    memset(page, letter, length);
    if (write(source, page, length) != length) give_up("no memory");
    lseek(source, 0, SEEK_SET);
    long before = faults(), got = read(source, (void *)(mapping_of(name)->at + number * PAGE + byte), length);
    if (got >= 0 && got < length) errno = EFAULT;
    printf("%s %ld\n", got == length ? "ok" : strerrorname_np(errno), faults() - before);
    close(source);
}

/* Mappings begin at a multiple of what fault-around maps at once, so that a row always comes to the same. */
static void map(const char *name, const char *path, long pages, long first, const char *prot, const char *share,
                const char *how) {
    static long next = 1L << 40;
    int rights = (strchr(prot, 'r') ? PROT_READ : 0) | (strchr(prot, 'w') ? PROT_WRITE : 0);
    int flags = MAP_FIXED | (strcmp(share, "private") ? MAP_SHARED : MAP_PRIVATE);
    if (mapped == MOST) give_up("too many mappings");
    if (!strcmp(how, "populate")) flags |= MAP_POPULATE;
    void *at = mmap((void *)next, pages * PAGE, rights, flags, file(path), first * PAGE);
    next += 1L << 30;
    if (at == MAP_FAILED) { answer(-1); return; }
    if (!strcmp(how, "random")) madvise(at, pages * PAGE, MADV_RANDOM);
    struct mapping *made = &mappings[mapped++];
    snprintf(made->name, sizeof made->name, "%s", name);
    made->at = at;
    made->length = pages * PAGE;
    printf("ok %lx\n", (long)at);
}

static void unmap(const char *name) {
    struct mapping *gone = mapping_of(name);
    answer(munmap((void *)gone->at, gone->length));
    *gone = mappings[--mapped];
}

static void write_file(const char *path, long offset, long length, int letter) {
    memset(page, letter, length);
    long done = pwrite(file(path), page, length, offset);
    if (done >= 0 && done < length) printf("%ld\n", done);
    else answer(done);
}

static void read_file(const char *path, long number) {
    long done = pread(file(path), page, PAGE, number * PAGE);
    if (done < 0) { answer(done); return; }
    printf("ok ");
    say_runs(done);
}

static void close_file(const char *path) {
    struct handle *known = handle_of(path);
    int fd = known ? known->fd : -1;
    if (known) known->fd = -1;
    answer(fd < 0 ? 0 : close(fd));
}

static int mode_of(const char *word) {
    if (!strcmp(word, "keep")) return FALLOC_FL_KEEP_SIZE;
    if (!strcmp(word, "zero")) return FALLOC_FL_ZERO_RANGE;
    return strcmp(word, "punch") ? 0 : FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
}

static int advice_of(const char *word) {
    if (!strcmp(word, "zap")) return MADV_DONTNEED;
    return strcmp(word, "write") ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
}

static void divide(const char *in, const char *out) {
    if (fork()) { printf("ok\n"); return; }
    if (!freopen(in, "r", stdin) || !freopen(out, "w", stdout)) give_up("no fifo");
    setvbuf(stdout, NULL, _IOLBF, 1 << 14);
    printf("%d\n", getpid());
}

static void obey(char **word) {
#define IS(text) !strcmp(word[0], text)
#define NUMBER(i) atol(word[i])
    if (IS("open")) answer(open_file(word[1])->fd);
    else if (IS("mmap")) map(word[1], word[2], NUMBER(3), NUMBER(4), word[5], word[6], word[7]);
    else if (IS("load")) touch(word[1], NUMBER(2), 0, PAGE, 0);
    else if (IS("store")) touch(word[1], NUMBER(2), NUMBER(3), NUMBER(4), *word[5]);
    else if (IS("kstore")) store_by_kernel(word[1], NUMBER(2), NUMBER(3), NUMBER(4), *word[5]);
    else if (IS("munmap")) unmap(word[1]);
    else if (IS("pwrite")) write_file(word[1], NUMBER(2), NUMBER(3), *word[4]);
    else if (IS("pread")) read_file(word[1], NUMBER(2));
    else if (IS("close")) close_file(word[1]);
    else if (IS("fsync")) answer(fsync(file(word[1])));
    else if (IS("fdatasync")) answer(fdatasync(file(word[1])));
    else if (IS("syncfs")) answer(syncfs(file(word[1])));
    else if (IS("ftruncate")) answer(ftruncate(file(word[1]), NUMBER(2)));
    else if (IS("fallocate")) answer(fallocate(file(word[1]), mode_of(word[4]), NUMBER(2), NUMBER(3)));
    else if (IS("fork")) divide(word[1], word[2]);
    else if (IS("msync")) {
        void *at = (void *)(mapping_of(word[1])->at + NUMBER(2) * PAGE);
        answer(msync(at, NUMBER(3) * PAGE, strcmp(word[4], "async") ? MS_SYNC : MS_ASYNC));
    } else if (IS("madvise")) {
        void *at = (void *)(mapping_of(word[1])->at + NUMBER(2) * PAGE);
        answer(madvise(at, NUMBER(3) * PAGE, advice_of(word[4])));
    } else give_up("what?");
}

int main(void) {
    static char line[1 << 12];
    static char *words[16];
    struct sigaction action = {.sa_handler = on_sigbus};
    sigaction(SIGBUS, &action, NULL);
    setvbuf(stdout, NULL, _IOLBF, 1 << 14);
    while (fgets(line, sizeof line, stdin)) {
        int count = 0;
        for (char *word = strtok(line, " \n"); word && count < 15; word = strtok(NULL, " \n")) words[count++] = word;
        for (int i = count; i < 16; i++) words[i] = "";
        if (count) obey(words);
    }
    return 0;
}
