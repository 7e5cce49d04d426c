// Reads the configuration, builds the client, runs it, and leaves in order.
#include "example.h"

#include <signal.h>
#include <string.h>

#include "ending.h"
#include "module.h"
#include "mote_posix.h"

static mote_t mote;
static mote_posix_t port;
static char config[16384];
static uint64_t arena[128 * 1024]; // bytes: eight times as many
static volatile sig_atomic_t ended;
static int exit_code;

static void on_signal(int number) {
    (void)number;
    ended = 1;
    mote_wake(&mote);
}

void example_end(mote_t *client, int32_t result) {
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", mote_status_name(result), mote_status_text(result));
        exit_code = 1;
    }
    ended = 1;
    mote_wake(client);
}

static bool read_config(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    size_t length = fread(config, 1, sizeof config - 1, file);
    bool is_whole = feof(file) != 0;
    fclose(file);
    config[length] = 0;
    return is_whole;
}

static int refused(int32_t status, const char *text, size_t length) {
    fprintf(stderr, "%s: %.*s\n", mote_status_name(status), (int)length, text);
    mote_posix_free(&port);
    return 2;
}

int example_run(int count, char **words, const char *profile, const mote_options_t *handlers) {
    if (count != 2 || !read_config(words[1])) {
        fprintf(stderr, "usage: %s CONFIGURATION.json\n", words[0]);
        return 2;
    }
    mote_options_t options = *handlers;
    options.config = config;
    options.config_length = strlen(config);
    options.port = &port.port;
    options.arena = arena;
    options.arena_size = sizeof arena;
    options.memory_size = 65536;
    if (!mote_module_find(profile != NULL ? profile : "device", &options)) return 2;

    int32_t status = mote_posix_init(&port);
    if (status >= 0) status = mote_posix_configure(&port, config, options.config_length, ".");
    if (status < 0) return refused(status, mote_posix_fault(&port), strlen(mote_posix_fault(&port)));
    status = mote_init(&mote, &options);
    if (status < 0) return refused(status, mote_error_text(&mote).data, mote_error_text(&mote).length);
    ending_watch(on_signal);
    setvbuf(stdout, NULL, _IOLBF, 0);

    mote_start(&mote);
    while (!ended && status >= 0) status = mote_run(&mote, 1000);
    mote_disconnect(&mote);
    while (mote_state(&mote) != MOTE_STATE_STOPPED) {
        mote_poll(&mote);
        mote_wait(&mote, 1000);
    }
    ending_unwatch();
    mote_free(&mote);
    mote_posix_free(&port);
    return status < 0 ? 1 : exit_code;
}
