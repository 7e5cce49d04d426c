// The demo device. Everything that it prints goes through line(), as JSON or as words.
#include "demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIRMWARE "v1.2.2"

static const mote_publish_options_t acknowledged = {.qos = 1};

// `members` are JSON members with a leading comma, or empty.
static void line(const demo_t *demo, const char *event, const char *members, ...) {
    va_list arguments;
    va_start(arguments, members);
    if (demo->json) {
        printf("{\"event\":\"%s\"", event);
    } else {
        time_t now = time(NULL);
        struct tm local;
        char clock[16] = "";
        if (localtime_r(&now, &local) != NULL) strftime(clock, sizeof clock, "%H:%M:%S", &local);
        printf("%s %-12s ", clock, event);
        if (*members == ',') members++;
    }
    vprintf(members, arguments);
    printf(demo->json ? "}\n" : "\n");
    fflush(stdout);
    va_end(arguments);
}

#define SPAN(span) (int)(span).length, (span).data

static void send_attributes(demo_t *demo, mote_t *mote) {
    mote_begin(mote);
    mote_add_text(mote, "fw", FIRMWARE);
    mote_add_text(mote, "engine", demo->engine);
    demo->attributes_id = mote_send_attributes(mote, &acknowledged);
    if (demo->attributes_id < 0) return;
    line(demo, "Attributes", ",\"id\":%d,\"values\":{\"fw\":\"" FIRMWARE "\",\"engine\":\"%s\"}", demo->attributes_id, demo->engine);
}

void demo_measure(demo_t *demo, mote_t *mote) {
    if (!demo->begun) return;
    int tenths = 255 + (int)(demo->sequence % 10);
    int humidity = 60 - (int)(demo->sequence % 5);
    mote_begin(mote);
    mote_add_decimal(mote, "temperature", tenths, 1);
    mote_add_integer(mote, "humidity", humidity);
    mote_add_boolean(mote, "enabled", demo->enabled);
    mote_add_text(mote, "fw", FIRMWARE);
    mote_add_integer(mote, "sequence", demo->sequence + 1);
    int32_t id = mote_send_telemetry(mote, &acknowledged);
    if (id < 0) return;
    demo->sequence++;
    demo->waiting[(id & 0xffff) / 8] |= (uint8_t)(1 << id % 8);
    line(demo, "Telemetry",
         ",\"id\":%d,\"values\":{\"temperature\":%d.%d,\"humidity\":%d,\"enabled\":%s,\"fw\":\"" FIRMWARE "\",\"sequence\":%u}",
         id, tenths / 10, tenths % 10, humidity, demo->enabled ? "true" : "false", demo->sequence);
}

static void deliver(demo_t *demo, int32_t id) {
    uint8_t *byte = &demo->waiting[(id & 0xffff) / 8];
    uint8_t bit = (uint8_t)(1 << id % 8);
    if ((*byte & bit) != 0) {
        *byte &= (uint8_t)~bit;
        demo->delivered++;
    } else if (id == demo->attributes_id) {
        demo->attributes_id = 0;
    } else {
        return; // a reply
    }
    line(demo, "Delivered", ",\"id\":%d", id);
}

static void answer(demo_t *demo, mote_t *mote, const mote_event_t *event) {
    char reply[64] = "{\"error\":\"unknown method\"}";
    if (mote_span_equals(event->name, "setLed")) {
        bool on = false;
        mote_json_boolean(mote, event->value, "on", &on);
        demo->enabled = on;
        snprintf(reply, sizeof reply, "{\"ok\":true}");
    } else if (mote_span_equals(event->name, "getState")) {
        snprintf(reply, sizeof reply, "{\"enabled\":%s,\"sequence\":%u}", demo->enabled ? "true" : "false", demo->sequence);
    }
    mote_begin(mote);
    mote_document(mote, reply, strlen(reply));
    if (mote_send_rpc_reply(mote, event->id, NULL) < 0) return;
    line(demo, "RpcRequest", ",\"id\":%d,\"method\":\"%.*s\"%s%.*s,\"reply\":%s", event->id, SPAN(event->name),
         event->value.length > 0 ? ",\"params\":" : "", SPAN(event->value), reply);
}

void demo_on_event(mote_t *mote, const mote_event_t *event, void *user) {
    demo_t *demo = user;
    const char *name = mote_event_name(event->kind);
    switch (event->kind) {
    case MOTE_EVENT_CONNECTED:
        line(demo, name, ",\"session_present\":%s", event->reason != 0 ? "true" : "false");
        if (demo->begun || demo->has_app) break;
        demo->begun = true;
        send_attributes(demo, mote);
        demo_measure(demo, mote);
        break;
    case MOTE_EVENT_DISCONNECTED:
    case MOTE_EVENT_UNSTABLE:
        line(demo, name, ",\"reason\":\"%s\"", mote_status_name(event->reason));
        break;
    case MOTE_EVENT_REFUSED: line(demo, name, ",\"return_code\":%d", event->reason); break;
    case MOTE_EVENT_DELIVERED: deliver(demo, event->id); break;
    case MOTE_EVENT_RPC_REQUEST:
        if (!demo->has_app) answer(demo, mote, event);
        break;
    case MOTE_EVENT_APP_FAILED:
        line(demo, name, ",\"reason\":\"%s\",\"name\":\"%.*s\"", mote_status_name(event->reason), SPAN(event->name));
        break;
    case MOTE_EVENT_RESTARTED:
        memset(demo->waiting, 0, sizeof demo->waiting);
        line(demo, name, ",\"messages_lost\":%u", event->total);
        break;
    case MOTE_EVENT_FAILED: line(demo, name, ""); break;
    default: break;
    }
}

void demo_pin(void *user, int pin, int level) {
    line(user, "Pin", ",\"pin\":%d,\"level\":%d", pin, level);
}

void demo_log(const demo_t *demo, mote_log_level_t level, mote_span_t text) {
    char escaped[2048];
    size_t length = 0;
    for (uint32_t i = 0; i < text.length && length + 7 < sizeof escaped; i++) {
        unsigned char letter = (unsigned char)text.data[i];
        if (demo->json && letter < ' ') length += (size_t)snprintf(escaped + length, 7, "\\u%04x", letter);
        else if (demo->json && (letter == '"' || letter == '\\')) length += (size_t)snprintf(escaped + length, 3, "\\%c", letter);
        else escaped[length++] = (char)letter;
    }
    line(demo, "Log", ",\"level\":%d,\"line\":\"%.*s\"", level, (int)length, escaped);
}

void demo_stopped(const demo_t *demo) {
    line(demo, "Stopped", ",\"sent\":%u,\"delivered\":%u", demo->sequence, demo->delivered);
}

void demo_error(const demo_t *demo, int32_t status, mote_span_t text) {
    line(demo, "Error", ",\"status\":\"%s\",\"text\":\"%.*s\"", mote_status_name(status), SPAN(text));
}
