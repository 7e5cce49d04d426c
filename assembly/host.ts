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

/** Returns a StoreInfo of a StoreArea. */
// @ts-ignore: decorator
@external("mote", "store_info")
export declare function store_info(area: i32, what: i32): i32;

/** Returns the bytes read, 0 = busy, or a Status. */
// @ts-ignore: decorator
@external("mote", "store_read")
export declare function store_read(area: i32, offset: i32, to: usize, length: i32): i32;

/** Clears bits, in order within an erased unit. Returns the bytes programmed, 0 = busy, or a Status. */
// @ts-ignore: decorator
@external("mote", "store_program")
export declare function store_program(area: i32, offset: i32, from: usize, length: i32): i32;

/** Erases the unit at `offset`. Returns the bytes erased, 0 = busy, or a Status. */
// @ts-ignore: decorator
@external("mote", "store_erase")
export declare function store_erase(area: i32, offset: i32): i32;

/** Returns 1 = everything before is durable, 0 = busy, or a Status. */
// @ts-ignore: decorator
@external("mote", "store_sync")
export declare function store_sync(area: i32): i32;

/** Opens the image slot for the image that the id names. Returns the offset to go on from, or a Status. */
// @ts-ignore: decorator
@external("mote", "ota_begin")
export declare function ota_begin(kind: i32, size: i32, id: usize, idLength: i32): i32;

/** Appends to the image. Returns the bytes taken, 0 = busy, or a Status. */
// @ts-ignore: decorator
@external("mote", "ota_write")
export declare function ota_write(from: usize, length: i32): i32;

/** Returns 1 when the image has the checksum, 0 = busy, InvalidValue when it differs, or another Status. */
// @ts-ignore: decorator
@external("mote", "ota_verify")
export declare function ota_verify(algorithm: i32, hex: usize, length: i32): i32;

/** Makes the image the one that boots next. Returns 1 when that is done, 0 = busy, or a Status. */
// @ts-ignore: decorator
@external("mote", "ota_commit")
export declare function ota_commit(): i32;

/** Drops the image. */
// @ts-ignore: decorator
@external("mote", "ota_abort")
export declare function ota_abort(): i32;

/** Returns an OtaBootState. */
// @ts-ignore: decorator
@external("mote", "ota_boot_state")
export declare function ota_boot_state(): i32;

/** Keeps the running image. Returns 1 when that is done, 0 = busy, or a Status. */
// @ts-ignore: decorator
@external("mote", "ota_confirm")
export declare function ota_confirm(): i32;
