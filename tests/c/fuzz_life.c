// A life from mote_init() to mote_free(): its steps, what must be true after each, and how it ends well.
#include "fuzz_life.h"

#include "module.h"

#define STEPS 250
#define ARENA_SIZE (320 * 1024)
#define POSTS_SIZE 300
// So many polls in a row that are asked for at once, without anything that happened, are a loop without end.
#define IDLE_POLLS_MAX 50
// Polls after which a client must have a session once all is well again, and its last message an acknowledgement.
#define RECOVERY_POLLS 3000

// Messages that wait, or have left in part: they entered the outbox, and were neither dropped nor sent.
static uint32_t unsent(const mote_t *mote) {
    return mote_stat(mote, MOTE_STAT_MESSAGES_QUEUED) - mote_stat(mote, MOTE_STAT_MESSAGES_DROPPED) - mote_stat(mote, MOTE_STAT_MESSAGES_SENT) + mote_stat(mote, MOTE_STAT_MESSAGES_RESENT);
}

static void check_life(life_t *life) {
    const mote_t *mote = &life->mote;
    fuzz_check_guards(life, "the arena", life->arena, life->options.arena_size);
    fuzz_check_guards(life, "the posts", life->posts, POSTS_SIZE);
    if (life->is_locked) life_blame(life, "the queue of posts stays locked");
    if (strcmp(mote_state_name((int32_t)mote_state(mote)), "Unknown") == 0) life_blame(life, "a state that has no name: %d", (int)mote_state(mote));
    if (mote->posts_length > POSTS_SIZE) life_blame(life, "more posts than there is room for");
    if (mote->life != MOTE_LIFE_ALIVE) {
        if (mote->message_open) life_blame(life, "a message is open where no module is");
        return;
    }
    bool may_drop = strstr(life->config, "outbox_drop_oldest") != NULL; // what was sent once, too
    if ((int32_t)unsent(mote) < 0 && !may_drop) life_blame(life, "%u more messages were sent than queued", (unsigned)-unsent(mote));
    if (mote->message_length > mote->staging_capacity) life_blame(life, "a message of %u bytes in %u", (unsigned)mote->message_length, (unsigned)mote->staging_capacity);
}

// Polls once; whether anything happened.
static bool poll(life_t *life, int32_t *out_kind) {
    mote_t *mote = &life->mote;
    uint32_t actions = life->actions;
    int32_t kind = mote_poll(mote);
    int32_t deadline_ms = mote_deadline_ms(mote);
    life_note(life, "poll: %d, deadline %d, wants %d, state %d, traps %u, unsent %u", (int)kind, (int)deadline_ms, (int)mote_wants(mote), (int)mote_state(mote),
              (unsigned)mote_traps(mote), (unsigned)unsent(mote));
    life_check_result(life, "mote_poll", kind);
    if (deadline_ms < 0) life_blame(life, "the deadline is %d", (int)deadline_ms);
    bool idle = kind <= 0 && life->actions == actions;
    life->idle_polls = idle && deadline_ms == 0 ? life->idle_polls + 1 : 0;
    if (life->idle_polls > IDLE_POLLS_MAX) life_blame(life, "the client asks to be polled at once for ever");
    fuzz_app_poll(life);
    if (out_kind != NULL) *out_kind = kind;
    return !idle;
}

static void step(life_t *life) {
    static const int64_t jumps_ms[] = {1, 100, 1000, 5000, 30000, 130000, 600000, 86400000, 1ll << 30};
    static const int64_t times_ms[] = {0, 1760000000000, -1, INT64_MIN, INT64_MAX, 1};
    static const int32_t links[] = {LINK_OPEN, LINK_OPEN, MOTE_STATUS_CONNECTION_CLOSED, MOTE_STATUS_CONNECTION_RESET, MOTE_STATUS_TLS_UNTRUSTED};
    static const uint32_t rooms[] = {0, 1, 7, 50};
    uint32_t what = random_below(100);
    if (what < 23) fuzz_use(life);
    else if (what < 24) fuzz_pieces(life);
    else if (what < 25) fuzz_whole(life);
    else if (what < 72) poll(life, NULL);
    else if (what < 83) fuzz_server_say(life);
    else if (what < 90) life->port.now_ms += jumps_ms[random_below(life->trouble > 50 ? sizeof jumps_ms / sizeof jumps_ms[0] : 4)];
    else if (what < 92) life->port.unix_ms = PICK(times_ms);
    else if (what < 94 && life->trouble > 0) life->port.link = PICK(links);
    else if (what < 96 && life->trouble > 0) life->port.room = PICK(rooms);
    else if (what < 98) life->port.room = UINT32_MAX;
    else if (what < 99) fuzz_post(life);
    else if (life->has_app) fuzz_app_end(life);
    else fuzz_app_begin(life);
}

// ----------------------------------------------------------------------- recovery

// Polls, and sleeps where there is nothing else to do.
static int32_t poll_well(life_t *life) {
    int32_t kind;
    if (!poll(life, &kind) && (life->port.handle == 0 || life->port.count == 0)) mote_wait(&life->mote, 3600000);
    return kind;
}

// A session has to come about, whatever was before; false where the server has no credentials for this client, which an event tells.
static bool connects(life_t *life) {
    mote_t *mote = &life->mote;
    int32_t status = mote_start(mote);
    if (status != MOTE_STATUS_OK) life_blame(life, "mote_start() answered %s", mote_status_name(status));
    for (uint32_t polls = 0; polls < RECOVERY_POLLS && life->fault[0] == 0; polls++) {
        if (poll_well(life) == MOTE_EVENT_PROVISIONING_FAILED) return false;
        if (mote_state(mote) == MOTE_STATE_CONNECTED) return true;
    }
    life_blame(life, "no session though all was well again");
    return false;
}

// What is queued now arrives, and all that was queued before it has left. What the client itself has to say may take its place, where that is configured.
static void delivers(life_t *life) {
    mote_t *mote = &life->mote;
    uint32_t polls = 0;
    bool delivered = false;
    while (!delivered && polls < RECOVERY_POLLS && life->fault[0] == 0) {
        uint32_t dropped = mote_stat(mote, MOTE_STAT_MESSAGES_DROPPED);
        mote_begin(mote);
        mote_add_boolean(mote, "last", true);
        int32_t id = mote_send_telemetry(mote, &(const mote_publish_options_t){.qos = 1});
        life_note(life, "the last message: %d", (int)id);
        if (id <= 0 && id != MOTE_STATUS_FULL) life_blame(life, "the last message answered %s", mote_status_name(id));
        do delivered = poll_well(life) == MOTE_EVENT_DELIVERED && mote_event(mote)->id == id;
        while (!delivered && id > 0 && polls++ < RECOVERY_POLLS && mote_stat(mote, MOTE_STAT_MESSAGES_DROPPED) == dropped);
        polls++;
    }
    if (!delivered) life_blame(life, "the last message does not arrive");
    // The module takes back what connects a child without a session, and requests for chunks, without a word to the counters.
    if ((mote_features(mote) & MOTE_FEATURE_GATEWAY) != 0 || strstr(life->config, "firmware_title") != NULL) return;
    for (; (int32_t)unsent(mote) > 0 && polls < RECOVERY_POLLS && life->fault[0] == 0; polls++) poll_well(life);
    if ((int32_t)unsent(mote) > 0) life_blame(life, "%u messages are neither sent nor dropped", (unsigned)unsent(mote));
}

// What was declared is subscribed to in the new session.
static void check_filters(life_t *life) {
    const mote_t *mote = &life->mote;
    for (uint32_t at = 0, length; at < mote->subscriptions_length; at += 4 + length) {
        const uint8_t *entry = mote->subscriptions + at;
        length = (uint32_t)entry[0] | (uint32_t)entry[1] << 8;
        bool found = false;
        for (uint32_t heard = 0; heard < life->filters_length && !found; heard += 2 + ((uint32_t)life->filters[heard] << 8 | life->filters[heard + 1])) {
            found = life->filters[heard] == entry[1] && life->filters[heard + 1] == entry[0] && memcmp(life->filters + heard + 2, entry + 4, length) == 0;
        }
        if (!found) life_blame(life, "nobody subscribes to %.*s, which was declared", (int)length, (const char *)entry + 4);
    }
}

// All is well again.
static void recover(life_t *life) {
    fuzz_app_end(life);
    fuzz_port_become_reliable(life);
    life_note(life, "all is well again");
    mote_cancel(&life->mote);
    life->mote.trap_next = false;
    life_check_result(life, "mote_stop", mote_stop(&life->mote));
    if (chance(10) && life->options.secret == NULL) {
        mote_free(&life->mote);
        life->is_second = true;
        int32_t status = mote_init(&life->mote, &life->options);
        if (status != MOTE_STATUS_OK) life_blame(life, "the second mote_init() answered %s", mote_status_name(status));
    }
    if (!connects(life)) return;
    for (uint32_t count = random_below(4); count > 0; count--) fuzz_pieces(life);
    fuzz_whole(life);
    delivers(life);
    check_filters(life);
    if (!life->is_second) fuzz_pieces_check(life);
}

// ---------------------------------------------------------------------------- life

static void take_arena(life_t *life, size_t size) {
    life->options.arena_size = size;
    life->options.arena = life->arena = fuzz_guarded(size);
}

// Leaves the interpreter hardly more room than a first load takes.
static void tighten(life_t *life) {
    size_t more = random_below(16000);
    life->is_tight = true;
    life->options.compile_on_first_call = true;
    life->options.secret = NULL;
    if (life->options.module == NULL || mote_init(&life->mote, &life->options) != MOTE_STATUS_OK) return;
    size_t used = mote_arena_used(&life->mote);
    mote_free(&life->mote);
    fuzz_give_back(life->arena, life->options.arena_size);
    take_arena(life, used + more);
}

static bool init(life_t *life) {
    bool spoilt = chance(5);
    if (spoilt) spoil_byte(life->config, (uint32_t)life->options.config_length);
    bool unfit = chance(5);
    mote_options_t options = life->options;
    switch (unfit ? random_below(8) : 8) {
    case 0: options.config = NULL; break;
    case 1: options.port = NULL; break;
    case 2: options.arena = NULL; break;
    case 3: options.arena = life->arena + 4; break;
    case 4: options.memory_size = random_below(70000); break;
    case 5: options.arena_size = random_below(3000); break;
    case 6: options.subscriptions_size = INT32_MAX - (int32_t)random_below(3); break;
    case 7: options.config_length = random_below((uint32_t)options.config_length); break;
    default: break;
    }
    int32_t status = mote_init(&life->mote, &options);
    life_note(life, "%s: %d %s", life->config, (int)status, life->profile);
    life_check_result(life, "mote_init", status);
    if (status < 0 && !spoilt && !unfit && life->options.secret == NULL) {
        mote_span_t text = mote_error_text(&life->mote);
        life_blame(life, "mote_init() answered %s for %.*s", mote_status_name(status), (int)text.length, text.data);
    }
    return status >= 0;
}

void fuzz_live(life_t *life, uint32_t seed) {
    static const uint32_t troubles[] = {0, 10, 40, 100};
    random_seed(seed);
    fuzz_port_init(life);
    life->is_roomy = chance(10);
    fuzz_configure(life);
    life->trouble = PICK(troubles);
    life->options.config = life->config;
    life->options.config_length = strlen(life->config);
    life->options.port = &life->port.port;
    life->options.memory_size = life->is_roomy ? 65536 : 24576;
    take_arena(life, ARENA_SIZE);
    life->posts = fuzz_guarded(POSTS_SIZE);
    if (chance(70)) {
        life->options.post_buffer = life->posts;
        life->options.post_buffer_size = POSTS_SIZE;
    }
    life->options.subscriptions_size = chance(70) ? 0 : (int32_t)random_below(200) - 20;
    life->options.compile_on_first_call = chance(20);
    life->options.split_points = chance(70) ? 0 : random_below(4);
    fuzz_handlers_set(life);
    mote_module_find(life->profile, &life->options);
    life->is_alone = true;
    if (chance(5)) tighten(life);
    if (init(life)) {
        life->is_alone = false;
        if (chance(35)) fuzz_app_begin(life);
        if (chance(90)) mote_start(&life->mote);
        for (int i = 0; i < STEPS && life->fault[0] == 0; i++) {
            step(life);
            check_life(life);
        }
        if (life->fault[0] == 0 && !life->is_tight) recover(life);
    }
    life->is_alone = true;
    fuzz_app_end(life);
    mote_free(&life->mote);
    if (life->port.handle != 0) life_blame(life, "a connection stays open");
    for (int i = 0; i < 3; i++) fuzz_use(life);
    check_life(life);
    if (life->is_tight) life->digest = 0; // what is compiled when is the engine's
    fuzz_give_back(life->arena, life->options.arena_size);
    fuzz_give_back(life->posts, POSTS_SIZE);
}
