// The commands that driver.c and vector_runner.c share: one for each verb of mote.h.
//
// A command is one line of fields that tabs separate; `\t`, `\n`, `\\` and `\xNN` in a field stand for those bytes. Fields in
// brackets may be left out; [qos [retain]] are 0 or 1, and leaving them out means the configured QoS.
//
//   start | stop | disconnect
//   begin | cancel
//   add_null KEY | add_boolean KEY true|false | add_integer KEY N | add_decimal KEY MANTISSA DECIMALS
//   add_double KEY NUMBER DECIMALS | add_text KEY TEXT | add_json KEY JSON
//   object_begin KEY | object_end | array_begin KEY | array_end | timestamp UNIX_MS | entry | document JSON
//   send_telemetry [qos [retain]] | send_attributes [qos [retain]] | send_rpc_reply ID [qos [retain]]
//   telemetry JSON [qos [retain]] | attributes JSON [qos [retain]] | rpc_reply ID JSON [qos [retain]]
//                                  the three above: begin, document and send in one
//   publish TOPIC PAYLOAD [qos [retain]] | subscribe FILTER QOS | unsubscribe FILTER
//   request_attributes CLIENT_KEYS SHARED_KEYS TIMEOUT_MS
//   request_rpc METHOD [PARAMS] TIMEOUT_MS | claim SECRET_KEY DURATION_MS [qos [retain]]
//   ota_start KIND | ota_apply KIND 0|1 | ota_stop KIND
//   gateway_connect DEVICE [TYPE [qos [retain]]] | gateway_disconnect DEVICE [qos [retain]]
//   gateway_telemetry DEVICE JSON [qos [retain]] | gateway_attributes DEVICE JSON [qos [retain]]
//   gateway_rpc_reply DEVICE ID JSON [qos [retain]] | gateway_claim DEVICE SECRET_KEY DURATION_MS [qos [retain]]
//   gateway_request_attributes DEVICE client|shared KEYS TIMEOUT_MS
//   release 0|1                    of the event that came last
//   find payload|value PATH        in the event that came last; answers the JsonType
//   trap                           the next import that the module calls traps
#ifndef TEST_VERBS_H
#define TEST_VERBS_H

#include "mote.h"

#define FIELDS_MAX 12

typedef struct command {
    uint32_t count;           // fields, the command's name included
    char *fields[FIELDS_MAX]; // unescaped, each with a zero behind it
    uint32_t lengths[FIELDS_MAX];
} command_t;

// Cuts a line in place.
void command_cut(char *line, command_t *out_command);

// True when it is a command of this list; out_result is what the verb answered.
bool verb_run(mote_t *mote, const command_t *command, int32_t *out_result);

#endif
