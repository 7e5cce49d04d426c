;; An app that shows each event to the board by `io`, and fails as it is told: AppTimer is an endless loop, a Message a store outside
;; of its memory. Its fuel counter is written by hand.
(module
  (import "mote" "io" (func $io (param i32 i32 i32) (result i32)))
  (import "mote" "timer" (func $timer (param i32) (result i32)))
  (memory (export "memory") 1 1)
  (global $fuel (export "fuel") (mut i32) (i32.const 0))
  (global (export "memory_bytes") i32 (i32.const 1024))
  (func $burn
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
    (if (i32.lt_s (global.get $fuel) (i32.const 0)) (then (unreachable))))
  (func (export "setup")
    (call $burn)
    (drop (call $timer (i32.const 500)))
    (drop (call $io (i32.const 1000) (i32.const 0) (i32.const 0))))
  (func (export "on_event") (param $kind i32) (param $length i32)
    (call $burn)
    (drop (call $io (local.get $kind) (i32.const 256) (local.get $length)))
    (if (i32.eq (local.get $kind) (i32.const 67)) (then (loop $again (call $burn) (br $again))))
    (if (i32.eq (local.get $kind) (i32.const 8)) (then (i32.store (i32.const 2048) (i32.const 1)))))
  (func (export "event_buffer") (result i32) (call $burn) (i32.const 256))
  (func (export "event_capacity") (result i32) (call $burn) (i32.const 128)))
