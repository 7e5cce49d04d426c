// Prints the bytes of arena that wasm3 needs to load a module and compile all of it: arena MODULE MEMORY_BYTES
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"

#define ARENA_SIZE (2 * 1024 * 1024)
#define MODULE_MAX (1024 * 1024)

static uint64_t arena[ARENA_SIZE / sizeof(uint64_t)];
static uint8_t module[MODULE_MAX];

int main(int argc, char **argv) {
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: arena MODULE MEMORY_BYTES\n");
        return 2;
    }
    size_t length = fread(module, 1, sizeof module, file);
    fclose(file);
    mote_engine_setup_t setup = {
        .module = module, .module_length = length, .arena = arena, .arena_size = sizeof arena, .memory_size = (uint32_t)strtoul(argv[2], NULL, 0),
    };
    mote_engine_t *engine = NULL;
    const char *fault = "";
    int32_t status = mote_engine_load(&engine, &setup, &fault);
    if (status != 0) {
        fprintf(stderr, "cannot load %s: status %d, %s\n", argv[1], (int)status, fault);
        return 1;
    }
    mote_engine_usage_t usage;
    mote_engine_usage(engine, &usage);
    printf("%zu\n", usage.arena_peak);
    mote_engine_free(engine);
    return 0;
}
