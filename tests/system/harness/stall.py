# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that hangs: a preloaded library whose next fsync or fdatasync takes as long as a file says."""

import subprocess
from pathlib import Path

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void hang(void) {
    const char *path = getenv("STALL_FILE");
    char taken[4096];
    int seconds = 0;
    if (path == NULL) return;
    snprintf(taken, sizeof taken, "%s.taken", path);
    if (rename(path, taken) != 0) return;
    FILE *file = fopen(taken, "r");
    if (file != NULL) {
        if (fscanf(file, "%d", &seconds) != 1) seconds = 0;
        fclose(file);
    }
    usleep(1000u * (unsigned)seconds);
    unlink(taken);
}

int fsync(int fd) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    hang();
    return real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    hang();
    return real(fd);
}
"""


class Stall:
    """`environment` is for the server's process; after `once(seconds)` its next sync takes that long."""

    def __init__(self, folder):
        library = Path(folder) / "stall.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", library, "-ldl"], input=SOURCE, text=True, check=True)
        self.file = Path(folder) / "stall"
        self.environment = {"LD_PRELOAD": str(library), "STALL_FILE": str(self.file)}

    def once(self, seconds):
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(int(seconds * 1000)))
        fresh.rename(self.file)

    def hanging(self):
        return Path(f"{self.file}.taken").exists()

    def over(self):
        return not self.file.exists() and not self.hanging()
