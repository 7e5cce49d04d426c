// The files of the POSIX port: areas that behave as NOR flash, and an image that survives restarts.
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mote_posix.h"

static mote_posix_t port;
static char folder[] = "/tmp/mote-storage-XXXXXX";

static const mote_port_functions_t *functions(void) {
    return port.port.functions;
}

// A restart of the process; `host` are members of the object `host` besides the folder.
static int32_t open_again(const char *host) {
    char config[256];
    mote_posix_free(&port);
    CHECK_EQUAL(mote_posix_init(&port), MOTE_STATUS_OK);
    snprintf(config, sizeof config, "{\"host\":{\"store_directory\":\"files\"%s}}", host);
    return mote_posix_configure(&port, config, strlen(config), folder);
}

// Takes the place of the C library's: says which folders were made durable.
static uint32_t folders_synchronised;
int fsync(int file) {
    struct stat status;
    if (fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) folders_synchronised++;
    return (int)syscall(SYS_fsync, file);
}

// Likewise: the disk fails once.
static bool disk_fails;
int msync(void *address, size_t length, int flags) {
    if (!disk_fails) return (int)syscall(SYS_msync, address, length, flags);
    disk_fails = false;
    errno = EIO;
    return -1;
}

static uint32_t permissions(const char *name) {
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s/files/%s", folder, name);
    return stat(path, &status) == 0 ? (uint32_t)status.st_mode & 0777 : 0;
}

#ifdef MOTE_POSIX_MBEDTLS
static bool exists(const char *name) {
    return permissions(name) != 0;
}
#endif

static int32_t sync_area(uint32_t area) {
    int32_t done = 0;
    for (int i = 0; i < 3 && done == 0; i++) {
        done = functions()->store_sync(&port.port, area);
        functions()->step(&port.port);
    }
    return done;
}

static void areas_are_flash(void) {
    uint8_t bytes[8];
    CHECK_EQUAL(open_again(",\"journal_size\":8192"), MOTE_STATUS_OK);
    CHECK_EQUAL(functions()->store_info(&port.port, MOTE_STORE_AREA_JOURNAL, MOTE_STORE_INFO_SIZE), 8192);
    CHECK_EQUAL(functions()->store_info(&port.port, MOTE_STORE_AREA_JOURNAL, MOTE_STORE_INFO_ERASE_SIZE), 4096);
    CHECK_EQUAL(functions()->store_info(&port.port, MOTE_STORE_AREA_DATABASE, MOTE_STORE_INFO_SIZE), 0);
    CHECK_EQUAL(permissions("journal.flash"), 0600);
    CHECK_EQUAL(permissions("queue.flash"), 0600);
    CHECK_EQUAL(functions()->store_read(&port.port, 0, 8184, bytes, 8), 8);
    CHECK(memcmp(bytes, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0);
    CHECK_EQUAL(sync_area(0), 1); // nothing to wait for
    CHECK_EQUAL(functions()->store_program(&port.port, 0, 4096, (const uint8_t *)"\xf0\x0f\xaa\x55", 4), 4);
    CHECK_EQUAL(functions()->store_program(&port.port, 0, 4096, (const uint8_t *)"\xff\x3f\x0f\xf5", 4), 4); // sets no bit
    CHECK_EQUAL(functions()->store_sync(&port.port, 0), 0);
    CHECK_EQUAL(sync_area(0), 1);

    CHECK_EQUAL(open_again(",\"journal_size\":8192"), MOTE_STATUS_OK);
    functions()->store_read(&port.port, 0, 4092, bytes, 8);
    CHECK(memcmp(bytes, "\xff\xff\xff\xff\xf0\x0f\x0a\x55", 8) == 0);
    CHECK_EQUAL(functions()->store_erase(&port.port, 0, 4096), 4096);
    functions()->store_read(&port.port, 0, 4096, bytes, 4);
    CHECK(memcmp(bytes, "\xff\xff\xff\xff", 4) == 0);
}

// "Stored" means after the answer 1 (ABI.md section 2): a failure is told once, and the next question asks the disk again.
static void a_disk_that_fails_is_told(void) {
    CHECK_EQUAL(open_again(""), MOTE_STATUS_OK);
    functions()->store_program(&port.port, 0, 0, (const uint8_t *)"\1\2\3\4", 4);
    disk_fails = true;
    CHECK_EQUAL(sync_area(0), MOTE_STATUS_STORE_FAILED);
    CHECK_EQUAL(functions()->store_sync(&port.port, 0), 0);
    CHECK_EQUAL(sync_area(0), 1);
}

static void a_folder_has_one_user(void) {
    static mote_posix_t second;
    char config[128];
    CHECK_EQUAL(open_again(""), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_posix_init(&second), MOTE_STATUS_OK);
    snprintf(config, sizeof config, "{\"host\":{\"store_directory\":\"%s/files\"}}", folder);
    CHECK_EQUAL(mote_posix_configure(&second, config, strlen(config), "."), MOTE_STATUS_STORE_FAILED);
    CHECK(strcmp(mote_posix_fault(&second), "store_directory") == 0);
    mote_posix_free(&second);
}

// Files that were made are there after a power cut only once their folder was written too.
static void files_stay_where_they_were_made(void) {
    mote_posix_free(&port);
    CHECK_EQUAL(mote_posix_init(&port), MOTE_STATUS_OK);
    const char *config = "{\"host\":{\"store_directory\":\"new files\"}}";
    folders_synchronised = 0;
    CHECK_EQUAL(mote_posix_configure(&port, config, strlen(config), folder), MOTE_STATUS_OK);
    CHECK(folders_synchronised > 0);
}

// What was refused can be put right: nothing is left locked.
static void a_refusal_leaves_nothing_behind(void) {
    CHECK_EQUAL(open_again(",\"journal_size\":4096"), MOTE_STATUS_STORE_FAILED);
    const char *config = "{\"host\":{\"store_directory\":\"files\",\"journal_size\":16384}}";
    CHECK_EQUAL(mote_posix_configure(&port, config, strlen(config), folder), MOTE_STATUS_OK);
}

static void wrong_settings_are_named(void) {
    CHECK_EQUAL(open_again(",\"journal_size\":5000"), MOTE_STATUS_INVALID_VALUE);
    CHECK(strcmp(mote_posix_fault(&port), "journal_size") == 0);
    CHECK_EQUAL(open_again(",\"queue_size\":\"4096\""), MOTE_STATUS_WRONG_TYPE);
    CHECK_EQUAL(open_again(",\"journal_size\":4096"), MOTE_STATUS_STORE_FAILED); // the file is larger: no data is thrown away
    mote_posix_free(&port);
    mote_posix_init(&port);
    const char *config = "{\"host\":{\"store_directory\":7}}";
    CHECK_EQUAL(mote_posix_configure(&port, config, strlen(config), folder), MOTE_STATUS_WRONG_TYPE);
    config = "{\"host\":{\"store_director\\u0079\":7}}";
    CHECK_EQUAL(mote_posix_configure(&port, config, strlen(config), folder), MOTE_STATUS_WRONG_TYPE);
    config = "{\"host\":{\"interval_ms\":1000}}";
    CHECK_EQUAL(mote_posix_configure(&port, config, strlen(config), folder), MOTE_STATUS_OK);
    CHECK_EQUAL(functions()->store_info(&port.port, 0, MOTE_STORE_INFO_SIZE), 0);
}

#ifdef MOTE_POSIX_MBEDTLS
#define FOX "The quick brown fox jumps over the lazy dog"

static int32_t begin(uint32_t kind, uint32_t size, const char *id) {
    return functions()->ota_begin(&port.port, kind, size, (const uint8_t *)id, (uint32_t)strlen(id));
}

static int32_t append(const char *text) {
    return functions()->ota_write(&port.port, (const uint8_t *)text, (uint32_t)strlen(text));
}

static int32_t verify(uint32_t algorithm, const char *hex) {
    int32_t result = 0;
    for (int i = 0; i < 100 && result == 0; i++) {
        result = functions()->ota_verify(&port.port, algorithm, hex, (uint32_t)strlen(hex));
        functions()->step(&port.port);
    }
    return result;
}

static int32_t commit(void) {
    int32_t result = 0;
    for (int i = 0; i < 10 && result == 0; i++) {
        result = functions()->ota_commit(&port.port);
        functions()->step(&port.port);
    }
    return result;
}

static void write_image(uint32_t kind, const char *image) {
    CHECK_EQUAL(begin(kind, (uint32_t)strlen(image), image), 0);
    CHECK_EQUAL(append(image), strlen(image));
}

// md5sum and its sisters; for CRC-32 zlib's documentation and Python, for MurmurHash3 the HashCode texts of Guava's tests.
static void checksums(void) {
    static const struct {
        uint32_t algorithm;
        const char *image, *hex;
    } known[] = {
        {MOTE_OTA_ALGORITHM_MD5, FOX, "9e107d9d372bb6826bd81d3542a419d6"},
        {MOTE_OTA_ALGORITHM_SHA256, FOX, "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"},
        {MOTE_OTA_ALGORITHM_SHA384, FOX, "ca737f1014a48f4c0b6dd43cb177b0afd9e5169367544c494011e3317dbf9a509cb1e5dc1e85a941bbee3d7f2afbc9b1"},
        {MOTE_OTA_ALGORITHM_SHA512, FOX, "07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb642e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6"},
        {MOTE_OTA_ALGORITHM_CRC32, "123456789", "2639f4cb"},
        {MOTE_OTA_ALGORITHM_CRC32, FOX, "39a34f41"},
        {MOTE_OTA_ALGORITHM_CRC32, "image 13", "0b1965e5"},
        {MOTE_OTA_ALGORITHM_CRC32, "image 174", "ad62ed00"},
        {MOTE_OTA_ALGORITHM_MURMUR3_32, "hello", "47fa8b24"},
        {MOTE_OTA_ALGORITHM_MURMUR3_32, FOX, "23f74f2e"},
        {MOTE_OTA_ALGORITHM_MURMUR3_128, "hello", "029bbd41b3a7d8cb191dae486a901e5b"},
        {MOTE_OTA_ALGORITHM_MURMUR3_128, FOX, "6c1b07bc7bbc4be347939ac4a93c437a"},
    };
    CHECK_EQUAL(open_again(""), MOTE_STATUS_OK);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char other[160];
        uint32_t algorithm = known[i].algorithm;
        write_image(MOTE_OTA_KIND_FIRMWARE, known[i].image);
        CHECK_EQUAL(functions()->ota_verify(&port.port, algorithm, known[i].hex, (uint32_t)strlen(known[i].hex)), 0);
        CHECK_EQUAL(verify(algorithm, known[i].hex), 1);
        snprintf(other, sizeof other, "%s", known[i].hex);
        for (char *c = other; *c != 0; c++) *c = (char)(*c >= 'a' ? *c - 32 : *c);
        CHECK_EQUAL(verify(algorithm, other), 1);
        other[3] = other[3] == '0' ? '1' : '0';
        CHECK_EQUAL(verify(algorithm, other), MOTE_STATUS_INVALID_VALUE);
        CHECK_EQUAL(verify(algorithm, ""), MOTE_STATUS_INVALID_VALUE);
        CHECK_EQUAL(functions()->ota_abort(&port.port), MOTE_STATUS_OK);
    }
}

static void an_image_goes_on_after_a_restart(void) {
    CHECK_EQUAL(open_again(",\"image_size\":50"), MOTE_STATUS_OK);
    CHECK_EQUAL(begin(MOTE_OTA_KIND_FIRMWARE, 51, "a"), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(append("x"), MOTE_STATUS_BAD_STATE);
    CHECK_EQUAL(begin(MOTE_OTA_KIND_FIRMWARE, 43, "app 2"), 0);
    CHECK_EQUAL(append("The quick brown fox "), 20);
    CHECK_EQUAL(verify(MOTE_OTA_ALGORITHM_CRC32, "39a34f41"), MOTE_STATUS_BAD_STATE); // not whole
    CHECK_EQUAL(commit(), MOTE_STATUS_BAD_STATE);

    CHECK_EQUAL(open_again(""), MOTE_STATUS_OK);
    CHECK_EQUAL(begin(MOTE_OTA_KIND_SOFTWARE, 43, "app 2"), 0); // the other kind is another image
    CHECK_EQUAL(begin(MOTE_OTA_KIND_FIRMWARE, 43, "app 2"), 20);
    CHECK_EQUAL(append("jumps over the lazy dog."), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(append("jumps over the lazy dog"), 23);
    CHECK_EQUAL(verify(MOTE_OTA_ALGORITHM_CRC32, "39a34f41"), 1);

    CHECK_EQUAL(begin(MOTE_OTA_KIND_FIRMWARE, 43, "app 3"), 0);
    CHECK_EQUAL(begin(MOTE_OTA_KIND_FIRMWARE, 43, "app 2"), 0); // app 3 took its place
    CHECK_EQUAL(functions()->ota_abort(&port.port), MOTE_STATUS_OK);
    CHECK_EQUAL(functions()->ota_abort(&port.port), MOTE_STATUS_BAD_STATE);
}

// What the disk took stays, and the image goes on from there.
static void a_full_disk_is_told(void) {
    struct rlimit limit, small;
    CHECK_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 20;
    signal(SIGXFSZ, SIG_IGN);
    CHECK_EQUAL(begin(MOTE_OTA_KIND_FIRMWARE, 43, "full"), 0);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    int32_t first = append(FOX);
    int32_t second = append(FOX + 20);
    CHECK_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
    CHECK_EQUAL(first, 20);
    CHECK_EQUAL(second, MOTE_STATUS_STORE_FAILED);
    CHECK_EQUAL(append(FOX + 20), 23);
    CHECK_EQUAL(verify(MOTE_OTA_ALGORITHM_CRC32, "39a34f41"), 1);
    CHECK_EQUAL(functions()->ota_abort(&port.port), MOTE_STATUS_OK);
}

static int32_t boot_state(void) {
    return functions()->ota_boot_state(&port.port);
}

static bool image_is(const char *name, const char *expected) {
    char path[128];
    char text[64] = "";
    snprintf(path, sizeof path, "%s/files/images/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return strcmp(text, expected) == 0;
}

// A folder where the file would be written stands for a disk that takes nothing more.
static void block_boot(bool blocks) {
    char path[128];
    snprintf(path, sizeof path, "%s/files/images/boot.next", folder);
    CHECK_EQUAL(blocks ? mkdir(path, 0700) : rmdir(path), 0);
}

static void firmware_is_on_trial(void) {
    open_again("");
    CHECK_EQUAL(boot_state(), MOTE_OTA_BOOT_STATE_NORMAL);
    write_image(MOTE_OTA_KIND_FIRMWARE, "first");
    CHECK_EQUAL(commit(), 1);
    CHECK(image_is("firmware.image", "first"));
    CHECK_EQUAL(permissions("images/firmware.image"), 0600);
    CHECK_EQUAL(boot_state(), MOTE_OTA_BOOT_STATE_NORMAL); // it still is the old program that runs
    open_again("");
    CHECK_EQUAL(boot_state(), MOTE_OTA_BOOT_STATE_UNCONFIRMED);
    CHECK_EQUAL(functions()->ota_confirm(&port.port), 1);
    CHECK_EQUAL(boot_state(), MOTE_OTA_BOOT_STATE_NORMAL);

    write_image(MOTE_OTA_KIND_FIRMWARE, "second");
    CHECK_EQUAL(commit(), 1);
    CHECK(image_is("firmware.image", "second") && image_is("firmware.previous", "first"));
    // What cannot be noted is told, or the trial would begin again at each boot.
    block_boot(true);
    CHECK_EQUAL(open_again(""), MOTE_STATUS_STORE_FAILED);
    block_boot(false);
    CHECK_EQUAL(open_again(""), MOTE_STATUS_OK);
    CHECK_EQUAL(boot_state(), MOTE_OTA_BOOT_STATE_UNCONFIRMED);
    block_boot(true);
    CHECK_EQUAL(open_again(""), MOTE_STATUS_STORE_FAILED);
    block_boot(false);
    CHECK_EQUAL(open_again(""), MOTE_STATUS_OK);
    CHECK_EQUAL(boot_state(), MOTE_OTA_BOOT_STATE_ROLLED_BACK);
    CHECK(image_is("firmware.image", "first"));

    write_image(MOTE_OTA_KIND_SOFTWARE, "program");
    CHECK_EQUAL(commit(), 1);
    CHECK(image_is("software.image", "program"));
    CHECK(exists("images/boot"));
}
#endif

void test_storage(void) {
    char command[128];
    CHECK(mkdtemp(folder) != NULL);
    areas_are_flash();
    a_disk_that_fails_is_told();
    a_folder_has_one_user();
    wrong_settings_are_named();
    files_stay_where_they_were_made();
    a_refusal_leaves_nothing_behind();
#ifdef MOTE_POSIX_MBEDTLS
    checksums();
    an_image_goes_on_after_a_restart();
    a_full_disk_is_told();
    firmware_is_on_trial();
#endif
    mote_posix_free(&port);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_EQUAL(system(command), 0);
}
