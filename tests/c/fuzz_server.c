// A server of which nothing can be relied on: mostly it answers as ThingsBoard does, now and then with whatever comes to its mind.
#include <stdlib.h>

#include "fuzz_life.h"

#define PACKAGE "\"fw_title\":\"t\",\"fw_version\":\"2\",\"fw_size\":600,\"fw_checksum\":\"ab\",\"fw_checksum_algorithm\":\"MD5\""
#define IMAGE_SIZE 600
#define PACKET_MAX 2048

static const char *const topics[] = {
    "v1/devices/me/rpc/request/1", "v1/devices/me/rpc/request/0", "v1/devices/me/rpc/request/2147483647", "v1/devices/me/rpc/request/2147483648",
    "v1/devices/me/attributes", "v1/devices/me/attributes/response/1", "v1/devices/me/rpc/response/0", "v1/devices/me/rpc/response/1",
    "v1/gateway/rpc", "v1/gateway/attributes", "v1/gateway/attributes/response", "v1/gateway/disconnect", "/provision/response",
    "v2/fw/response/1/chunk/0", "v2/fw/error", "v2/sw/response/9/chunk/3", "a/b", "\xc3\xa9", "v1/devices/me/rpc/request/x",
};
static const char *const payloads[] = {
    "{\"method\":\"setLed\",\"params\":{\"on\":true}}", "{\"method\":\"a\",\"params\":\"\\u00e9\\\"x\"}", "{\"params\":1,\"method\":\"b\"}", "{\"method\":7}", "{}", "[]",
    "{\"error\":\"x\"}", "{\"shared\":{" PACKAGE "}}", "{" PACKAGE "}", "{\"deleted\":[\"a\",\"mode\"]}", "{\"a\":[[[1,{\"b\":null}]]],\"mode\":1e400}",
    "{\"device\":\"A\",\"data\":{\"id\":1,\"method\":\"m\",\"params\":{}}}", "{\"device\":\"A\",\"data\":{\"x\":1}}", "{\"id\":1,\"device\":\"A\",\"value\":{\"x\":1}}",
    "{\"device\":\"B\",\"reason\":3}", "{\"provisionDeviceStatus\":\"NOT_FOUND\",\"errorMsg\":\"no\"}", "\"\xc3\xa9\"", "{\"a\":\"\\u00", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "{\"shared\":{\"a\":12345678901234567890123,\"mode\":\"\\ud83d\\ude00\"},\"client\":{\"x\":-0.5}}", "{\"shared\":{\"a\":true}}", "",
};
// What a real server says by itself.
static const char *const downlinks[][2] = {
    {"v1/devices/me/rpc/request/1", "{\"method\":\"setLed\",\"params\":{\"on\":true}}"}, {"v1/devices/me/rpc/request/7", "{\"method\":\"m\",\"params\":[1,2.5,\"x\"]}"},
    {"v1/devices/me/attributes", "{\"a\":1,\"mode\":\"eco\"}"}, {"v1/devices/me/attributes", "{\"deleted\":[\"mode\",\"a\"]}"}, {"v1/devices/me/attributes", "{" PACKAGE "}"},
    {"v1/gateway/rpc", "{\"device\":\"A\",\"data\":{\"id\":1,\"method\":\"m\",\"params\":{}}}"}, {"v1/gateway/attributes", "{\"device\":\"A\",\"data\":{\"x\":1}}"},
    {"v1/gateway/disconnect", "{\"device\":\"B\",\"reason\":3}"}, {"a/b", "raw"},
};
static const char *const counts[] = {"1:1", "3:10;20:100", "10:1,300:60", "200:1", ""};

static void say(life_t *life, const uint8_t *packet, uint32_t length) {
    life_note_bytes(life, "server says", packet, length);
    memory_port_receive(&life->port, packet, length);
}

// The packet, or now and then the same with a byte changed or without its end.
static void send(life_t *life, uint8_t first, const uint8_t *body, uint32_t length) {
    uint8_t packet[PACKET_MAX + 3] = {first};
    uint32_t at = 1;
    for (uint32_t rest = length;; rest >>= 7) {
        packet[at++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
        if (rest <= 0x7f) break;
    }
    if (length > 0) memcpy(packet + at, body, length);
    length += at;
    if (goes_wrong(life, 5)) {
        if (chance(20)) length = random_below(length) + 1;
        else spoil_byte(packet, length);
    }
    say(life, packet, length);
}

static void publish(life_t *life, const char *topic, const void *payload, uint32_t length) {
    uint8_t body[PACKET_MAX];
    uint32_t topic_length = (uint32_t)strlen(topic);
    uint32_t at = 2 + topic_length;
    uint8_t qos = (uint8_t)random_below(2);
    body[0] = 0;
    body[1] = (uint8_t)topic_length;
    memcpy(body + 2, topic, topic_length);
    if (qos == 1) {
        uint32_t id = 1 + random_below(65535);
        body[at++] = (uint8_t)(id >> 8);
        body[at++] = (uint8_t)id;
    }
    memcpy(body + at, payload, length);
    send(life, (uint8_t)(0x30 | qos << 1 | chance(5)), body, at + length);
}

static void publish_text(life_t *life, const char *topic, const char *payload) {
    publish(life, topic, payload, (uint32_t)strlen(payload));
}

// ----------------------------------------------------------------------- answers

static void tell_limits(life_t *life, const char *topic) {
    char payload[512];
    const char *own = PICK(counts), *points = PICK(counts), *children = PICK(counts), *telemetry = PICK(counts);
    snprintf(payload, sizeof payload,
             "{\"maxPayloadSize\":%u,\"rateLimits\":{\"messages\":\"%s\",\"telemetryMessages\":null,\"telemetryDataPoints\":\"%s\"},"
             "\"gatewayRateLimits\":{\"messages\":\"%s\",\"telemetryMessages\":\"%s\",\"telemetryDataPoints\":\"%s\"}}",
             (unsigned)(chance(50) ? 65536 : 200 + random_below(900)), own, points, children, telemetry, points);
    publish_text(life, topic, life->is_reliable ? "{\"maxPayloadSize\":65536,\"rateLimits\":{\"messages\":\"200:1\"}}" : payload);
}

static void answer_attributes(life_t *life, const char *topic) {
    if (chance(50)) publish_text(life, topic, "{\"shared\":{" PACKAGE ",\"a\":1}}");
    else publish_text(life, topic, life->is_reliable ? "{}" : PICK(payloads));
}

static void send_chunk(life_t *life, const char *topic, uint32_t chunk, uint32_t size) {
    static const uint8_t image[IMAGE_SIZE];
    uint64_t from = (uint64_t)chunk * size;
    uint32_t rest = from < IMAGE_SIZE ? IMAGE_SIZE - (uint32_t)from : 0;
    if (rest > size && size != 0) rest = size;
    if (goes_wrong(life, 10)) rest = random_below(IMAGE_SIZE);
    publish(life, topic, image, rest);
}

// The message that a request is answered by.
static void reply(life_t *life, const char *topic, const char *payload) {
    char answer[128];
    unsigned id, chunk;
    if (sscanf(topic, "v1/devices/me/attributes/request/%u", &id) == 1) {
        snprintf(answer, sizeof answer, "v1/devices/me/attributes/response/%u", id);
        answer_attributes(life, answer);
    } else if (sscanf(topic, "v1/devices/me/rpc/request/%u", &id) == 1) {
        snprintf(answer, sizeof answer, "v1/devices/me/rpc/response/%u", id);
        if (id == 0 && (life->is_reliable || chance(90))) tell_limits(life, answer);
        else publish_text(life, answer, life->is_reliable ? "{}" : PICK(payloads));
    } else if (sscanf(topic, "v2/fw/request/%u/chunk/%u", &id, &chunk) == 2) {
        snprintf(answer, sizeof answer, "v2/fw/response/%u/chunk/%u", id, chunk);
        send_chunk(life, answer, chunk, (uint32_t)strtoul(payload, NULL, 10));
    } else if (strcmp(topic, "v1/gateway/attributes/request") == 0 && sscanf(payload, "{\"id\":%u", &id) == 1) {
        snprintf(answer, sizeof answer, "{\"id\":%u,\"device\":\"A\",\"value\":{\"x\":1}}", id);
        publish_text(life, "v1/gateway/attributes/response", answer);
    } else if (strcmp(topic, "/provision/request") == 0) {
        bool refused = goes_wrong(life, 50);
        publish_text(life, "/provision/response", refused ? PICK(payloads) : "{\"provisionDeviceStatus\":\"SUCCESS\",\"credentialsType\":\"ACCESS_TOKEN\",\"credentialsValue\":\"T\"}");
    }
}

// ----------------------------------------------------------------------- hearing

// The end of the JSON value that begins at `at`, or NULL.
static const char *json_end(const char *at, const char *end, uint32_t depth) {
    while (at < end && *at == ' ') at++;
    if (at == end || depth > 2 * MOTE_JSON_DEPTH_MAX) return NULL;
    if (*at == '"') {
        for (at++; at < end && *at != '"'; at++) {
            if ((uint8_t)*at < 0x20) return NULL;
            if (*at == '\\' && ++at == end) return NULL;
        }
        return at < end ? at + 1 : NULL;
    }
    if (*at == '{' || *at == '[') {
        bool object = *at++ == '{';
        if (at < end && *at == (object ? '}' : ']')) return at + 1;
        for (;; at++) {
            if (object) {
                if (at == end || *at != '"' || (at = json_end(at, end, depth + 1)) == NULL || at == end || *at++ != ':') return NULL;
            }
            at = json_end(at, end, depth + 1);
            while (at != NULL && at < end && *at == ' ') at++;
            if (at == NULL || at == end) return NULL;
            if (*at == (object ? '}' : ']')) return at + 1;
            if (*at != ',') return NULL;
        }
    }
    size_t length = 0;
    while (at + length < end && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", at[length]) != NULL) length++;
    return length > 0 ? at + length : NULL;
}

// What leaves on a topic of ThingsBoard went through the module, as long as no app publishes there by itself.
static void check_json(life_t *life, const char *topic, const char *payload, uint32_t length) {
    if (strncmp(topic, "v1/", 3) != 0 || life->publishes_anywhere) return;
    const char *end = json_end(payload, payload + length, 0);
    while (end != NULL && end < payload + length && *end == ' ') end++;
    if (end != payload + length) life_blame(life, "no JSON left on %s: %.*s", topic, (int)length, payload);
}

static void hear_publish(life_t *life, uint8_t first, const uint8_t *body, uint32_t length) {
    char topic[FUZZ_HEARD_MAX];
    char payload[FUZZ_HEARD_MAX + 1];
    uint32_t topic_length = length >= 2 ? (uint32_t)body[0] << 8 | body[1] : UINT32_MAX;
    uint32_t qos = first >> 1 & 3;
    uint32_t head = 2 + topic_length + (qos > 0 ? 2 : 0);
    if (topic_length >= sizeof topic || head > length || qos > 1) {
        life_blame(life, "a PUBLISH of %u bytes that is none", (unsigned)length);
        return;
    }
    memcpy(topic, body + 2, topic_length);
    topic[topic_length] = 0;
    memcpy(payload, body + head, length - head);
    payload[length - head] = 0;
    check_json(life, topic, payload, length - head);
    if (strncmp(topic, "v1/", 3) == 0) fuzz_pieces_hear(life, payload, (first & 8) != 0);
    if (goes_wrong(life, 5)) return;
    if (qos == 1) send(life, 0x40, body + head - 2, 2);
    reply(life, topic, payload);
}

static void hear_packet(life_t *life, uint8_t first, const uint8_t *body, uint32_t length) {
    uint8_t type = first >> 4;
    if (life->has_connected == (type == 1)) life_blame(life, "packet %u where CONNECT is %s", type, life->has_connected ? "done" : "due");
    life->has_connected = true;
    if (type == 3) {
        hear_publish(life, first, body, length);
        return;
    }
    if (type == 8 && length > 4 && length - 3 <= sizeof life->filters - life->filters_length) {
        memcpy(life->filters + life->filters_length, body + 2, length - 3); // but the QoS at its end
        life->filters_length += length - 3;
    }
    bool drops = goes_wrong(life, 5);
    bool refuses = goes_wrong(life, 5);
    if (drops) return;
    if (type == 1) send(life, 0x20, (const uint8_t[]){0, refuses ? (uint8_t)random_below(7) : 0}, 2);
    else if (type == 8 && length > 4) send(life, 0x90, (const uint8_t[]){body[0], body[1], refuses ? 128 : body[length - 1]}, 3);
    else if (type == 10 && length > 3) send(life, 0xb0, body, 2);
    else if (first == 0xc0 && length == 0) send(life, 0xd0, NULL, 0);
    else if (first != 0xe0 && !(first == 0x40 && length == 2)) life_blame(life, "packet %02x of %u bytes", first, (unsigned)length);
}

void fuzz_server_accept(life_t *life) {
    life->heard_length = life->filters_length = 0;
    life->has_connected = false;
}

void fuzz_server_hear(life_t *life, const uint8_t *bytes, uint32_t length) {
    if (length > sizeof life->heard - life->heard_length) {
        life_blame(life, "a packet of more than %u bytes", FUZZ_HEARD_MAX);
        return;
    }
    memcpy(life->heard + life->heard_length, bytes, length);
    life->heard_length += length;
    uint32_t done = 0;
    for (;;) {
        uint32_t at = done + 1, body = 0, shift = 0;
        do {
            if (at >= life->heard_length || shift > 21) goto rest;
            body |= (uint32_t)(life->heard[at] & 0x7f) << shift;
            shift += 7;
        } while ((life->heard[at++] & 0x80) != 0);
        if (body > life->heard_length - at) break;
        life_note_bytes(life, "client says", life->heard + done, at + body - done);
        hear_packet(life, life->heard[done], life->heard + at, body);
        done = at + body;
    }
rest:
    life->heard_length -= done;
    memmove(life->heard, life->heard + done, life->heard_length);
}

// Something that nobody asked for.
void fuzz_server_say(life_t *life) {
    if (life->port.handle == 0) return;
    uint32_t what = random_below(life->trouble > 0 ? 100 : 60);
    uint8_t id = (uint8_t)(1 + random_below(6));
    if (what < 60) {
        const char *const *downlink = PICK(downlinks);
        publish_text(life, downlink[0], downlink[1]);
    } else if (what < 75) {
        const char *topic = PICK(topics);
        publish_text(life, topic, PICK(payloads));
    } else if (what < 85) {
        char large[1500];
        memset(large, 'x', sizeof large);
        const char *topic = chance(50) ? "a/b" : PICK(topics);
        publish(life, topic, large, random_below(sizeof large));
        if (goes_wrong(life, 30)) { // the rest is lost
            life->port.count -= random_below(life->port.count + 1);
            life->port.link = MOTE_STATUS_CONNECTION_RESET;
        }
    } else if (what < 92) {
        static const uint8_t firsts[] = {0x40, 0x90, 0xb0, 0xd0, 0x20};
        uint8_t first = PICK(firsts);
        uint8_t high = first == 0x40 || first == 0x20 ? 0 : 0x80;
        send(life, first, (const uint8_t[]){high, id, chance(80) ? 1 : 128}, first == 0xd0 ? 0 : first == 0x90 ? 3 : 2);
    } else {
        uint8_t noise[20];
        for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)random_below(256);
        say(life, noise, 1 + random_below(sizeof noise));
    }
}
