// Lives of whole clients between a hostile server and a careless application, one a seed: `--seed N --count N --profile NAME --trace`.
//
// Prints what failed with the line that lives it again, how often each event came, a digest of all that happened, the same on every engine,
// and `N passed, N failed`.
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz_life.h"
#include "module.h"

// Seconds of processor time that no life takes, however slow the machine is.
#define LIFE_S_MAX 60

static uint32_t seed;

void life_note(life_t *life, const char *format, ...) {
    char line[512];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (length >= (int)sizeof line) length = sizeof line - 1;
    for (int i = 0; i < length; i++) life->digest = (life->digest ^ (uint8_t)line[i]) * 0x100000001b3u;
    if (life->is_traced) printf("%s\n", line);
}

void life_note_bytes(life_t *life, const char *what, const void *bytes, size_t length) {
    static const char digits[] = "0123456789abcdef";
    char hex[401];
    size_t shown = length < 200 ? length : 200;
    for (size_t i = 0; i < length; i++) life->digest = (life->digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    for (size_t i = 0; i < shown && life->is_traced; i++) {
        hex[2 * i] = digits[((const uint8_t *)bytes)[i] >> 4];
        hex[2 * i + 1] = digits[((const uint8_t *)bytes)[i] & 15];
    }
    hex[life->is_traced ? 2 * shown : 0] = 0;
    if (life->is_traced) printf("%s: %zu bytes %s\n", what, length, hex);
}

void life_blame(life_t *life, const char *format, ...) {
    if (life->fault[0] != 0) return;
    va_list values;
    va_start(values, format);
    vsnprintf(life->fault, sizeof life->fault, format, values);
    va_end(values);
}

void life_check_result(life_t *life, const char *name, int32_t result) {
    if (result < 0 && strcmp(mote_status_name(result), "Unknown") == 0) life_blame(life, "%s answered %d", name, (int)result);
}

bool life_holds(const life_t *life, mote_span_t span) {
    uintptr_t offset = (uintptr_t)span.data - (uintptr_t)life->mote.memory;
    return life->mote.memory != NULL && offset <= life->mote.memory_length && span.length <= life->mote.memory_length - offset;
}

static void tell_seed(void) {
    static const char text[] = "\nthe seed: ";
    char digits[12];
    size_t at = sizeof digits;
    digits[--at] = '\n';
    for (uint32_t rest = seed; rest > 0 || at == sizeof digits - 1; rest /= 10) digits[--at] = (char)('0' + rest % 10);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0 || write(STDERR_FILENO, digits + at, sizeof digits - at) < 0) return;
}

static void on_signal(int signal_number) {
    tell_seed();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

// What the sanitizers ask for when the program begins: each finding of theirs is a signal, too.
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__asan_default_options(void) { return "abort_on_error=1"; }
const char *__ubsan_default_options(void) { return "abort_on_error=1:print_stacktrace=1"; }

int main(int count, char **words) {
    static life_t life;
    uint32_t first = 1, lives = 100, failed = 0;
    bool is_traced = false;
    const char *profile = "device";
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--trace") == 0) is_traced = true;
        else if (i + 1 < count && strcmp(words[i], "--seed") == 0) first = (uint32_t)strtoul(words[++i], NULL, 10);
        else if (i + 1 < count && strcmp(words[i], "--count") == 0) lives = (uint32_t)strtoul(words[++i], NULL, 10);
        else if (i + 1 < count && strcmp(words[i], "--profile") == 0) profile = words[++i];
        else lives = 0;
    }
    mote_options_t options;
    if (lives == 0 || !mote_module_find(profile, &options)) {
        fprintf(stderr, "%s [--seed N] [--count N] [--profile NAME] [--trace]\n", words[0]);
        return 2;
    }
    signal(SIGABRT, on_signal);
    signal(SIGVTALRM, on_signal);
    uint64_t digest = 0;
    uint32_t event_counts[128] = {0};
    for (seed = first; seed - first < lives; seed++) {
        memset(&life, 0, sizeof life);
        life.profile = profile;
        life.is_traced = is_traced;
        setitimer(ITIMER_VIRTUAL, &(const struct itimerval){.it_value = {.tv_sec = LIFE_S_MAX}}, NULL);
        fuzz_live(&life, seed);
        digest = (digest ^ life.digest) * 0x100000001b3u;
        for (int kind = 0; kind < 128 && !life.is_tight; kind++) event_counts[kind] += life.event_counts[kind];
        if (life.fault[0] == 0) continue;
        failed++;
        printf("%s --profile %s --seed %u --count 1 --trace    # %s\n", words[0], profile, (unsigned)seed, life.fault);
    }
    for (int kind = 0; kind < 128; kind++) {
        if (event_counts[kind] > 0) printf("event %s %u\n", mote_event_name(kind), (unsigned)event_counts[kind]);
    }
    printf("digest %016llx\n%u passed, %u failed\n", (unsigned long long)digest, (unsigned)(lives - failed), (unsigned)failed);
    return failed == 0 ? 0 : 1;
}
