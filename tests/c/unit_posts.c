// What tasks may do other than the one that polls.
#include <pthread.h>
#include <sched.h>

#include "harness.h"
#include "mote_posix.h"

static client_t client;

#define TASKS 4
#define POSTS 50

static mote_t *target;
static uint64_t post_buffer[512 / 8];

static void *post_many(void *number) {
    for (int i = 0; i < POSTS; i++) {
        mote_post_t post;
        uint32_t bytes[24];
        mote_post_begin(&post, bytes, sizeof bytes);
        mote_post_integer(&post, "task", *(const int *)number);
        mote_post_integer(&post, "i", i);
        while (mote_post_telemetry(target, &post) == MOTE_STATUS_FULL) {}
    }
    return NULL;
}

// The lock is that of the POSIX port; the bytes go to the test.
static mote_posix_t posix;
static void lock(mote_port_t *port) {
    (void)port;
    posix.port.functions->lock(&posix.port);
}
static void unlock(mote_port_t *port) {
    (void)port;
    posix.port.functions->unlock(&posix.port);
}

static void other_tasks_post(void) {
    static const int numbers[TASKS] = {0, 1, 2, 3};
    pthread_t threads[TASKS];
    CHECK_EQUAL(mote_posix_init(&posix), MOTE_STATUS_OK);
    client_prepare_posts(&client, lock, unlock, post_buffer, sizeof post_buffer);
    CHECK_EQUAL(mote_init(&client.mote, &client.options), MOTE_STATUS_OK);
    client_connect(&client);
    target = &client.mote;
    for (int i = 0; i < TASKS; i++) CHECK_EQUAL(pthread_create(&threads[i], NULL, post_many, (void *)(uintptr_t)&numbers[i]), 0);
    // However slowly the tasks get their turn: who stopped serving would leave them before a full buffer for ever.
    while (client.event_counts[MOTE_EVENT_DELIVERED] < TASKS * POSTS) {
        client_serve(&client);
        sched_yield();
    }
    for (int i = 0; i < TASKS; i++) pthread_join(threads[i], NULL);
    CHECK_EQUAL(client.event_counts[MOTE_EVENT_DELIVERED], TASKS * POSTS);
    CHECK_EQUAL(client_count_sent(&client, "{\"task\":"), TASKS * POSTS);
    CHECK_EQUAL(client_count_sent(&client, "{\"task\":2,\"i\":49}"), 1);
    CHECK_EQUAL(client.mote.posts_length, 0);

    mote_post_t post;
    uint32_t bytes[40];
    uint32_t refused = mote_posts_refused(target);
    mote_post_begin(&post, bytes, sizeof bytes);
    mote_post_json(&post, "bad", "{");
    CHECK_EQUAL(mote_post_attributes(target, &post), MOTE_STATUS_OK);
    CHECK_EQUAL(mote_post_attributes(target, &post), MOTE_STATUS_BAD_STATE);
    client_serve(&client);
    CHECK_EQUAL(mote_posts_refused(target), refused + 1);
    mote_post_begin(&post, bytes, sizeof bytes);
    mote_post_boolean(&post, "on", true);
    mote_post_decimal(&post, "d", -5, 1);
    mote_post_text(&post, "t", "x");
    CHECK_EQUAL(mote_post_attributes(target, &post), MOTE_STATUS_OK);
    client.sent_length = 0;
    client_serve(&client);
    CHECK(client_sent(&client, "v1/devices/me/attributes") && client_sent(&client, "{\"on\":true,\"d\":-0.5,\"t\":\"x\"}"));
    mote_post_begin(&post, bytes, 20);
    CHECK_EQUAL(mote_post_text(&post, "t", "x"), MOTE_STATUS_TOO_LARGE);
    CHECK_EQUAL(mote_post_telemetry(target, &post), MOTE_STATUS_TOO_LARGE);
    mote_free(&client.mote);
    mote_posix_free(&posix);
}

static void check_foreign(int32_t result) {
    CHECK_EQUAL(result, MOTE_STATUS_BAD_STATE);
    CHECK(mote_span_equals(mote_error_text(&client.mote), "task"));
}

static void another_task_is_told(void) {
    mote_t *mote = &client.mote;
    CHECK_EQUAL(client_init(&client, TEST_CONFIG), MOTE_STATUS_OK);
    client.port.task = 1; // who polls owns the client, not who made it
    client_connect(&client);
    client.port.task = 2;
    check_foreign(mote_begin(mote));
    check_foreign(mote_publish(mote, "t", "x", 1, NULL));
    check_foreign(mote_poll(mote));
    check_foreign(mote_stop(mote));
    check_foreign(mote_disconnect(mote));
    client.port.task = 1;
    CHECK_EQUAL(mote_state(mote), MOTE_STATE_CONNECTED);
    client.mote.trap_next = true;
    mote_poll(mote);
    client.port.task = 2;
    check_foreign(mote_start(mote));
    check_foreign(mote_disconnect(mote));
    client.port.task = 1;
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_DISCONNECTED);
    CHECK_EQUAL(mote_poll(mote), MOTE_EVENT_RESTARTED);
    CHECK(mote_publish(mote, "t", "x", 1, NULL) > 0);
    mote_free(mote);
}

void test_posts(void) {
    other_tasks_post();
    another_task_is_told();
}
