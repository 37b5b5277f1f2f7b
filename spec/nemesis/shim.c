/* Fails writes and flushes of regular files with EIO while the file $NEMESIS_SWITCH exists. When that
   file is empty nothing reaches the disk; else the write is done first, and its failure is a lie, as a
   failed flush may be. $NEMESIS_COUNT grows by one byte with each failure. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WORKS, FAILS, LIES };

static int mode(int fd) {
  struct stat file, flag;
  const char *path = getenv("NEMESIS_SWITCH");
  if (path == NULL || stat(path, &flag) != 0) return WORKS;
  if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return WORKS;
  return flag.st_size == 0 ? FAILS : LIES;
}

static int failed(void) {
  const char *path = getenv("NEMESIS_COUNT");
  int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd >= 0) {
    if (write(fd, ".", 1) != 1) abort();
    close(fd);
  }
  errno = EIO;
  return -1;
}

#define SHIM(result, name, parameters, arguments)                                  \
  result name parameters {                                                         \
    static result(*real) parameters;                                               \
    int how = mode(fd);                                                            \
    if (real == NULL) real = (result(*) parameters)dlsym(RTLD_NEXT, #name);        \
    if (how == WORKS) return real arguments;                                       \
    if (how == LIES && real arguments < 0) return -1;                              \
    return failed();                                                               \
  }

SHIM(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
SHIM(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), (fd, bytes, size, at))
SHIM(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
SHIM(ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at))
SHIM(int, fsync, (int fd), (fd))
SHIM(int, fdatasync, (int fd), (fd))
