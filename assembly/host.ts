// Declares every function that the host supplies; the only file with imports. ABI.md, section 2, is normative.

/** Begins DNS, TCP and, by NetFlag.Tls, TLS. Returns a handle from 1 up, or a Status. */
// @ts-ignore: decorator
@external("mote", "net_open")
export declare function net_open(host: usize, hostLength: i32, port: i32, flags: i32): i32;

/** Returns a NetState, or the failure by Status. */
// @ts-ignore: decorator
@external("mote", "net_state")
export declare function net_state(handle: i32): i32;

/** Returns the bytes accepted, 0 = try later, or a Status. */
// @ts-ignore: decorator
@external("mote", "net_send")
export declare function net_send(handle: i32, from: usize, length: i32): i32;

/** Returns the bytes read, 0 = nothing now, or a Status. */
// @ts-ignore: decorator
@external("mote", "net_recv")
export declare function net_recv(handle: i32, to: usize, capacity: i32): i32;

/** Ends the connection; the handle is invalid afterwards. */
// @ts-ignore: decorator
@external("mote", "net_close")
export declare function net_close(handle: i32): void;

/** Milliseconds of a clock that never steps back. */
// @ts-ignore: decorator
@external("mote", "now_ms")
export declare function now_ms(): i64;

/** 32 random bits for jitter and ids. */
// @ts-ignore: decorator
@external("mote", "random_u32")
export declare function random_u32(): i32;
