/* SPDX-FileCopyrightText: 2026 The updraft authors
 * SPDX-License-Identifier: Apache-2.0
 * Runs a fuzz target over files and folders of inputs, without a fuzzer. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

#define INPUT_MAX (1u << 20)
#define PATH_SIZE 4096u

static unsigned inputs;

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *room = malloc(INPUT_MAX);
    FUZZ_HOLDS(file != NULL && room != NULL);
    size_t size = fread(room, 1, INPUT_MAX, file);
    FUZZ_HOLDS(feof(file));
    fclose(file);
    /* Exactly as long as the input, so that a sanitizer sees a read beyond it. */
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    FUZZ_HOLDS(bytes != NULL);
    memcpy(bytes, room, size);
    free(room);
    fprintf(stderr, "%s\n", path); /* names the input, should the next line not return */
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    inputs++;
}

static void run_path(const char *path)
{
    struct stat status;
    FUZZ_HOLDS(stat(path, &status) == 0);
    if (!S_ISDIR(status.st_mode)) {
        run_file(path);
        return;
    }
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    FUZZ_HOLDS(count >= 0);
    for (int i = 0; i < count; i++) {
        char name[PATH_SIZE];
        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            run_path(name);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        run_path(argv[i]);
    }
    printf("%u inputs\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
