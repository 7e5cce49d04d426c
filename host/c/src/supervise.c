// What happens when the module traps: the instance ends, the firmware does not. ABI.md section 8.
#include "client.h"

static uint32_t stat_of(const mote_t *mote, mote_stat_t which) {
    return mote_load_u32(mote->memory + mote->stats_address + which);
}

// Messages that were queued and neither dropped nor acknowledged nor, with QoS 0, handed to the port. With both QoS in the outbox it is
// a lower bound: the counters do not tell which of them were sent. A broken module's counters are believed up to a limit.
static uint32_t count_lost(const mote_t *mote) {
    if (mote->stats_address == 0) return 0;
    uint32_t dropped = stat_of(mote, MOTE_STAT_MESSAGES_DROPPED);
    int32_t unacknowledged = (int32_t)(mote->acknowledged_queued - dropped - stat_of(mote, MOTE_STAT_MESSAGES_DELIVERED) -
                                       stat_of(mote, MOTE_STAT_MESSAGES_REJECTED));
    int32_t unsent = (int32_t)(stat_of(mote, MOTE_STAT_MESSAGES_QUEUED) - dropped - stat_of(mote, MOTE_STAT_MESSAGES_SENT) +
                               stat_of(mote, MOTE_STAT_MESSAGES_RESENT));
    int32_t lost = unacknowledged > unsent ? unacknowledged : unsent;
    return lost < 0 || lost > 65535 ? 0 : (uint32_t)lost;
}

static uint32_t traps_in_window(const mote_t *mote, uint32_t now_ms) {
    uint32_t count = 0;
    for (uint32_t i = 1; i <= mote->traps_known; i++) {
        if (now_ms - mote->trap_times_ms[(mote->traps - i) % MOTE_TRAPS_MAX] <= MOTE_TRAP_WINDOW_MS) count++;
    }
    return count;
}

// Full jitter under a ceiling that doubles with each trap of the window, like the module's own reconnect.
static uint32_t backoff_ms(const mote_t *mote, uint32_t now_ms) {
    uint32_t ceiling_ms = mote->backoff_min_ms;
    for (uint32_t i = traps_in_window(mote, now_ms); i > 1 && ceiling_ms < mote->backoff_max_ms; i--) ceiling_ms *= 2;
    if (ceiling_ms > mote->backoff_max_ms) ceiling_ms = mote->backoff_max_ms;
    return mote->options.port->functions->random_u32(mote->options.port) % (ceiling_ms + 1);
}

// How long until the next rebuild or restart. Nothing is ever due later than the longest backoff: what seems to be was due before half the
// range of the clock went by without a poll.
static uint32_t due_in_ms(const mote_t *mote, uint32_t now_ms) {
    uint32_t ahead_ms = mote->due_ms - now_ms;
    return ahead_ms <= mote->backoff_max_ms ? ahead_ms : 0;
}

static bool is_due(const mote_t *mote, uint32_t now_ms) {
    return due_in_ms(mote, now_ms) == 0;
}

void mote_connection_close(mote_t *mote) {
    if (mote->handle == 0) return;
    int32_t handle = mote->handle;
    mote->handle = 0;
    mote->touched = true;
    mote->state = mote->started ? MOTE_STATE_WAITING : MOTE_STATE_STOPPED;
    mote->options.port->functions->net_close(mote->options.port, handle);
}

// Called when the engine has returned with a trap. The instance is kept for reading until the next poll builds another.
void mote_supervise_trapped(mote_t *mote, const char *fault) {
    uint32_t now_ms = mote_now_ms(mote);
    mote->trap_times_ms[mote->traps % MOTE_TRAPS_MAX] = now_ms;
    mote->traps++;
    if (mote->traps_known < MOTE_TRAPS_MAX) mote->traps_known++;
    mote->lost += count_lost(mote);
    mote->stats_address = 0; // counted once
    mote->life = MOTE_LIFE_BROKEN;
    mote->due_ms = now_ms;
    mote->message_open = false;
    mote->message_limit = 0;
    mote->message_status = MOTE_STATUS_TRAPPED;
    mote->end_untold |= mote->state == MOTE_STATE_CONNECTED || mote->state == MOTE_STATE_DRAINING;
    mote_connection_close(mote);
    mote_log(mote, MOTE_LOG_LEVEL_ERROR, fault != NULL ? fault : "trapped");
    mote_fail(mote, MOTE_STATUS_TRAPPED, fault, 0);
}

static int32_t host_event(mote_t *mote, mote_event_kind_t kind, uint32_t total) {
    memset(&mote->event, 0, sizeof mote->event);
    mote->event.kind = kind;
    mote->event.reason = MOTE_STATUS_TRAPPED;
    mote->event.total = total;
    return (int32_t)kind;
}

static int32_t fail(mote_t *mote) {
    mote_instance_discard(mote);
    mote->life = MOTE_LIFE_FAILED;
    mote->started = false;
    mote->state = MOTE_STATE_STOPPED;
    uint32_t lost = mote->lost;
    mote->lost = 0;
    return host_event(mote, MOTE_EVENT_FAILED, lost);
}

static int32_t rebuild(mote_t *mote) {
    uint32_t now_ms = mote_now_ms(mote);
    if (traps_in_window(mote, now_ms) >= MOTE_TRAPS_MAX) return fail(mote);
    if (!is_due(mote, now_ms)) return MOTE_EVENT_NONE;
    mote_instance_discard(mote);
    mote->life = MOTE_LIFE_BROKEN;
    uint32_t traps = mote->traps;
    int32_t status = mote_instance_build(mote);
    if (status >= 0) mote_subscriptions_restore(mote);
    if (status < 0 || mote->life != MOTE_LIFE_ALIVE) {
        // An instance that cannot even be built counts like one that trapped, and the next attempt waits.
        if (mote->traps == traps) mote_supervise_trapped(mote, mote->error_text);
        mote->due_ms = now_ms + backoff_ms(mote, now_ms);
        return MOTE_EVENT_NONE;
    }
    mote->restart_pending = mote->started;
    mote->due_ms = now_ms + backoff_ms(mote, now_ms);
    uint32_t lost = mote->lost;
    mote->lost = 0;
    return host_event(mote, MOTE_EVENT_RESTARTED, lost);
}

// A start after Failed: the next poll builds an instance, as after a first trap.
void mote_supervise_again(mote_t *mote) {
    mote->traps_known = 0;
    mote->life = MOTE_LIFE_BROKEN;
    mote->due_ms = mote_now_ms(mote);
}

// The host's part of a poll: returns the kind of its own event, or None when the module may be polled.
int32_t mote_supervise(mote_t *mote) {
    if (mote->end_untold) {
        mote->end_untold = false;
        return host_event(mote, MOTE_EVENT_DISCONNECTED, 0);
    }
    if (mote->life == MOTE_LIFE_BROKEN) return rebuild(mote);
    if (mote->restart_pending && is_due(mote, mote_now_ms(mote))) {
        mote->restart_pending = false;
        mote_call(mote, MOTE_EXPORT_START, 0, NULL);
    }
    return MOTE_EVENT_NONE;
}

uint32_t mote_supervise_due_in_ms(const mote_t *mote) {
    bool waits = mote->life == MOTE_LIFE_BROKEN || (mote->life == MOTE_LIFE_ALIVE && mote->restart_pending);
    return waits ? due_in_ms(mote, mote_now_ms(mote)) : MOTE_NO_DEADLINE_MS;
}

uint32_t mote_traps(const mote_t *mote) {
    return mote->traps;
}
