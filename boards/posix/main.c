// mote-device: the demo device for a POSIX system, over wasm3 or compiled ahead of time. host/cli/README.md lists its lines.
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "demo.h"
#include "ending.h"
#include "module.h"
#include "mote_app.h"
#include "mote_posix.h"

#define CONFIG_SIZE 16384
#define MEMORY_SIZE 65536
#define ARENA_SIZE (1024 * 1024)
#define DISCONNECT_MS 8000
#define INTERVAL_MS_MAX 86400000
#define APP_SIZE (64 * 1024)
#define APP_ARENA_SIZE (512 * 1024)

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static mote_t mote;
static mote_posix_t port;
static demo_t demo = {.engine = MOTE_ENGINE_NAME, .enabled = true};
static uint64_t arena[ARENA_SIZE / 8];
static char config[CONFIG_SIZE];
static mote_app_t app;
static board_t board = {.temperature = 1800, .on_change = demo_pin, .user = &demo};
static uint8_t app_module[APP_SIZE];
static uint64_t app_arena[APP_ARENA_SIZE / 8];
static volatile sig_atomic_t stopping;

static void on_signal(int number) {
    (void)number;
    stopping = 1;
    mote_wake(&mote);
}

typedef struct arguments {
    const char *config;
    const char *host;
    const char *port;
    const char *profile;
    const char *app;
    uint32_t interval_ms;
} arguments_t;

static int usage(const char *why, const char *what) {
    fprintf(stderr, "mote-device: %s%s\n"
                    "usage: mote-device --config FILE [--host H] [--port N] [--interval MS] [--profile P] [--app FILE] [--json]\n", why, what);
    return EXIT_USAGE;
}

// A whole number from 1 up to `limit`; 0 for anything else.
static uint32_t read_number(mote_span_t text, uint32_t limit) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < text.length && number <= limit; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return 0;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return number <= limit ? (uint32_t)number : 0;
}

static uint32_t read_argument(const char *text, uint32_t limit) {
    return read_number((mote_span_t){text, (uint32_t)strlen(text)}, limit);
}

// What the options put into the configuration has to be what the text around it takes it for.
static int check_arguments(const arguments_t *arguments, const char *interval) {
    if (arguments->config == NULL) return usage("--config is missing", "");
    if (interval != NULL && arguments->interval_ms == 0) return usage("--interval takes milliseconds, 1 to 86400000: ", interval);
    if (arguments->port != NULL && read_argument(arguments->port, 65535) == 0) return usage("--port takes 1 to 65535: ", arguments->port);
    if (arguments->host != NULL && arguments->host[strcspn(arguments->host, "\"\\")] != 0) return usage("--host takes a name or an address: ", arguments->host);
    return 0;
}

static int read_arguments(int count, char **words, arguments_t *out_arguments) {
    const char *interval = NULL;
    for (int i = 1; i < count; i++) {
        const char *value = i + 1 < count ? words[i + 1] : NULL;
        if (strcmp(words[i], "--json") == 0) {
            demo.json = true;
            continue;
        }
        if (value == NULL) return usage("unknown option, or no value behind it: ", words[i]);
        if (strcmp(words[i], "--config") == 0) out_arguments->config = value;
        else if (strcmp(words[i], "--host") == 0) out_arguments->host = value;
        else if (strcmp(words[i], "--port") == 0) out_arguments->port = value;
        else if (strcmp(words[i], "--profile") == 0) out_arguments->profile = value;
        else if (strcmp(words[i], "--app") == 0) out_arguments->app = value;
        else if (strcmp(words[i], "--interval") == 0) out_arguments->interval_ms = read_argument(interval = value, INTERVAL_MS_MAX);
        else return usage("unknown option: ", words[i]);
        i++;
    }
    return check_arguments(out_arguments, interval);
}

// The length of the file, or below zero when it is not there or does not fit.
static long read_file(const char *path, void *to, size_t capacity) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return -1;
    size_t length = fread(to, 1, capacity, file);
    bool whole = feof(file) != 0 && ferror(file) == 0;
    fclose(file);
    return whole ? (long)length : -1;
}

static bool read_config(const char *path) {
    long length = read_file(path, config, sizeof config - 1);
    config[length < 0 ? 0 : length] = 0;
    return length >= 0;
}

static void on_event(mote_t *client, const mote_event_t *event, void *user) {
    demo_on_event(client, event, user);
    if (demo.has_app) mote_app_event(&app, event);
}

// What the app logs are lines of this program.
static void on_log(mote_t *client, mote_log_level_t level, mote_span_t text, void *user) {
    (void)client;
    demo_log(user, level, text);
}

static int32_t load_app(size_t length) {
    const mote_app_options_t options = {
        .mote = &mote, .module = app_module, .module_length = length, .arena = app_arena, .arena_size = sizeof app_arena,
        .io = board_io, .user = &board,
    };
    return mote_app_init(&app, &options);
}

// The app says when it wants to be called, the demo device keeps an interval.
static void run_app(void) {
    mote_start(&mote);
    while (!stopping && !(mote_traps(&mote) >= MOTE_TRAPS_MAX && mote_start(&mote) == MOTE_STATUS_TRAPPED)) {
        mote_poll(&mote);
        mote_app_poll(&app);
        mote_wait(&mote, mote_app_deadline_ms(&app));
    }
}

// Names of files in the configuration are relative to it.
static const char *directory_of(const char *path) {
    static char directory[1024];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (length == 0 || length >= sizeof directory) return ".";
    memcpy(directory, path, length);
    directory[length] = 0;
    return directory;
}

// Puts a value in place of the one that the file has, or in front of all members.
static bool override(const char *key, const char *value, const char *quote) {
    size_t length = strlen(config);
    mote_span_t old;
    char text[300];
    char *at = strchr(config, '{');
    size_t removed = 0;
    if (at == NULL) return false;
    int written;
    if (mote_config_find(config, length, key, &old)) {
        at = config + (old.data - config);
        removed = old.length;
        written = snprintf(text, sizeof text, "%s%s%s", quote, value, quote);
    } else {
        written = snprintf(text, sizeof text, "\"%s\":%s%s%s,", key, quote, value, quote);
        at++;
    }
    if (written < 0 || (size_t)written >= sizeof text || length - removed + (size_t)written >= sizeof config) return false;
    memmove(at + written, at + removed, length - (size_t)(at - config) - removed + 1);
    memcpy(at, text, (size_t)written);
    return true;
}

// The device's own part of the configuration, the object `host`. 0 when it is no interval.
static uint32_t configured_interval_ms(void) {
    mote_span_t host;
    mote_span_t interval;
    if (!mote_config_find(config, strlen(config), "host", &host)) return 1000;
    if (!mote_config_find(host.data, host.length, "interval_ms", &interval)) return 1000;
    return read_number(interval, INTERVAL_MS_MAX);
}

static int end(void) {
    mote_disconnect(&mote);
    int64_t end_ms = port.port.functions->now_ms(&port.port) + DISCONNECT_MS;
    while (mote_state(&mote) != MOTE_STATE_STOPPED && port.port.functions->now_ms(&port.port) < end_ms) {
        mote_poll(&mote);
        mote_wait(&mote, 100);
    }
    return stopping ? 0 : EXIT_FAILED;
}

static int run(uint32_t interval_ms) {
    uint32_t next_ms = (uint32_t)port.port.functions->now_ms(&port.port) + interval_ms;
    mote_start(&mote);
    while (!stopping) {
        uint32_t now_ms = (uint32_t)port.port.functions->now_ms(&port.port);
        if ((int32_t)(now_ms - next_ms) >= 0) {
            next_ms = now_ms + interval_ms;
            demo_measure(&demo, &mote);
        }
        bool begun = demo.begun;
        uint32_t wait_ms = begun && next_ms - now_ms < interval_ms ? next_ms - now_ms : begun ? interval_ms : 20;
        if (mote_run(&mote, wait_ms) == MOTE_STATUS_TRAPPED) return EXIT_FAILED; // given up, as the event Failed has told
        if (!begun && demo.begun) next_ms = (uint32_t)port.port.functions->now_ms(&port.port) + interval_ms;
    }
    return end();
}

int main(int count, char **words) {
    signal(SIGXFSZ, SIG_IGN); // writing beyond the limit of a file fails, as on a disk that is full
    arguments_t arguments = {.profile = MOTE_MODULE_DEFAULT};
    int code = read_arguments(count, words, &arguments);
    if (code != 0) return code;
    mote_options_t options = {
        .config = config, .port = &port.port, .arena = arena, .arena_size = sizeof arena, .memory_size = MEMORY_SIZE,
        .on_event = on_event, .user = &demo,
    };
    if (!mote_module_find(arguments.profile, &options)) return usage("no such profile in this build: ", arguments.profile);
    if (!read_config(arguments.config)) return usage("cannot read, or larger than 16 KiB: ", arguments.config);
    if (arguments.host != NULL && !override("mqtt_host", arguments.host, "\"")) return usage("no room for --host", "");
    if (arguments.port != NULL && !override("mqtt_port", arguments.port, "")) return usage("no room for --port", "");
    options.config_length = strlen(config);
    long app_length = arguments.app == NULL ? 0 : read_file(arguments.app, app_module, sizeof app_module);
    if (app_length < 0) return usage("cannot read, or larger than 64 KiB: ", arguments.app);
    demo.has_app = arguments.app != NULL;
    if (demo.has_app) {
        options.on_log = on_log;
        options.log_level = MOTE_LOG_LEVEL_DEBUG;
    }

    uint32_t interval_ms = arguments.interval_ms != 0 ? arguments.interval_ms : configured_interval_ms();
    if (interval_ms == 0) {
        demo_error(&demo, MOTE_STATUS_INVALID_VALUE, (mote_span_t){"host.interval_ms", 16});
        return EXIT_USAGE;
    }

    int32_t status = mote_posix_init(&port);
    if (status >= 0) status = mote_posix_configure(&port, config, options.config_length, directory_of(arguments.config));
    if (status < 0) {
        demo_error(&demo, status, (mote_span_t){mote_posix_fault(&port), (uint32_t)strlen(mote_posix_fault(&port))});
        mote_posix_free(&port);
        return EXIT_USAGE;
    }
    status = mote_init(&mote, &options);
    if (status < 0) {
        demo_error(&demo, status, mote_error_text(&mote));
        mote_posix_free(&port);
        return EXIT_USAGE;
    }
    if (demo.has_app && (status = load_app((size_t)app_length)) < 0) {
        demo_error(&demo, status, (mote_span_t){mote_app_fault(&app), (uint32_t)strlen(mote_app_fault(&app))});
        mote_free(&mote);
        mote_posix_free(&port);
        return EXIT_USAGE;
    }
    ending_watch(on_signal);
    if (demo.has_app) {
        run_app();
        demo.has_app = false;
        mote_app_free(&app);
        code = end();
    } else {
        code = run(interval_ms);
    }
    ending_unwatch();
    mote_free(&mote);
    mote_posix_free(&port);
    demo_stopped(&demo);
    return code;
}
