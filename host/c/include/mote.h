/*
 * mote.h - the Mote device client for C and C++.
 *
 * Mote keeps a device connected to ThingsBoard or any other MQTT 3.1.1 broker. The client itself is a WebAssembly
 * module that wasm3 interprets or that was compiled ahead of time; this header is the same for both.
 *
 * Rules that hold for everything below:
 *
 * - Memory. A client is a `mote_t` and one arena. Both belong to the caller, who usually makes them static, and both
 *   must stay where they are from mote_init() to mote_free(). Nothing is allocated after mote_start().
 * - Results are int32_t. Zero and above is a length, a count or an id, below zero is a MOTE_STATUS_ of mote_abi.h.
 *   `result < 0` is the only test that callers need. mote_error_text() names the key, export or text at fault.
 * - Tasks. A `mote_t` belongs to one task. Other tasks may call mote_post_*(), and mote_wake(), which signals and interrupts may
 *   call too. Built for debugging, what another task calls after the first mote_poll() answers BadState with the text "task".
 * - Nothing blocks but mote_wait() and mote_run(). Verbs only queue; mote_poll() moves bytes.
 * - A function whose feature the module lacks answers MOTE_STATUS_NOT_IN_PROFILE.
 */
#ifndef MOTE_H
#define MOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mote_abi.h"
#include "mote_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- sizes --- */

/* Bytes of linear memory when `memory_size` is 0. It holds the module's data, the buffers that the configuration asks
 * for, and while mote_init() runs the configuration text. */
#ifndef MOTE_MEMORY_SIZE
#define MOTE_MEMORY_SIZE 8192
#endif

/* Bytes of the arena that keep the filters declared at run time when `subscriptions_size` is 0, each its length + 4. */
#ifndef MOTE_SUBSCRIPTIONS_SIZE
#define MOTE_SUBSCRIPTIONS_SIZE 256
#endif

/* Bytes of the longest secret that a callback supplies. */
#ifndef MOTE_SECRET_MAX
#define MOTE_SECRET_MAX 256
#endif

/* Traps within MOTE_TRAP_WINDOW_MS after which the client stops with MOTE_EVENT_FAILED. */
#define MOTE_TRAPS_MAX 5
#define MOTE_TRAP_WINDOW_MS 600000

/* ---------------------------------------------------------------- types --- */

typedef struct mote mote_t;
struct mote_json;

/* Bytes that belong to someone else. Never terminated by a zero; `data` may be NULL when `length` is 0. */
typedef struct mote_span {
    const char *data;
    uint32_t length;
} mote_span_t;

/* What happened. Spans point into the module's memory: they are valid until the next mote_poll() or mote_stop(),
 * so a handler that keeps something copies it. Which fields are used stands at each mote_event_kind. */
typedef struct mote_event {
    mote_event_kind_t kind;
    uint8_t flags;       /* bits of mote_event_flag */
    int32_t id;          /* packet, request or subscription id */
    int32_t reason;      /* status, or MQTT return code */
    mote_span_t topic;
    mote_span_t payload; /* of a message in parts: this part */
    mote_span_t name;    /* RPC method: JSON text without its quotes */
    mote_span_t value;   /* RPC params: JSON text, empty when absent */
    uint32_t total;      /* bytes of the whole payload; of MOTE_EVENT_RESTARTED and _FAILED: messages lost, at least */
    uint32_t offset;     /* where this part begins in it */
} mote_event_t;

/* Called by mote_poll(), never from an interrupt or from inside the module. It may call every function of this header
 * but mote_poll(), mote_wait(), mote_run(), mote_init() and mote_free(). */
typedef void mote_event_handler_t(mote_t *mote, const mote_event_t *event, void *user);

/* Told of each line of the log up to `log_level`. The text belongs to Mote and holds no secrets; the rules are those of an event
 * handler, but it may call nothing of this header. */
typedef void mote_log_handler_t(mote_t *mote, mote_log_level_t level, mote_span_t text, void *user);

/* Answers one RPC. A reply is open: add its members. Ok sends it, a status below zero sends {"error": its name} instead, and
 * MOTE_RPC_LATER sends nothing, so that mote_send_rpc_reply() can follow at any time; keep the id of the request. The server sends what
 * has no answer yet again after each connect: such a request has MOTE_EVENT_FLAG_REPEATED, for a handler that must not run twice. */
typedef int32_t mote_rpc_handler_t(mote_t *mote, const mote_event_t *request, void *user);
#define MOTE_RPC_LATER 1

typedef struct mote_rpc_method {
    const char *method;
    mote_rpc_handler_t *handle;
} mote_rpc_method_t;

/* Told of the value of a shared attribute: after each connect, when it changes, and with NULL when it does not exist. */
typedef void mote_attribute_handler_t(mote_t *mote, const char *key, const struct mote_json *value, void *user);

typedef struct mote_shared_attribute {
    const char *key; /* not empty, without points and commas */
    mote_attribute_handler_t *handle;
} mote_shared_attribute_t;

/* Supplies `access_token`, `user_name` or `password`, when the configuration does not have it: writes it without a zero and returns
 * its length, 0 = none, or a status. Asked again after a trap. */
typedef int32_t mote_secret_t(const char *key, char *out_secret, size_t capacity, void *user);

/* Everything a client needs. Zero is a sensible value of each field that is not marked as required. The record is copied;
 * what it points to must stay valid until mote_free(). */
typedef struct mote_options {
    /* Required: the configuration, one JSON object as in assembly/ABI.md section 4. It is read again after a trap.
     * Objects `tls`, `link` and `host` are the host's and never enter the module's memory. */
    const char *config;
    size_t config_length;

    /* Required: network, clock and random numbers; one port per client. */
    mote_port_t *port;

    /* Required: working memory, aligned to 8 bytes. Ahead of time: memory_size + subscriptions_size + 512 bytes.
     * wasm3: see host/c/README.md, or load once and ask mote_arena_used(). */
    void *arena;
    size_t arena_size;

    /* wasm3 only, required: the module's bytes. They may lie in flash. */
    const void *module;
    size_t module_length;

    /* Bytes of linear memory, at most 65,536, so that the profile gateway-large is not for this host. 0 = MOTE_MEMORY_SIZE. */
    uint32_t memory_size;

    /* Bytes of the arena for filters declared by mote_subscribe(), which a trap must not lose.
     * 0 = MOTE_SUBSCRIPTIONS_SIZE, negative = none: every mote_subscribe() answers TooLarge. */
    int32_t subscriptions_size;

    /* wasm3 only: compile a function when it is first called instead of all at load, and give all code back when the
     * configuration has been read, a session has begun or ended, or an update has. Takes less memory, but what is first
     * called after start takes it then, and a full arena ends the instance like a trap. */
    bool compile_on_first_call;

    /* Called for each event. May be NULL: mote_poll() returns the kind and mote_event() the rest. */
    mote_event_handler_t *on_event;
    void *user;

    /* Handlers by verb; tables that stay where they are. An RPC without an entry, and every other event, goes to on_event. The keys
     * are requested again after each connect; the answer to that goes to the handlers alone. */
    const mote_rpc_method_t *rpc_methods;
    uint32_t rpc_method_count;
    const mote_shared_attribute_t *shared_attributes;
    uint32_t shared_attribute_count;

    /* Told, after its handler, of each event that a handler by verb took: an app beside the client hears of it by mote_app_event().
     * The RPC is answered already, unless its handler said MOTE_RPC_LATER. */
    mote_event_handler_t *on_taken;

    /* Most data points of a message that leaves in pieces. 0 = what the event SessionLimits told, or any. */
    uint32_t split_points;

    /* Supplies credentials, so that they need not stand in the configuration. May be NULL. */
    mote_secret_t *secret;

    /* The queue of mote_post_*(): each message takes its record + 4 bytes. NULL = no posts. */
    void *post_buffer;
    uint32_t post_buffer_size;

    /* Lines of the log: what the host has to say, such as a trap, and the module where it was built with a log. NULL leaves them to
     * the port. With a handler, MOTE_LOG_LEVEL_ERROR is the value of 0. */
    mote_log_handler_t *on_log;
    mote_log_level_t log_level;
} mote_options_t;

/* The QoS of the configuration, for options that say something else. */
#define MOTE_QOS_CONFIGURED 255

/* How to publish. NULL in place of it means the configured QoS, not retained. */
typedef struct mote_publish_options {
    uint8_t qos; /* 0, 1 or MOTE_QOS_CONFIGURED */
    bool retain;
} mote_publish_options_t;

/* ----------------------------------------------------------------- life --- */

/* Loads the module, checks its ABI and gives it the configuration. On failure nothing is left open:
 *   TooLarge       the arena, or the memory; mote_error_value() has the bytes needed where they are known
 *   Malformed      the module is cut off or corrupt
 *   InvalidValue   a field of the options (text: its name), another ABI major (text "abi_version"), or a value in the configuration
 *                  (text: its key)
 *   NotFound       an export or import that must be there is not (text: its name)
 *   TlsUnsupported `tls` is configured and the port has none
 *   any status of configure (ABI.md section 4); mote_error_text() has the key. */
int32_t mote_init(mote_t *mote, const mote_options_t *options);

/* Closes the connection at once and gives the arena back to the caller. */
void mote_free(mote_t *mote);

/* Connect, and stay connected. Ok also when started already. After MOTE_EVENT_FAILED it begins again: the traps are forgotten, and
 * the next mote_poll() builds the client anew, with what was declared. */
int32_t mote_start(mote_t *mote);

/* Sends what is queued, then DISCONNECT; event Disconnected with reason Requested. Keep polling until it comes. */
int32_t mote_disconnect(mote_t *mote);

/* The same at once and without an event. The last event is invalid afterwards. BadState: the client is not loaded. */
int32_t mote_stop(mote_t *mote);

/* ----------------------------------------------------------------- loop --- */

/* One step: port, module, at most one event. Returns its kind, 0 = none, or a status. */
int32_t mote_poll(mote_t *mote);

/* The event of the last mote_poll(). */
const mote_event_t *mote_event(const mote_t *mote);

/* Milliseconds that the loop may sleep from now: 0 = poll again at once, MOTE_NO_DEADLINE_MS = until something in
 * mote_wants() (bits of mote_want) happens. For loops of your own; mote_wait() does both. */
int32_t mote_deadline_ms(mote_t *mote);
int32_t mote_wants(mote_t *mote);

/* Sleeps until there is something to do, at most `timeout_ms`, or until mote_wake(). */
void mote_wait(mote_t *mote, uint32_t timeout_ms);

/* Polls and waits for `timeout_ms`, or until mote_wake(). Ok, or Trapped once the client has failed and until it is started again. */
int32_t mote_run(mote_t *mote, uint32_t timeout_ms);

/* Ends mote_wait() and mote_run() early. May be called from another task, a signal or an interrupt, but not once mote_free()
 * or the port's own end may have begun. */
void mote_wake(mote_t *mote);

/* Answers the inbound message of the last event: false makes the option `redeliver` decide what becomes of it. Not
 * calling it accepts. BadState when the last event is no message. */
int32_t mote_release(mote_t *mote, bool accepted);

/* ------------------------------------------------------------- messages --- */

/* A message is built in the module's own buffer between mote_begin() and a send. The first failure sticks: each
 * further call returns it, and so does the send, so that callers check once. One message may be open at a time.
 *
 *   mote_begin(mote);
 *   mote_add_decimal(mote, "temperature", 215, 1);
 *   mote_add_boolean(mote, "enabled", true);
 *   if (mote_send_telemetry(mote, NULL) < 0) ...
 *
 * Keys and texts are UTF-8 that ends with a zero, which the module checks when the message is sent (InvalidUtf8); keys inside an array are
 * ignored and may be NULL. */
int32_t mote_begin(mote_t *mote);

/* What those below come down to. They are inline, since the compiler knows the length of a key that stands in the program. `form` is the
 * type, with the decimals in the second byte; `number` the value of an integer and the mantissa of a decimal, else 0. */
int32_t mote_add_member(mote_t *mote, uint32_t form, const char *key, size_t key_length, int64_t number);
int32_t mote_add_text_member(mote_t *mote, mote_member_t type, const char *key, size_t key_length, const char *text, size_t text_length);

static inline size_t mote_text_length(const char *text) {
    return text != NULL ? strlen(text) : 0;
}

static inline int32_t mote_add_null(mote_t *mote, const char *key) {
    return mote_add_member(mote, MOTE_MEMBER_NULL, key, mote_text_length(key), 0);
}

static inline int32_t mote_add_boolean(mote_t *mote, const char *key, bool value) {
    return mote_add_member(mote, value ? MOTE_MEMBER_TRUE : MOTE_MEMBER_FALSE, key, mote_text_length(key), 0);
}

static inline int32_t mote_add_integer(mote_t *mote, const char *key, int64_t value) {
    return mote_add_member(mote, MOTE_MEMBER_INTEGER, key, mote_text_length(key), value);
}

/* mantissa / 10^decimals, decimals 0 to 18: 215 and 1 is 21.5. */
static inline int32_t mote_add_decimal(mote_t *mote, const char *key, int64_t mantissa, uint8_t decimals) {
    return mote_add_member(mote, (uint32_t)MOTE_MEMBER_DECIMAL | (uint32_t)decimals << 8, key, mote_text_length(key), mantissa);
}

/* Rounded half away from zero to `decimals` digits, 0 to 9, or to as many as 64 bits hold. What ThingsBoard would store as text is
 * sent as text: "NaN", "Infinity", "-Infinity", and the digits of what is 2^63 or more. */
int32_t mote_add_double(mote_t *mote, const char *key, double value, uint8_t decimals);

static inline int32_t mote_add_text(mote_t *mote, const char *key, const char *text) {
    return mote_add_text_member(mote, MOTE_MEMBER_TEXT, key, mote_text_length(key), text, strlen(text));
}

static inline int32_t mote_add_text_span(mote_t *mote, const char *key, mote_span_t text) {
    return mote_add_text_member(mote, MOTE_MEMBER_TEXT, key, mote_text_length(key), text.data, text.length);
}

/* Ready JSON, checked by the module when the message is sent. */
static inline int32_t mote_add_json(mote_t *mote, const char *key, const char *json) {
    return mote_add_text_member(mote, MOTE_MEMBER_JSON, key, mote_text_length(key), json, strlen(json));
}

static inline int32_t mote_add_json_span(mote_t *mote, const char *key, mote_span_t json) {
    return mote_add_text_member(mote, MOTE_MEMBER_JSON, key, mote_text_length(key), json.data, json.length);
}

static inline int32_t mote_object_begin(mote_t *mote, const char *key) {
    return mote_add_member(mote, MOTE_MEMBER_OBJECT_BEGIN, key, mote_text_length(key), 0);
}

static inline int32_t mote_object_end(mote_t *mote) {
    return mote_add_member(mote, MOTE_MEMBER_END, NULL, 0, 0);
}

static inline int32_t mote_array_begin(mote_t *mote, const char *key) {
    return mote_add_member(mote, MOTE_MEMBER_ARRAY_BEGIN, key, mote_text_length(key), 0);
}

static inline int32_t mote_array_end(mote_t *mote) {
    return mote_add_member(mote, MOTE_MEMBER_END, NULL, 0, 0);
}

/* Telemetry: begins an entry with a time stamp, Unix time in ms, or without one. What is added goes into the entry; a second
 * entry makes the message a list. All objects and arrays must be ended first. */
int32_t mote_timestamp(mote_t *mote, int64_t unix_ms);
int32_t mote_entry(mote_t *mote);

/* Which connector of a gateway read the values of an entry, and when, in Unix time in ms. From these ThingsBoard reports latencies as
 * `gatewayMetrics` of the gateway (MQTT Gateway API, Telemetry upload). */
typedef struct mote_connector {
    const char *name;
    int64_t received_ms;
    int64_t published_ms;
} mote_connector_t;

/* mote_timestamp() with where the values came from, for the telemetry of a child. In a message that may be more than one, each part
 * has it, and the record and its name must stay where they are until mote_end(). */
int32_t mote_connector_timestamp(mote_t *mote, int64_t unix_ms, const mote_connector_t *connector);

/* Makes ready JSON the whole message; BadState when something was added before. */
int32_t mote_document(mote_t *mote, const char *json, size_t length);

/* Throws the open message away. Always works. */
void mote_cancel(mote_t *mote);

/* Each closes the message and queues it whole or not at all. Returns 0 for QoS 0, the packet id of the later event
 * Delivered for QoS 1, or a status: Full = no room now, TooLarge = never. With more data points than the server said it ever takes, that
 * is TooLarge with the text "telemetryDataPoints": it would close the connection on such a message. */
int32_t mote_send_telemetry(mote_t *mote, const mote_publish_options_t *options);
int32_t mote_send_attributes(mote_t *mote, const mote_publish_options_t *options);
int32_t mote_send_rpc_reply(mote_t *mote, int32_t request_id, const mote_publish_options_t *options);

/* Telemetry and attributes that may be more than one message: what does not fit behind what is there already - in `staging_buffer`,
 * `send_buffer`, the largest packet that the server takes, or `split_points` - begins a further one with the same time stamp. mote_add_*() builds them. Entries of telemetry
 * that mote_timestamp() and mote_entry() begin join a list as long as it fits; of attributes they begin a message each.
 *
 * Here no failure sticks. Full from a mote_add_*() means that it was not added and can be called again after the next Delivered;
 * TooLarge that no message can ever hold this member, and mote_error_value() has the bytes that it needs. mote_end() sends the
 * rest and returns the id of the last message, 0 for QoS 0; after Full it is called again. mote_cancel() forgets what has not left. */
int32_t mote_begin_telemetry(mote_t *mote, const mote_publish_options_t *options);
int32_t mote_begin_attributes(mote_t *mote, const mote_publish_options_t *options);
int32_t mote_end(mote_t *mote);

/* ----------------------------------------------------------- other tasks --- */

/* A message that another task builds in memory of its own and posts; the task of the client sends it when it polls next. The first
 * failure sticks, as with mote_add_*(): TooLarge, or InvalidUtf8.
 *
 *   mote_post_t post;
 *   uint32_t buffer[16];
 *   mote_post_begin(&post, buffer, sizeof buffer);
 *   mote_post_integer(&post, "level", 7);
 *   if (mote_post_telemetry(&mote, &post) == MOTE_STATUS_FULL) ... it may be posted again later */
typedef struct mote_post {
    uint8_t *bytes;
    uint32_t capacity, length;
    int32_t status;
} mote_post_t;

void mote_post_begin(mote_post_t *post, void *buffer, size_t capacity);
int32_t mote_post_boolean(mote_post_t *post, const char *key, bool value);
int32_t mote_post_integer(mote_post_t *post, const char *key, int64_t value);
int32_t mote_post_decimal(mote_post_t *post, const char *key, int64_t mantissa, uint8_t decimals);
int32_t mote_post_text(mote_post_t *post, const char *key, const char *text);
int32_t mote_post_json(mote_post_t *post, const char *key, const char *json);

/* Ok, Full while the queue has no room, TooLarge when it never will. What the module then refuses is logged and counted. */
int32_t mote_post_telemetry(mote_t *mote, mote_post_t *post);
int32_t mote_post_attributes(mote_t *mote, mote_post_t *post);

/* Posts that found no room, and messages that the module refused. */
uint32_t mote_posts_refused(const mote_t *mote);

/* ------------------------------------------------------- topics (device) --- */

int32_t mote_publish(mote_t *mote, const char *topic, const void *payload, size_t length,
                     const mote_publish_options_t *options);

/* Declares a subscription, asserted after every connect and after a trap. Returns its id; a trap may renumber. */
int32_t mote_subscribe(mote_t *mote, const char *filter, uint8_t qos);
int32_t mote_unsubscribe(mote_t *mote, const char *filter);

/* Keys joined by commas, so that a key with a comma cannot be asked for. A scope whose keys are NULL or empty is not asked for; both = all
 * of both. Returns the id of AttributesResponse or RequestTimeout. InvalidValue: nothing but commas, for which the server would answer with
 * everything. */
int32_t mote_request_attributes(mote_t *mote, const char *client_keys, const char *shared_keys, uint32_t timeout_ms);

/* ----------------------------------------------------- requests (device) --- */

/* Client-side RPC: `params` is ready JSON or NULL. Returns the id of RpcResponse or RequestTimeout, Full with `max_requests` open.
 * ThingsBoard itself answers after 60 s, so a longer time lets it speak first. */
int32_t mote_request_rpc(mote_t *mote, const char *method, const char *params, uint32_t timeout_ms);

/* Makes the device claimable. A NULL secret is empty, a duration of 0 is the server's default, one below 0 InvalidValue. */
int32_t mote_claim(mote_t *mote, const char *secret_key, int64_t duration_ms, const mote_publish_options_t *options);

/* Forgets the credentials that provisioning gave: the next mote_start() asks the server for others. BadState while the client is started,
 * and without the configuration object `provision`. */
int32_t mote_forget_credentials(mote_t *mote);

/* ------------------------------------------------------ updates (device) --- */

/* Asks for the package of a kind now, also for one that failed or was given up. BadState when the kind is not configured. */
int32_t mote_ota_start(mote_t *mote, mote_ota_kind_t kind);

/* Answers OtaReady or OtaUrl: true takes the image, false refuses it. BadState when neither is open. */
int32_t mote_ota_apply(mote_t *mote, mote_ota_kind_t kind, bool accepted);

/* Gives a download up. */
int32_t mote_ota_stop(mote_t *mote, mote_ota_kind_t kind);

/* ----------------------------------------------------- children (gateway) --- */

/* Connects a child, and again after every reconnect, until mote_gateway_disconnect(). A NULL type is "default". Full when the table
 * of children (`children_buffer`) is. */
int32_t mote_gateway_connect(mote_t *mote, const char *device, const char *type, const mote_publish_options_t *options);
int32_t mote_gateway_disconnect(mote_t *mote, const char *device, const mote_publish_options_t *options);

/* Each sends the open message, built as any other, for one child. It leaves as it is or not at all: TooLarge with the text
 * "telemetryDataPoints" when it has more of them than the server said it ever takes for children, which would acknowledge and lose it.
 * mote_gateway_begin_telemetry() cuts such messages. */
int32_t mote_gateway_telemetry(mote_t *mote, const char *device, const mote_publish_options_t *options);
int32_t mote_gateway_attributes(mote_t *mote, const char *device, const mote_publish_options_t *options);
/* Telemetry and attributes that may be more than one message, as mote_begin_telemetry(). They begin with one child, and go on with
 * another by mote_gateway_child(), in the same message as long as it fits and the server takes so many children at once: what is for
 * more children, or has more data points, than it ever takes would be acknowledged and lost. No message has a child twice.
 *
 * A name must stay where it is until the next one or mote_end(). TooLarge when the buffer cannot hold it; Full from
 * mote_gateway_child() means that the message is still that of the child before. */
int32_t mote_gateway_begin_telemetry(mote_t *mote, const char *device, const mote_publish_options_t *options);
int32_t mote_gateway_begin_attributes(mote_t *mote, const char *device, const mote_publish_options_t *options);
int32_t mote_gateway_child(mote_t *mote, const char *device);

int32_t mote_gateway_rpc_reply(mote_t *mote, const char *device, int32_t request_id, const mote_publish_options_t *options);

int32_t mote_gateway_claim(mote_t *mote, const char *device, const char *secret_key, int64_t duration_ms,
                           const mote_publish_options_t *options);

typedef enum mote_scope { MOTE_SCOPE_CLIENT, MOTE_SCOPE_SHARED } mote_scope_t;

/* Keys joined by commas, at least one. Returns the id of ChildAttributesResponse or RequestTimeout. */
int32_t mote_gateway_request_attributes(mote_t *mote, const char *device, mote_scope_t scope, const char *keys, uint32_t timeout_ms);

/* ----------------------------------------------------------------- JSON --- */

typedef struct mote_json {
    mote_json_type_t type;
    mote_span_t text;  /* the value; of a text without the quotes and still escaped */
} mote_json_t;

/* Finds a member in JSON of the last event. A path is names and array indices separated by points, "" the document
 * itself. Returns the type, NotFound, or the fault of the text; TooLarge for a path of more than 64 bytes for which an open message
 * leaves no room in `staging_buffer`. */
int32_t mote_json_find(mote_t *mote, mote_span_t document, const char *path, mote_json_t *out_value);

/* The same by type: Ok, NotFound, WrongType, or Inexact when digits were lost. */
int32_t mote_json_boolean(mote_t *mote, mote_span_t document, const char *path, bool *out_value);
int32_t mote_json_integer(mote_t *mote, mote_span_t document, const char *path, int64_t *out_value);
int32_t mote_json_double(mote_t *mote, mote_span_t document, const char *path, double *out_value);

/* Copies a text without its escapes and ends it with a zero. Returns its length, or TooLarge. */
int32_t mote_json_text(mote_t *mote, mote_span_t document, const char *path, char *out_text, size_t capacity);

/* Compares a span with a text that ends with a zero. */
static inline bool mote_span_equals(mote_span_t span, const char *text) {
    size_t length = strlen(text);
    return span.length == length && memcmp(span.data, text, length) == 0;
}

/* Finds a member in the configuration, or in an object of it: the objects `host` and `link` are yours. Of a key that stands twice in such
 * an object the last one counts. The span is JSON text, of a text with its quotes. Returns false when there is none. Touches no client. */
bool mote_config_find(const char *json, size_t length, const char *key, mote_span_t *out_value);

/* The member at an index, in the order of the text; the key is without its quotes, and still escaped. Returns false behind the last one. */
bool mote_config_member(const char *json, size_t length, uint32_t index, mote_span_t *out_key, mote_span_t *out_value);

/* Compares such a key with a name, its escapes as what they mean. The module does not: of the configuration's own keys it knows none that is
 * written with an escape, and refuses it. */
bool mote_config_is_key(mote_span_t key, const char *name);

/* Copies a text that one of these found, without its quotes and escapes, and ends it with a zero. Returns its length, WrongType for
 * what is no text, Malformed, InvalidUtf8 (also for half of a surrogate pair), InvalidValue for U+0000, which would end it, or TooLarge;
 * the capacity is at least the length + 1. */
int32_t mote_config_text(mote_span_t value, char *out_text, size_t capacity);

/* ---------------------------------------------------------- information --- */

/* Where the client is, seen from the host. */
mote_state_t mote_state(const mote_t *mote);

/* Bits of mote_feature. */
uint32_t mote_features(const mote_t *mote);

/* One counter. They start again from 0 when a trap made a new instance. */
uint32_t mote_stat(const mote_t *mote, mote_stat_t which);

/* Traps since mote_init(). */
uint32_t mote_traps(const mote_t *mote);

/* What belongs to the last status below zero: a key, a name or a text of the engine; valid until the next call. */
mote_span_t mote_error_text(const mote_t *mote);
int32_t mote_error_value(const mote_t *mote);

/* "TooLarge" and "does not fit even into an empty buffer"; the names of assembly/abi.ts. */
const char *mote_status_name(int32_t status);
const char *mote_status_text(int32_t status);
const char *mote_event_name(int32_t kind);
const char *mote_return_code_name(int32_t code);
const char *mote_return_code_text(int32_t code);
const char *mote_state_name(int32_t state);

/* Bytes of the arena in use at most since load, and allocations made in it since load. */
size_t mote_arena_used(const mote_t *mote);
uint32_t mote_arena_allocations(const mote_t *mote);

/* ------------------------------------------------------------- the record --- */

/* Public only so that their size is known; read them through the functions above. */
typedef struct mote_split {
    uint8_t verb;                    /* export that sends the pieces, 0 = the open message is one */
    uint8_t depth;                   /* objects and arrays that are open in the entry */
    bool stamped, listed, has_options;
    mote_publish_options_t options;
    uint8_t children;                /* of the message before this one */
    int64_t unix_ms;
    const mote_connector_t *connector; /* where the values of the entry came from, NULL = not told */
    const char *device;              /* the child of a gateway, NULL = the client's own */
    uint32_t device_json;            /* bytes of JSON text around what is for a child */
    uint32_t first, entry;           /* where the first entry of the child and the last begin */
    uint32_t head, member;           /* where the members of the entry begin, and the last of them */
    uint16_t points, child;          /* data points; where the child begins */
    uint32_t json, member_json, json_max; /* bytes of JSON text: of all, of the last member, that a message may have */
    int32_t last_id;
} mote_split_t;

struct mote {
    mote_options_t options;

    struct mote_engine *engine;      /* NULL = no instance */
    uint8_t *memory;                 /* linear memory, fixed while the instance lives */
    uint32_t memory_length;
    const void *functions[34];       /* exports by number, NULL = not in this profile */
    uint32_t event_address, error_address, stats_address, json_address;
    uint32_t staging_address, staging_capacity;
    uint32_t features;

    mote_event_t event;
    const char *error_text;          /* NULL = ask the module's error record */
    int32_t error_value;

    uint32_t message_length;         /* bytes of the open message */
    uint32_t message_limit;          /* up to where members need no second look: 0 where none is open, one has failed, or it leaves in pieces */
    int32_t message_status;          /* the failure that sticks */
    bool message_open, message_ready, message_listed, message_stamped;

    bool started, dispatching, touched, restart_pending;
    bool end_untold;                 /* a trap ended the connection, which no event has told */
    uint8_t life;                    /* what supervise.c makes of the instance */
    uint8_t state;
    int32_t handle;                  /* the open connection, 0 = none */
    bool woken;
    uint8_t traps_known;             /* of the last ones, since the client was started anew */
    uint8_t children_telemetry, children_messages; /* of a message, by each rate of SessionLimits, 0 = any */

    uint32_t trap_times_ms[MOTE_TRAPS_MAX];
    uint32_t traps;
    uint32_t due_ms;                 /* of the next rebuild or restart */
    uint32_t backoff_min_ms, backoff_max_ms;
    uint32_t acknowledged_queued;    /* QoS 1 messages queued in this instance */
    uint32_t lost;
    uint32_t usage_base;             /* allocations counted when load was done */

    mote_split_t split;
    uint32_t points_own, points_children; /* data points of a message by SessionLimits, 0 = any */
    uint32_t payload_max;            /* bytes of a packet by SessionLimits, 0 = not told */
    uint32_t outbox_room;            /* bytes of the outbox without the subscriptions of the module itself */
    uint8_t points_told;             /* whose are the server's, not what is configured: bits in client.h */
    bool has_asked_rpc;              /* so that the module keeps the filter of the answers, too */

    uint32_t posts_length;           /* bytes in the queue of posts */
    uint32_t posts_refused;
    int32_t attributes_request;      /* id of the request of all shared attributes with a handler, 0 = none */
    bool attributes_wanted;          /* it is to be made */

    uint8_t *subscriptions;          /* u16 length, u8 qos, u8 whose, filter, one behind the other */
    uint32_t subscriptions_capacity, subscriptions_length;
#ifdef MOTE_CHECK_TASK
    uintptr_t task;                  /* that polls, 0 = none yet */
#endif
#ifdef MOTE_TEST_HOOKS
    bool trap_next;                  /* the next import traps; only tests set it */
#endif
};

#ifdef __cplusplus
}
#endif
#endif
