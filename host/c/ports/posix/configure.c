// What the configuration says to the POSIX port: the object `tls`, and the members of `host` that name its files.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mote.h"
#include "mote_posix.h"
#include "net.h"
#include "storage.h"
#include "tls.h"

#define PATH_MAX_BYTES 1024
#define AREA_MAX (1u << 30)

static int32_t refuse(mote_posix_t *posix, int32_t status, const char *fault) {
    posix->fault = fault;
    return status;
}

const char *mote_posix_fault(const mote_posix_t *posix) {
    return posix->fault != NULL ? posix->fault : "";
}

static int32_t read_number(mote_span_t object, const char *key, uint32_t limit, uint32_t *ref_value) {
    mote_span_t text;
    if (!mote_config_find(object.data, object.length, key, &text)) return MOTE_STATUS_OK;
    uint64_t number = 0;
    bool is_number = text.length > 0 && (text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9'));
    if (!is_number) return MOTE_STATUS_WRONG_TYPE;
    if (text.length > 10) return MOTE_STATUS_INVALID_VALUE;
    for (uint32_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return MOTE_STATUS_INVALID_VALUE; // not a whole number, or below zero
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (number > limit) return MOTE_STATUS_INVALID_VALUE;
    *ref_value = (uint32_t)number;
    return MOTE_STATUS_OK;
}

// With the folders above it that are missing; what could not be made there shows at the folder itself. The lock lasts as long as the
// descriptor, and ends with the process.
static int open_directory(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return -1;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0 && flock(directory, LOCK_EX | LOCK_NB) != 0) {
        close(directory);
        directory = -1;
    }
    return directory;
}

static int32_t configure_storage(mote_posix_t *posix, mote_span_t host, const char *base_directory) {
    static const char *const keys[MOTE_POSIX_AREAS] = {"journal_size", "queue_size", "database_size"};
    uint32_t sizes[MOTE_POSIX_AREAS] = {16384, 65536, 0};
    for (int i = 0; i < MOTE_POSIX_AREAS; i++) {
        int32_t status = read_number(host, keys[i], AREA_MAX, &sizes[i]);
        if (status < 0 || sizes[i] % 4096 != 0) return refuse(posix, status < 0 ? status : MOTE_STATUS_INVALID_VALUE, keys[i]);
    }
    uint32_t image_size_max = INT32_MAX;
    int32_t status = read_number(host, "image_size", INT32_MAX, &image_size_max);
    if (status < 0) return refuse(posix, status, "image_size");
    mote_span_t value;
    if (!mote_config_find(host.data, host.length, "store_directory", &value)) return MOTE_STATUS_OK;
    char name[PATH_MAX_BYTES];
    char path[2 * PATH_MAX_BYTES];
    status = mote_config_text(value, name, sizeof name);
    if (status <= 0) return refuse(posix, status < 0 ? status : MOTE_STATUS_INVALID_VALUE, "store_directory");
    int length = name[0] == '/' ? snprintf(path, sizeof path, "%s", name) : snprintf(path, sizeof path, "%s/%s", base_directory, name);
    if (length < 0 || (size_t)length >= sizeof path) return refuse(posix, MOTE_STATUS_TOO_LARGE, "store_directory");
    posix->store_directory = open_directory(path);
    if (posix->store_directory >= 0) posix->store = mote_posix_store_open(posix->store_directory, sizes);
    bool is_open = posix->store != NULL;
#ifdef MOTE_POSIX_MBEDTLS
    if (is_open) posix->slot = mote_posix_slot_open(posix->store_directory, image_size_max);
    is_open = posix->slot != NULL;
#endif
    if (is_open) return MOTE_STATUS_OK;
    mote_posix_store_close(posix->store);
    posix->store = NULL;
    if (posix->store_directory >= 0) close(posix->store_directory); // and with it the lock
    posix->store_directory = -1;
    return refuse(posix, MOTE_STATUS_STORE_FAILED, "store_directory");
}

#ifdef MOTE_POSIX_MBEDTLS
// The name of the first key that `tls` does not have; false when each is known.
static bool find_unknown(mote_span_t tls, char *out_name, size_t capacity) {
    static const char *const keys[] = {"ca", "certificate", "key", "server_name", "time_wait_s", "verify"};
    mote_span_t key;
    mote_span_t value;
    for (uint32_t i = 0; mote_config_member(tls.data, tls.length, i, &key, &value); i++) {
        size_t each = 0;
        while (each < sizeof keys / sizeof keys[0] && !mote_config_is_key(key, keys[each])) each++;
        if (each < sizeof keys / sizeof keys[0]) continue;
        snprintf(out_name, capacity, "tls.%.*s", (int)key.length, key.data);
        return true;
    }
    return false;
}

// The module gives a connection up after connect_timeout_s, and would not know why.
static int32_t configure_time(mote_posix_t *posix, const char *config, size_t config_length, mote_span_t tls) {
    uint32_t wait_s = 60;
    uint32_t connect_timeout_s = 30;
    int32_t status = read_number(tls, "time_wait_s", 4095, &wait_s);
    if (status < 0) return refuse(posix, status, "tls.time_wait_s");
    mote_span_t all = {config, (uint32_t)config_length};
    if (read_number(all, "connect_timeout_s", 4095, &connect_timeout_s) < 0 || connect_timeout_s == 0) connect_timeout_s = 1; // the module refuses it
    posix->time_wait_ms = (wait_s < connect_timeout_s ? wait_s : connect_timeout_s) * 1000;
    if (wait_s >= connect_timeout_s) posix->time_wait_ms -= 500;
    return MOTE_STATUS_OK;
}
#endif

int32_t mote_posix_configure(mote_posix_t *posix, const char *config, size_t config_length, const char *base_directory) {
    mote_span_t value;
    if (posix->store != NULL || posix->tls != NULL) return refuse(posix, MOTE_STATUS_BAD_STATE, "mote_posix_configure");
    posix->fault = NULL;
    if (mote_config_find(config, config_length, "tls", &value)) {
#ifdef MOTE_POSIX_MBEDTLS
        int32_t status = MOTE_STATUS_OK;
        const char *fault = "tls";
        if (value.length == 0 || value.data[0] != '{') return refuse(posix, MOTE_STATUS_WRONG_TYPE, fault);
        if (find_unknown(value, posix->unknown_key, sizeof posix->unknown_key)) return refuse(posix, MOTE_STATUS_UNKNOWN_KEY, posix->unknown_key);
        posix->tls = mote_posix_tls_new(value.data, value.length, base_directory, &status, &fault);
        if (posix->tls == NULL) return refuse(posix, status, fault);
        mote_posix_use_tls(posix);
        status = configure_time(posix, config, config_length, value);
        if (status < 0) return status;
#else
        return refuse(posix, MOTE_STATUS_TLS_UNSUPPORTED, "tls");
#endif
    }
    if (!mote_config_find(config, config_length, "host", &value) || value.length == 0 || value.data[0] != '{') return MOTE_STATUS_OK;
    return configure_storage(posix, value, base_directory);
}
