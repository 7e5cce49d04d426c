// The POSIX port where the system refuses: errors are told at once, no descriptor stays behind, a clock that was not set is none.
#include "harness.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "net.h"

#define ATTEMPTS 1000

static mote_posix_t port;
static int send_error; // of the next write to a socket
static int64_t clock_s; // what the clock shows, in place of the time; 0 = the time

static const mote_port_functions_t *functions(void) {
    return port.port.functions;
}

// Takes the place of the C library's.
ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    if (send_error == 0) return syscall(SYS_sendmsg, socket, message, flags);
    errno = send_error;
    send_error = 0;
    return -1;
}

// Likewise.
int clock_gettime(clockid_t clock, struct timespec *now) {
    if (clock != CLOCK_REALTIME || clock_s == 0) return (int)syscall(SYS_clock_gettime, clock, now);
    *now = (struct timespec){.tv_sec = (time_t)clock_s, .tv_nsec = 999999999};
    return 0;
}

static uint32_t descriptors(void) {
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) count++;
    if (folder != NULL) closedir(folder);
    return count;
}

static int listen_at(uint32_t *out_port_number) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(server >= 0 && bind(server, (struct sockaddr *)&address, sizeof address) == 0 && listen(server, 8) == 0);
    CHECK_EQUAL(getsockname(server, (struct sockaddr *)&address, &length), 0);
    *out_port_number = ntohs(address.sin_port);
    return server;
}

static int32_t open_to(uint32_t port_number, uint32_t flags) {
    return functions()->net_open(&port.port, "127.0.0.1", 9, port_number, flags);
}

// Waits until the connection is more than on its way.
static int32_t until_settled(int32_t handle) {
    int32_t state = MOTE_NET_STATE_CONNECTING;
    for (int i = 0; i < 10000 && state == MOTE_NET_STATE_CONNECTING; i++) {
        functions()->wait(&port.port, 1000, MOTE_WANT_WORK);
        state = functions()->net_state(&port.port, handle);
    }
    return state;
}

static int32_t connect_to(int server, uint32_t port_number, int *out_peer) {
    int32_t handle = open_to(port_number, 0);
    CHECK_EQUAL(until_settled(handle), MOTE_NET_STATE_OPEN);
    *out_peer = accept(server, NULL, NULL);
    CHECK(*out_peer >= 0);
    return handle;
}

static void a_write_that_fails_is_told(void) {
    uint32_t port_number;
    int peer;
    int server = listen_at(&port_number);
    int32_t handle = connect_to(server, port_number, &peer);
    CHECK_EQUAL(functions()->net_send(&port.port, handle, (const uint8_t *)"x", 1), 1);
    send_error = ENOBUFS;
    int64_t begin_ms = functions()->now_ms(&port.port);
    functions()->wait(&port.port, 5000, MOTE_WANT_READABLE); // nothing arrives, and nobody polls before it returns
    CHECK(functions()->now_ms(&port.port) - begin_ms < 4000);
    CHECK_EQUAL(functions()->net_state(&port.port, handle), MOTE_STATUS_NETWORK_FAILED);
    functions()->net_close(&port.port, handle);
    close(peer);
    close(server);
}

static void begin_again(void) {
    mote_posix_free(&port);
    CHECK_EQUAL(mote_posix_init(&port), MOTE_STATUS_OK);
}

static void nothing_is_left_open(void) {
    uint32_t port_number;
    begin_again();
    uint32_t before = descriptors();
    int server = listen_at(&port_number);
    for (int i = 0; i < ATTEMPTS; i++) { // the peer closes, resets, or the client goes first
        int peer;
        int32_t handle = connect_to(server, port_number, &peer);
        if (i % 3 == 0) setsockopt(peer, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
        if (i % 3 != 2) close(peer);
        functions()->step(&port.port);
        functions()->net_close(&port.port, handle);
        if (i % 3 == 2) close(peer);
        functions()->step(&port.port);
    }
    close(server);
    for (int i = 0; i < ATTEMPTS; i++) {
        int32_t handle = open_to(port_number, 0);
        CHECK_EQUAL(until_settled(handle), MOTE_STATUS_CONNECTION_REFUSED);
        functions()->net_close(&port.port, handle);
    }
    for (int i = 0; i < ATTEMPTS; i++) { // given up in the middle
        int32_t handle = open_to(port_number, 0);
        if (i % 2 == 0) functions()->step(&port.port);
        functions()->net_close(&port.port, handle);
    }
    begin_again();
    CHECK_EQUAL(descriptors(), before);
}

static void without_descriptors_it_fails_by_name(void) {
    static mote_posix_t second;
    uint32_t port_number;
    struct rlimit limit, none;
    int server = listen_at(&port_number);
    CHECK_EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &none), 0);
    int32_t handle = open_to(port_number, 0);
    functions()->step(&port.port);
    CHECK_EQUAL(functions()->net_state(&port.port, handle), MOTE_STATUS_NETWORK_FAILED);
    functions()->net_close(&port.port, handle);
    CHECK_EQUAL(mote_posix_init(&second), MOTE_STATUS_NETWORK_FAILED);
    mote_posix_free(&second);
    CHECK_EQUAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int peer;
    handle = connect_to(server, port_number, &peer);
    functions()->net_close(&port.port, handle);
    close(peer);
    close(server);
}

// A name is still being looked up in its thread when the client, and then the port, is gone.
static void a_look_up_may_outlive_its_port(void) {
    mote_posix_free(&port);
    uint32_t before = descriptors();
    for (int i = 0; i < 100; i++) {
        CHECK_EQUAL(mote_posix_init(&port), MOTE_STATUS_OK);
        int32_t handle = functions()->net_open(&port.port, "localhost", 9, 9, 0);
        functions()->step(&port.port);
        if (i % 2 == 0) functions()->net_close(&port.port, handle);
        mote_posix_free(&port);
    }
    for (int i = 0; i < 10000 && descriptors() != before; i++) poll(NULL, 0, 1); // until the last thread has ended
    CHECK_EQUAL(descriptors(), before);
    CHECK_EQUAL(mote_posix_init(&port), MOTE_STATUS_OK);
    int32_t handle = functions()->net_open(&port.port, "localhost", 9, 9, 0);
    CHECK_EQUAL(until_settled(handle), MOTE_STATUS_CONNECTION_REFUSED);
    functions()->net_close(&port.port, handle);
}

// As a signal may that comes when the program ends.
static void a_wake_that_is_late_is_nothing(void) {
    mote_posix_free(&port);
    functions()->wake(&port.port);
    CHECK_EQUAL(mote_posix_init(&port), MOTE_STATUS_OK);
    functions()->wake(&port.port);
    int64_t begin_ms = functions()->now_ms(&port.port);
    functions()->wait(&port.port, 5000, 0);
    CHECK(functions()->now_ms(&port.port) - begin_ms < 4000);
}

#ifdef MOTE_POSIX_MBEDTLS
static void a_handshake_goes_on_when_bytes_come(void) {
    static const char config[] = "{\"tls\":{\"verify\":false}}";
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    uint32_t port_number;
    int server = listen_at(&port_number);
    CHECK_EQUAL(mote_posix_configure(&port, config, sizeof config - 1, "."), MOTE_STATUS_OK);
    int32_t handle = open_to(port_number, MOTE_NET_FLAG_TLS);
    functions()->step(&port.port);
    int peer = accept(server, NULL, NULL);
    functions()->step(&port.port); // says its hello
    struct pollfd watched[2];
    int64_t timeout_ms = 5000;
    CHECK_EQUAL(mote_posix_watch(&port, watched, &timeout_ms), 1);
    CHECK_EQUAL(watched[0].events, POLLIN);
    CHECK_EQUAL(timeout_ms, 5000);
    CHECK_EQUAL(write(peer, answer, sizeof answer - 1), sizeof answer - 1);
    CHECK_EQUAL(until_settled(handle), MOTE_STATUS_TLS_HANDSHAKE_FAILED);
    functions()->net_close(&port.port, handle);
    close(peer);
    close(server);
    begin_again();
}
#endif

// Certificates are checked by it: none is better than that of a machine which begins in 1970.
static void a_clock_that_was_not_set_shows_no_time(void) {
    clock_s = 1;
    CHECK_EQUAL(functions()->unix_ms(&port.port), 0);
    clock_s = 1704067199; // a second before 2024
    CHECK_EQUAL(functions()->unix_ms(&port.port), 0);
    clock_s = 1704067200;
    CHECK_EQUAL(functions()->unix_ms(&port.port), INT64_C(1704067200999));
    clock_s = 0;
}

void test_net(void) {
    CHECK_EQUAL(mote_posix_init(&port), MOTE_STATUS_OK);
    CHECK_EQUAL(functions()->capabilities, 0); // no TLS before it is configured
    CHECK_EQUAL(open_to(1, MOTE_NET_FLAG_TLS), MOTE_STATUS_TLS_UNSUPPORTED);
    a_clock_that_was_not_set_shows_no_time();
    a_write_that_fails_is_told();
    nothing_is_left_open();
    without_descriptors_it_fails_by_name();
    a_look_up_may_outlive_its_port();
    a_wake_that_is_late_is_nothing();
#ifdef MOTE_POSIX_MBEDTLS
    a_handshake_goes_on_when_bytes_come();
#endif
    mote_posix_free(&port);
}
