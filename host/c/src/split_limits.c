// How large one message may be, and how many data points and children it may have: by the outbox, by what the application says, else by what the
// server told, before that by what is configured.
#include "client.h"

// What a PUBLISH of the longest topic that messages leave by takes in the outbox besides its payload: heads, topic, packet id, padding.
#define PACKET_BYTES 48
// The server counts more than the payload, and some builds a little more than others.
#define SERVER_BYTES 300
#define PACKET_MAX 65536
// What the filters of the platform take in the outbox (ABI.md, section 4), in which they stay: of RPC, of the answers to the device's own,
// of attributes with the answers to requests for them, of the chunks of an update, and the three of a gateway.
enum { RPC_BYTES = 48, RPC_RESPONSE_BYTES = 48, ATTRIBUTES_BYTES = 44 + 56, OTA_BYTES = 44, GATEWAY_BYTES = 44 + 52 + 36 };

// The smallest count of a rate such as "10:1,300:60": one message with more data points can never pass.
static uint32_t smallest_count(mote_span_t rate) {
    uint32_t smallest = 0;
    uint32_t count = 0;
    bool counting = true;
    for (uint32_t i = 0; i < rate.length; i++) {
        char c = rate.data[i];
        if (c >= '0' && c <= '9') {
            if (counting && count < UINT32_MAX / 16) count = count * 10 + (uint32_t)(c - '0');
        } else if (c == ':') {
            if (count > 0 && (smallest == 0 || count < smallest)) smallest = count;
            counting = false;
        } else {
            count = 0;
            counting = true;
        }
    }
    return smallest;
}

// The count of a rate as the answer tells it; null and an empty text are no limit. False when it says nothing about it.
static bool read_count(mote_t *mote, mote_span_t answer, const char *path, uint32_t *out_count) {
    mote_json_t rate;
    int32_t type = mote_json_find(mote, answer, path, &rate);
    if (type != MOTE_JSON_TYPE_TEXT && type != MOTE_JSON_TYPE_NULL) return false;
    *out_count = type == MOTE_JSON_TYPE_TEXT ? smallest_count(rate.text) : 0;
    return true;
}

static uint32_t configured_count(const mote_t *mote, const char *key) {
    mote_span_t rate;
    bool found = mote_config_find(mote->options.config, mote->options.config_length, key, &rate);
    return found ? smallest_count(rate) : 0;
}

// Children that one message may be about, 0 = any: each spends a message of telemetry, and one that the server does not know yet two
// messages more. One child is never too many.
static uint8_t children_by_telemetry(uint32_t count) {
    return count < UINT8_MAX ? (uint8_t)count : UINT8_MAX;
}

static uint8_t children_by_messages(uint32_t count) {
    return children_by_telemetry(count > 1 ? count / 2 : count);
}

uint32_t mote_split_children_max(const mote_t *mote) {
    uint32_t telemetry = mote->children_telemetry;
    uint32_t messages = mote->children_messages;
    return telemetry == 0 || (messages != 0 && messages < telemetry) ? messages : telemetry;
}

static bool is_on(const mote_t *mote, const char *key) {
    mote_span_t value;
    return !mote_config_find(mote->options.config, mote->options.config_length, key, &value) || !mote_span_equals(value, "false");
}

static bool is_configured(const mote_t *mote, const char *key) {
    mote_span_t value;
    return mote_config_find(mote->options.config, mote->options.config_length, key, &value);
}

// Bytes of the outbox that its own subscriptions leave to messages.
static uint32_t outbox_room(const mote_t *mote) {
    uint32_t room = mote_config_unsigned(mote->options.config, mote->options.config_length, "send_buffer", 1024);
    if (room > PACKET_MAX) room = PACKET_MAX;
    uint32_t taken = 0;
    bool firmware = is_configured(mote, "firmware_title");
    bool software = is_configured(mote, "software_title");
    if ((mote->features & MOTE_FEATURE_RAW) != 0 && is_on(mote, "rpc")) taken += RPC_BYTES;
    if ((mote->features & MOTE_FEATURE_ATTRIBUTES) != 0 && (is_on(mote, "shared_attributes") || firmware || software)) taken += ATTRIBUTES_BYTES;
    if ((mote->features & MOTE_FEATURE_OTA) != 0) taken += (uint32_t)(firmware + software) * OTA_BYTES;
    if ((mote->features & MOTE_FEATURE_GATEWAY) != 0) taken += GATEWAY_BYTES;
    return room > taken ? room - taken : 0;
}

// Asked for again where each piece begins, because subscriptions come and go and each session may tell another limit.
mote_split_limit_t mote_split_json_max(const mote_t *mote) {
    uint32_t besides = PACKET_BYTES + mote_subscriptions_size(mote) + (mote->has_asked_rpc ? RPC_RESPONSE_BYTES : 0);
    mote_split_limit_t limit = {"send_buffer", mote->outbox_room > besides ? mote->outbox_room - besides : 0, besides};
    uint32_t server = mote->payload_max > 2 * SERVER_BYTES ? mote->payload_max - SERVER_BYTES : mote->payload_max / 2;
    if (mote->payload_max != 0 && server < limit.most) limit = (mote_split_limit_t){"maxPayloadSize", server, SERVER_BYTES};
    return limit;
}

// Configured rates hold until the server has told its own.
void mote_split_configure(mote_t *mote) {
    mote->outbox_room = outbox_room(mote);
    mote->points_own = mote->points_children = configured_count(mote, "telemetry_points_rate_limit");
    mote->children_telemetry = children_by_telemetry(configured_count(mote, "telemetry_rate_limit"));
    mote->children_messages = children_by_messages(configured_count(mote, "messages_rate_limit"));
}

// Data points by one of these paths. Where the server says that any number may come, no message needs to be counted.
static void learn_points(mote_t *mote, mote_span_t answer, const char *path, const char *other_path, uint8_t whose, uint32_t *ref_points) {
    if (!read_count(mote, answer, path, ref_points) && (other_path == NULL || !read_count(mote, answer, other_path, ref_points))) return;
    mote->points_told = (uint8_t)(*ref_points != 0 ? mote->points_told | whose : mote->points_told & ~whose);
}

// What the server tells of its limits holds where the application set none; what an answer leaves out stays as it was, as in the module.
// The server of ThingsBoard 3 says rateLimit.
void mote_split_learn(mote_t *mote, const mote_event_t *event) {
    if (event->reason < 0) return;
    int64_t bytes = 0;
    if (mote_json_integer(mote, event->payload, "maxPayloadSize", &bytes) >= 0 && bytes > 0) mote->payload_max = bytes < INT32_MAX ? (uint32_t)bytes : INT32_MAX;
    learn_points(mote, event->payload, "rateLimits.telemetryDataPoints", "rateLimit.telemetryDataPoints", MOTE_TOLD_OWN, &mote->points_own);
    learn_points(mote, event->payload, "gatewayRateLimits.telemetryDataPoints", NULL, MOTE_TOLD_CHILDREN, &mote->points_children);
    uint32_t count;
    if (read_count(mote, event->payload, "gatewayRateLimits.telemetryMessages", &count)) mote->children_telemetry = children_by_telemetry(count);
    if (read_count(mote, event->payload, "gatewayRateLimits.messages", &count)) mote->children_messages = children_by_messages(count);
    if (mote->split.verb != 0) mote->split.json_max = mote_split_json_max(mote).most;
}

uint32_t mote_split_points_max(const mote_t *mote, bool of_child) {
    if (mote->options.split_points != 0) return mote->options.split_points;
    return of_child ? mote->points_children : mote->points_own;
}
