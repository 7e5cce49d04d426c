// Topics of the device profile, and the filters that must outlive an instance.
#include "record.h"

#define SUBSCRIPTION_HEADER 4 // u16 length, u8 qos, u8 whose

// Writes the options record behind `offset` bytes of the staging area. Its address, or 0: none, or no room.
uint32_t mote_options_write(mote_t *mote, uint32_t offset, const mote_publish_options_t *options) {
    if (options == NULL) return 0;
    offset = (offset + 3u) & ~3u;
    if (offset > mote->staging_capacity || mote->staging_capacity - offset < MOTE_OPTION_FIELD_END) return 0;
    uint32_t qos = options->qos;
    if (qos == MOTE_QOS_CONFIGURED) qos = mote_config_unsigned(mote->options.config, mote->options.config_length, "qos", 1);
    uint8_t *record = mote->memory + mote->staging_address + offset;
    mote_store_u32(record, (uint32_t)MOTE_OPTION_FIELD_END | qos << 16 | (uint32_t)options->retain << 24);
    return mote->staging_address + offset;
}

// Copies spans one behind the other into the staging area, which an open message would need for itself.
static int32_t stage(mote_t *mote, uint32_t *ref_offset, const void *from, size_t length) {
    if (mote->life != MOTE_LIFE_ALIVE) return MOTE_STATUS_TRAPPED;
    if (mote->message_open) return mote_fail(mote, MOTE_STATUS_BAD_STATE, "mote_begin", 0);
    if (length > mote->staging_capacity - *ref_offset) {
        return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", (int32_t)(*ref_offset + (uint32_t)length));
    }
    if (length != 0) memcpy(mote->memory + mote->staging_address + *ref_offset, from, length);
    *ref_offset += (uint32_t)length;
    return MOTE_STATUS_OK;
}

int32_t mote_publish(mote_t *mote, const char *topic, const void *payload, size_t length,
                     const mote_publish_options_t *options) {
    uint32_t topic_length = (uint32_t)strlen(topic);
    uint32_t offset = 0;
    int32_t status = stage(mote, &offset, topic, topic_length);
    if (status >= 0) status = stage(mote, &offset, payload, length);
    uint32_t record = status >= 0 ? mote_options_write(mote, offset, options) : 0;
    if (status == MOTE_STATUS_TOO_LARGE || (status >= 0 && record == 0 && options != NULL)) {
        return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "staging_buffer", (int32_t)mote_staged_size(topic_length + (uint32_t)length, options != NULL));
    }
    if (status < 0) return status;
    uint32_t base = mote->staging_address;
    const uint32_t values[] = {base, topic_length, base + topic_length, (uint32_t)length, record};
    return mote_queued(mote, mote_call(mote, MOTE_EXPORT_PUBLISH, 5, values));
}

// ------------------------------------------------------------- subscriptions

static uint32_t kept_length(const uint8_t *entry) {
    return (uint32_t)entry[0] | (uint32_t)entry[1] << 8;
}

// Offset of the kept filter, or the length of the list when there is none.
static uint32_t find_kept(const mote_t *mote, const char *filter, uint32_t length) {
    uint32_t at = 0;
    while (at < mote->subscriptions_length) {
        const uint8_t *entry = mote->subscriptions + at;
        if (kept_length(entry) == length && memcmp(entry + SUBSCRIPTION_HEADER, filter, length) == 0) break;
        at += SUBSCRIPTION_HEADER + kept_length(entry);
    }
    return at;
}

static void forget(mote_t *mote, uint32_t at) {
    if (at >= mote->subscriptions_length) return;
    uint32_t size = SUBSCRIPTION_HEADER + kept_length(mote->subscriptions + at);
    mote->subscriptions_length -= size;
    memmove(mote->subscriptions + at, mote->subscriptions + at + size, mote->subscriptions_length - at);
}

static void keep(mote_t *mote, const char *filter, uint32_t length, uint8_t qos, uint8_t owner) {
    uint8_t *entry = mote->subscriptions + mote->subscriptions_length;
    entry[0] = (uint8_t)length;
    entry[1] = (uint8_t)(length >> 8);
    entry[2] = qos;
    entry[3] = owner;
    memcpy(entry + SUBSCRIPTION_HEADER, filter, length);
    mote->subscriptions_length += SUBSCRIPTION_HEADER + length;
}

static int32_t declare(mote_t *mote, const char *filter, uint32_t length, uint8_t qos) {
    uint32_t offset = 0;
    int32_t status = stage(mote, &offset, filter, length);
    if (status < 0) return status;
    return mote_call(mote, MOTE_EXPORT_SUBSCRIBE, 3, (const uint32_t[]){mote->staging_address, length, qos});
}

int32_t mote_subscription_add(mote_t *mote, mote_span_t filter, uint8_t qos, uint8_t owner) {
    if (filter.length > UINT16_MAX) return mote_fail(mote, MOTE_STATUS_INVALID_TOPIC, "filter", 0);
    uint32_t at = find_kept(mote, filter.data, filter.length);
    bool known = at < mote->subscriptions_length;
    if (!known && SUBSCRIPTION_HEADER + filter.length > mote->subscriptions_capacity - mote->subscriptions_length) {
        return mote_fail(mote, MOTE_STATUS_TOO_LARGE, "subscriptions_size",
                         (int32_t)(mote->subscriptions_length + SUBSCRIPTION_HEADER + filter.length));
    }
    int32_t id = declare(mote, filter.data, filter.length, qos);
    if (id < 0) return id;
    if (known) {
        mote->subscriptions[at + 2] = qos;
        mote->subscriptions[at + 3] |= owner;
    } else {
        keep(mote, filter.data, filter.length, qos, owner);
    }
    return id;
}

// Nobody ends what only another one has declared, nor what both have.
int32_t mote_subscription_remove(mote_t *mote, mote_span_t filter, uint8_t owner) {
    uint32_t at = find_kept(mote, filter.data, filter.length);
    bool known = at < mote->subscriptions_length;
    uint8_t owners = known ? mote->subscriptions[at + 3] : 0;
    if ((owners & owner) == 0 && (known || owner == MOTE_OWNER_APP)) return mote_fail(mote, MOTE_STATUS_NOT_FOUND, "filter", 0);
    if ((owners & ~owner) != 0) {
        mote->subscriptions[at + 3] = (uint8_t)(owners & ~owner);
        return MOTE_STATUS_OK;
    }
    uint32_t offset = 0;
    int32_t status = stage(mote, &offset, filter.data, filter.length);
    if (status < 0) return status;
    status = mote_call(mote, MOTE_EXPORT_UNSUBSCRIBE, 2, (const uint32_t[]){mote->staging_address, filter.length});
    if (status >= 0) forget(mote, at);
    return status;
}

// Ends what an owner has declared, as far as the client can be called now.
void mote_subscriptions_end(mote_t *mote, uint8_t owner) {
    uint32_t at = 0;
    while (at < mote->subscriptions_length) {
        const uint8_t *entry = mote->subscriptions + at;
        uint32_t size = SUBSCRIPTION_HEADER + kept_length(entry);
        uint32_t before = mote->subscriptions_length;
        mote_span_t filter = {(const char *)entry + SUBSCRIPTION_HEADER, kept_length(entry)};
        if ((entry[3] & owner) != 0) mote_subscription_remove(mote, filter, owner);
        if (mote->subscriptions_length == before) at += size;
    }
}

// Bytes of the outbox that they take.
uint32_t mote_subscriptions_size(const mote_t *mote) {
    uint32_t size = 0;
    for (uint32_t at = 0; at < mote->subscriptions_length; at += SUBSCRIPTION_HEADER + kept_length(mote->subscriptions + at)) {
        size += mote_filter_size(kept_length(mote->subscriptions + at));
    }
    return size;
}

static mote_span_t span_of(const char *text) {
    size_t length = strlen(text);
    return (mote_span_t){text, length < UINT32_MAX ? (uint32_t)length : UINT32_MAX};
}

int32_t mote_subscribe(mote_t *mote, const char *filter, uint8_t qos) {
    return mote_subscription_add(mote, span_of(filter), qos, MOTE_OWNER_CLIENT);
}

int32_t mote_unsubscribe(mote_t *mote, const char *filter) {
    return mote_subscription_remove(mote, span_of(filter), MOTE_OWNER_CLIENT);
}

// Declares everything again in a new instance.
void mote_subscriptions_restore(mote_t *mote) {
    uint32_t at = 0;
    while (at < mote->subscriptions_length && mote->life == MOTE_LIFE_ALIVE) {
        const uint8_t *entry = mote->subscriptions + at;
        declare(mote, (const char *)entry + SUBSCRIPTION_HEADER, kept_length(entry), entry[2]);
        at += SUBSCRIPTION_HEADER + kept_length(entry);
    }
}
