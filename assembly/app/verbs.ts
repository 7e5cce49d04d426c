// What an app may import: the client's verbs, the clock and the board, as numbers and spans of its own memory. ABI.md says what each means.

// @ts-ignore: decorator
@external("mote", "send_telemetry")
export declare function rawSendTelemetry(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "send_attributes")
export declare function rawSendAttributes(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "send_rpc_reply")
export declare function rawSendRpcReply(requestId: i32, record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "publish")
export declare function rawPublish(topic: usize, topicLength: i32, payload: usize, payloadLength: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "subscribe")
export declare function rawSubscribe(filter: usize, filterLength: i32, qos: i32): i32;
// @ts-ignore: decorator
@external("mote", "unsubscribe")
export declare function rawUnsubscribe(filter: usize, filterLength: i32): i32;
// @ts-ignore: decorator
@external("mote", "request_attributes")
export declare function rawRequestAttributes(record: usize, length: i32, timeoutMs: i32): i32;
// @ts-ignore: decorator
@external("mote", "request_rpc")
export declare function rawRequestRpc(record: usize, length: i32, timeoutMs: i32): i32;
// @ts-ignore: decorator
@external("mote", "claim")
export declare function rawClaim(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "ota_start")
export declare function startOta(kind: i32): i32;
// @ts-ignore: decorator
@external("mote", "ota_apply")
export declare function applyOta(kind: i32, isAccepted: i32): i32;
// @ts-ignore: decorator
@external("mote", "ota_stop")
export declare function stopOta(kind: i32): i32;
// @ts-ignore: decorator
@external("mote", "gateway_connect")
export declare function rawConnectChild(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "gateway_disconnect")
export declare function rawDisconnectChild(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "gateway_telemetry")
export declare function rawSendChildTelemetry(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "gateway_attributes")
export declare function rawSendChildAttributes(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "gateway_rpc_reply")
export declare function rawSendChildRpcReply(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "gateway_claim")
export declare function rawClaimChildren(record: usize, length: i32, options: i32): i32;
// @ts-ignore: decorator
@external("mote", "gateway_request_attributes")
export declare function rawRequestChildAttributes(record: usize, length: i32, timeoutMs: i32): i32;
// @ts-ignore: decorator
@external("mote", "event_release")
export declare function releaseEvent(isAccepted: i32): i32;
// @ts-ignore: decorator
@external("mote", "json_find")
export declare function rawJsonFind(document: usize, length: i32, path: usize, pathLength: i32, found: usize): i32;
// @ts-ignore: decorator
@external("mote", "json_text")
export declare function rawJsonText(text: usize, length: i32, to: usize, capacity: i32): i32;
/** Asks for one event AppTimer in so many milliseconds, in place of one asked for before; 0 takes it back. */
// @ts-ignore: decorator
@external("mote", "timer")
export declare function startTimer(ms: i32): i32;
/** Milliseconds that never step back. */
// @ts-ignore: decorator
@external("mote", "now_ms")
export declare function nowMs(): i64;
/** Unix time in milliseconds, 0 = not known yet. */
// @ts-ignore: decorator
@external("mote", "unix_ms")
export declare function unixMs(): i64;
/** 32 random bits, not fit for secrets. */
// @ts-ignore: decorator
@external("mote", "random_u32")
export declare function randomBits(): i32;
// @ts-ignore: decorator
@external("mote", "log")
export declare function rawLog(level: i32, line: usize, length: i32): void;
/** The board's hardware: `op` is a number that the board names, the bytes go there and back. */
// @ts-ignore: decorator
@external("mote", "io")
export declare function io(op: i32, bytes: usize, length: i32): i32;
/** What belongs to the last Status that a verb answered: the bytes needed, or the limit that was passed. */
// @ts-ignore: decorator
@external("mote", "error_value")
export declare function errorValue(): i32;
/** Writes what that Status is about, such as a key: its length, or TooLarge when there is not so much room. */
// @ts-ignore: decorator
@external("mote", "error_text")
export declare function errorText(to: usize, capacity: i32): i32;
// @ts-ignore: decorator
@external("mote", "points_max")
export declare function rawPointsMax(isOfChildren: i32): i32;
// @ts-ignore: decorator
@external("mote", "children_max")
export declare function rawChildrenMax(): i32;
/** Where the client is: a State. */
// @ts-ignore: decorator
@external("mote", "state")
export declare function state(): i32;
/** One counter by its Stat. */
// @ts-ignore: decorator
@external("mote", "stat")
export declare function stat(which: i32): i64;
/** Bits of Feature: what the client's module can do. */
// @ts-ignore: decorator
@external("mote", "features")
export declare function features(): i32;
