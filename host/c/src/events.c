// Turns the module's event record into a mote_event_t and hands it on.
#include "client.h"

static bool read_span(const mote_t *mote, const uint8_t *field, mote_span_t *out_span) {
    uint32_t address = mote_load_u32(field);
    uint32_t length = mote_load_u32(field + 4);
    out_span->data = (const char *)mote->memory + address;
    out_span->length = length;
    return mote_memory_holds(mote, address, length);
}

// A record that does not fit its memory is a broken module: it ends like a trap, and nothing of it is shown.
bool mote_event_read(mote_t *mote, int32_t kind) {
    const uint8_t *record = mote->memory + mote->event_address;
    mote_event_t *event = &mote->event;
    event->kind = (mote_event_kind_t)kind;
    event->flags = record[MOTE_EVENT_FIELD_FLAGS];
    event->id = (int32_t)mote_load_u32(record + MOTE_EVENT_FIELD_ID);
    event->reason = (int32_t)mote_load_u32(record + MOTE_EVENT_FIELD_REASON);
    event->total = mote_load_u32(record + MOTE_EVENT_FIELD_TOTAL);
    event->offset = mote_load_u32(record + MOTE_EVENT_FIELD_OFFSET);
    bool valid = record[MOTE_EVENT_FIELD_KIND] == kind &&
                 (mote_load_u32(record + MOTE_EVENT_FIELD_SIZE) & 0xffff) >= MOTE_EVENT_FIELD_END &&
                 read_span(mote, record + MOTE_EVENT_FIELD_TOPIC, &event->topic) &&
                 read_span(mote, record + MOTE_EVENT_FIELD_PAYLOAD, &event->payload) &&
                 read_span(mote, record + MOTE_EVENT_FIELD_NAME, &event->name) &&
                 read_span(mote, record + MOTE_EVENT_FIELD_VALUE, &event->value);
    if (!valid) {
        memset(event, 0, sizeof *event);
        mote_supervise_trapped(mote, "event record");
        return false;
    }
    if (kind == MOTE_EVENT_CONNECTED) mote->state = MOTE_STATE_CONNECTED; // it ends with its socket
    return true;
}

void mote_event_dispatch(mote_t *mote) {
    mote->dispatching = true;
    if (mote->event.kind == MOTE_EVENT_SESSION_LIMITS) mote_split_learn(mote, &mote->event);
    bool handlers = (mote->options.rpc_method_count | mote->options.shared_attribute_count) != 0;
    bool taken = handlers && mote_handlers_take(mote, &mote->event);
    mote_event_handler_t *tell = taken ? mote->options.on_taken : mote->options.on_event;
    // A handler by verb that stopped the client has ended the event.
    if (tell != NULL && mote->event.kind != MOTE_EVENT_NONE) tell(mote, &mote->event, mote->options.user);
    mote->dispatching = false;
}

const mote_event_t *mote_event(const mote_t *mote) {
    return &mote->event;
}

int32_t mote_release(mote_t *mote, bool accepted) {
    return mote_call(mote, MOTE_EXPORT_EVENT_RELEASE, 1,
                     (const uint32_t[]){accepted ? MOTE_RELEASE_ACCEPTED : MOTE_RELEASE_NOT_ACCEPTED});
}
