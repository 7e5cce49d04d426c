// See verbs.h.
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

static uint8_t nibble(char digit) {
    return (uint8_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

static uint32_t unescape(char *field) {
    char *to = field;
    for (const char *from = field; *from != 0; from++) {
        if (*from != '\\') {
            *to++ = *from;
            continue;
        }
        switch (*++from) {
        case 't': *to++ = '\t'; break;
        case 'n': *to++ = '\n'; break;
        case 'x':
            *to++ = (char)(nibble(from[1]) << 4 | nibble(from[2]));
            from += 2;
            break;
        default: *to++ = *from; break;
        }
    }
    *to = 0;
    return (uint32_t)(to - field);
}

void command_cut(char *line, command_t *out_command) {
    line[strcspn(line, "\r\n")] = 0;
    memset(out_command, 0, sizeof *out_command);
    for (char *field = line; field != NULL && out_command->count < FIELDS_MAX;) {
        char *tab = strchr(field, '\t');
        if (tab != NULL) *tab++ = 0;
        out_command->lengths[out_command->count] = unescape(field);
        out_command->fields[out_command->count++] = field;
        field = tab;
    }
    for (uint32_t i = out_command->count; i < FIELDS_MAX; i++) out_command->fields[i] = "";
}

static int64_t number(const command_t *command, uint32_t index) {
    return strtoll(command->fields[index], NULL, 0);
}

// The options in the fields from `index` on, NULL when there are none.
static const mote_publish_options_t *options(const command_t *command, uint32_t index, mote_publish_options_t *storage) {
    if (command->count <= index) return NULL;
    storage->qos = (uint8_t)number(command, index);
    storage->retain = number(command, index + 1) != 0;
    return storage;
}

static int32_t whole(mote_t *mote, const command_t *command, uint32_t index) {
    int32_t status = mote_begin(mote);
    return status < 0 ? status : mote_document(mote, command->fields[index], command->lengths[index]);
}

static bool run_builder(mote_t *mote, const command_t *command, int32_t *out) {
    const char *verb = command->fields[0];
    const char *key = command->fields[1];
    mote_span_t text = {command->fields[2], command->lengths[2]};
    if (strcmp(verb, "begin") == 0) *out = mote_begin(mote);
    else if (strcmp(verb, "add_null") == 0) *out = mote_add_null(mote, key);
    else if (strcmp(verb, "add_boolean") == 0) *out = mote_add_boolean(mote, key, strcmp(text.data, "true") == 0);
    else if (strcmp(verb, "add_integer") == 0) *out = mote_add_integer(mote, key, number(command, 2));
    else if (strcmp(verb, "add_decimal") == 0) *out = mote_add_decimal(mote, key, number(command, 2), (uint8_t)number(command, 3));
    else if (strcmp(verb, "add_double") == 0) *out = mote_add_double(mote, key, strtod(text.data, NULL), (uint8_t)number(command, 3));
    else if (strcmp(verb, "add_text") == 0) *out = mote_add_text_span(mote, key, text);
    else if (strcmp(verb, "add_json") == 0) *out = mote_add_json_span(mote, key, text);
    else if (strcmp(verb, "object_begin") == 0) *out = mote_object_begin(mote, key);
    else if (strcmp(verb, "object_end") == 0) *out = mote_object_end(mote);
    else if (strcmp(verb, "array_begin") == 0) *out = mote_array_begin(mote, key);
    else if (strcmp(verb, "array_end") == 0) *out = mote_array_end(mote);
    else if (strcmp(verb, "timestamp") == 0) *out = mote_timestamp(mote, number(command, 1));
    else if (strcmp(verb, "entry") == 0) *out = mote_entry(mote);
    else if (strcmp(verb, "document") == 0) *out = mote_document(mote, key, command->lengths[1]);
    else return false;
    return true;
}

static bool run_send(mote_t *mote, const command_t *command, int32_t *out) {
    const char *verb = command->fields[0];
    mote_publish_options_t storage;
    if (strcmp(verb, "send_telemetry") == 0) *out = mote_send_telemetry(mote, options(command, 1, &storage));
    else if (strcmp(verb, "send_attributes") == 0) *out = mote_send_attributes(mote, options(command, 1, &storage));
    else if (strcmp(verb, "send_rpc_reply") == 0) *out = mote_send_rpc_reply(mote, (int32_t)number(command, 1), options(command, 2, &storage));
    else if (strcmp(verb, "telemetry") == 0) {
        *out = whole(mote, command, 1);
        if (*out != MOTE_STATUS_BAD_STATE) *out = mote_send_telemetry(mote, options(command, 2, &storage));
    } else if (strcmp(verb, "attributes") == 0) {
        *out = whole(mote, command, 1);
        if (*out != MOTE_STATUS_BAD_STATE) *out = mote_send_attributes(mote, options(command, 2, &storage));
    } else if (strcmp(verb, "rpc_reply") == 0) {
        *out = whole(mote, command, 2);
        if (*out != MOTE_STATUS_BAD_STATE) *out = mote_send_rpc_reply(mote, (int32_t)number(command, 1), options(command, 3, &storage));
    } else if (strcmp(verb, "publish") == 0) {
        *out = mote_publish(mote, command->fields[1], command->fields[2], command->lengths[2], options(command, 3, &storage));
    } else return false;
    return true;
}

static bool run_request(mote_t *mote, const command_t *command, int32_t *out) {
    const char *verb = command->fields[0];
    char *const *field = command->fields;
    mote_publish_options_t storage;
    if (strcmp(verb, "request_attributes") == 0) *out = mote_request_attributes(mote, field[1], field[2], (uint32_t)number(command, 3));
    else if (strcmp(verb, "request_rpc") == 0) {
        *out = mote_request_rpc(mote, field[1], *field[2] != 0 ? field[2] : NULL, (uint32_t)number(command, 3));
    } else if (strcmp(verb, "claim") == 0) {
        *out = mote_claim(mote, *field[1] != 0 ? field[1] : NULL, number(command, 2), options(command, 3, &storage));
    } else if (strcmp(verb, "ota_start") == 0) *out = mote_ota_start(mote, (mote_ota_kind_t)number(command, 1));
    else if (strcmp(verb, "ota_apply") == 0) *out = mote_ota_apply(mote, (mote_ota_kind_t)number(command, 1), number(command, 2) != 0);
    else if (strcmp(verb, "ota_stop") == 0) *out = mote_ota_stop(mote, (mote_ota_kind_t)number(command, 1));
    else return false;
    return true;
}

static bool run_gateway(mote_t *mote, const command_t *command, int32_t *out) {
    const char *verb = command->fields[0];
    const char *device = command->fields[1];
    char *const *field = command->fields;
    mote_publish_options_t storage;
    if (strcmp(verb, "gateway_connect") == 0) {
        *out = mote_gateway_connect(mote, device, *field[2] != 0 ? field[2] : NULL, options(command, 3, &storage));
    } else if (strcmp(verb, "gateway_disconnect") == 0) *out = mote_gateway_disconnect(mote, device, options(command, 2, &storage));
    else if (strcmp(verb, "gateway_telemetry") == 0) {
        *out = whole(mote, command, 2);
        if (*out != MOTE_STATUS_BAD_STATE) *out = mote_gateway_telemetry(mote, device, options(command, 3, &storage));
    } else if (strcmp(verb, "gateway_attributes") == 0) {
        *out = whole(mote, command, 2);
        if (*out != MOTE_STATUS_BAD_STATE) *out = mote_gateway_attributes(mote, device, options(command, 3, &storage));
    } else if (strcmp(verb, "gateway_rpc_reply") == 0) {
        *out = whole(mote, command, 3);
        if (*out != MOTE_STATUS_BAD_STATE) *out = mote_gateway_rpc_reply(mote, device, (int32_t)number(command, 2), options(command, 4, &storage));
    } else if (strcmp(verb, "gateway_claim") == 0) {
        *out = mote_gateway_claim(mote, device, *field[2] != 0 ? field[2] : NULL, number(command, 3), options(command, 4, &storage));
    } else if (strcmp(verb, "gateway_request_attributes") == 0) {
        mote_scope_t scope = strcmp(field[2], "client") == 0 ? MOTE_SCOPE_CLIENT : MOTE_SCOPE_SHARED;
        *out = mote_gateway_request_attributes(mote, device, scope, field[3], (uint32_t)number(command, 4));
    } else return false;
    return true;
}

bool verb_run(mote_t *mote, const command_t *command, int32_t *out) {
    const char *verb = command->fields[0];
    *out = MOTE_STATUS_OK;
    if (run_builder(mote, command, out) || run_send(mote, command, out)) return true;
    if (run_request(mote, command, out) || run_gateway(mote, command, out)) return true;
    if (strcmp(verb, "start") == 0) *out = mote_start(mote);
    else if (strcmp(verb, "stop") == 0) *out = mote_stop(mote);
    else if (strcmp(verb, "disconnect") == 0) *out = mote_disconnect(mote);
    else if (strcmp(verb, "cancel") == 0) mote_cancel(mote);
    else if (strcmp(verb, "subscribe") == 0) *out = mote_subscribe(mote, command->fields[1], (uint8_t)number(command, 2));
    else if (strcmp(verb, "unsubscribe") == 0) *out = mote_unsubscribe(mote, command->fields[1]);
    else if (strcmp(verb, "release") == 0) *out = mote_release(mote, number(command, 1) != 0);
    else if (strcmp(verb, "find") == 0) {
        mote_json_t value;
        const mote_event_t *event = mote_event(mote);
        mote_span_t document = strcmp(command->fields[1], "payload") == 0 ? event->payload : event->value;
        *out = mote_json_find(mote, document, command->fields[2], &value);
    } else if (strcmp(verb, "trap") == 0) mote->trap_next = true;
    else return false;
    return true;
}
