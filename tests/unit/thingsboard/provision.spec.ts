// Takes a device from no credentials to those of the server, which the journal keeps until they are forgotten (ThingsBoard, device provisioning).

import { EventField, EventKind, NetState, State, Status } from "../../../assembly/abi";
import { deadlineMs, start, state, stop } from "../../../assembly/client/connection";
import { poll } from "../../../assembly/thingsboard/device";
import { forgetCredentials } from "../../../assembly/thingsboard/provision";
import { configure, eventReason, eventText } from "../device";
import { arrive, arriveHex, putText, set_busy, set_clock, set_state, set_store, store_at, take_sent, textAt } from "../host";

const PACKET: usize = memory.data(1024, 8);
const REPLY = '{"status":"SUCCESS","credentialsType":"MQTT_BASIC","credentialsValue":{"clientId":"c2","userName":"u","password":"p"}}';

let clock: i64 = 1000;
/** What the last CONNECT has behind its fixed part of 12 bytes: texts, each behind its length. */
let connected: string = "";

/** Polls every ten milliseconds, as a host does, until something happened or a client is in this state; the event. */
function run(until: i32): i32 {
  let kind: i32 = EventKind.None;
  for (let step = 0; step < 200 && !kind && state != until; step++) {
    clock += 10;
    set_clock(clock);
    kind = poll();
  }
  return kind;
}

/** Opens the link and accepts the CONNECT; the first event of the session. */
function accept(): i32 {
  take_sent(PACKET); // of the session before
  set_state(NetState.Open);
  run(State.Connecting);
  poll();
  const length = take_sent(PACKET);
  connected = textAt(PACKET + 12, length - 12);
  arriveHex("20 02 00 00");
  return run(State.Connected);
}

function reply(json: string): i32 {
  const topicLength = putText(PACKET + 4, "/provision/response");
  const length = topicLength + putText(PACKET + 4 + topicLength, json) + 2;
  // Longer than 127 bytes, so its length has two.
  memory.copy(PACKET + 5, PACKET + 4, length - 2);
  store<u8>(PACKET, 0x30);
  store<u8>(PACKET, (length & 0x7f) | 0x80, 1);
  store<u8>(PACKET, length >> 7, 2);
  store<u16>(PACKET, <u16>topicLength << 8, 3);
  arrive(PACKET, length + 3);
  return run(-1);
}

describe("a device without credentials", () => {
  test("asks only while it is stopped for others", () => {
    set_store(512, 256, 4);
    const request = '{"provisionDeviceKey":"k","provisionDeviceSecret":"s"}';
    expect<i32>(configure('{"mqtt_host":"h","client_id":"c","rpc":false,"shared_attributes":false,"session_limits":false,"keep_alive_s":0,"provision":' + request + "}")).toBe(Status.Ok);
    start();
    expect<i32>(forgetCredentials()).toBe(Status.BadState);
  });
  test("finds none in its journal and connects as provision", () => {
    expect<i32>(run(State.Opening)).toBe(EventKind.None);
    expect<i32>(accept()).toBe(EventKind.None);
    expect<string>(connected).toBe("\0\x01c\0\x09provision");
    expect<i32>(state).toBe(State.Connected);
  });
  test("passes a reply that is no success on, and asks again", () => {
    expect<i32>(reply('{"status":"FAILURE","errorMsg":"no such key, so that this is longer than one hundred and twenty-seven bytes, which the packet of it needs to be"}')).toBe(EventKind.ProvisioningFailed);
    expect<i32>(eventReason()).toBe(Status.RemoteError);
    expect<string>(eventText(EventField.Name).substring(0, 11)).toBe("no such key");
    clock += 200000;
    expect<i32>(run(State.Opening)).toBe(EventKind.None);
    accept();
    expect<string>(connected).toBe("\0\x01c\0\x09provision");
  });
  test("keeps what it gets before it says so", () => {
    expect<i32>(reply(REPLY)).toBe(EventKind.Provisioned);
    expect<i32>(eventReason()).toBe(0);
    expect<string>(eventText(EventField.Payload)).toBe(REPLY);
    let isKept = false;
    for (let unit = 0; unit < 512; unit += 256) if (store_at(unit + 4) == 0x4d && store_at(unit + 20) == 0x7b) isKept = true;
    expect<bool>(isKept).toBe(true);
  });
  test("connects with it", () => {
    run(State.Opening);
    expect<i32>(accept()).toBe(EventKind.Connected);
    expect<string>(connected).toBe("\0\x02c2\0\x01u\0\x01p");
  });
  test("sleeps while the store is busy, and no longer", () => {
    stop();
    set_busy(true); // every other time
    expect<i32>(forgetCredentials()).toBe(Status.Ok);
    start();
    let slept = 0;
    let steps = 0;
    for (; state == State.Waiting && steps < 100; steps++) {
      const ms = deadlineMs();
      expect<bool>(ms <= 10).toBe(true);
      slept += <i32>(ms > 0);
      clock += ms;
      set_clock(clock);
      poll();
    }
    set_busy(false);
    expect<i32>(state).toBe(State.Opening);
    expect<bool>(slept > 2 && slept < steps - 2).toBe(true);
  });
  test("forgets it when it is told to, and is again what it was", () => {
    stop();
    expect<i32>(forgetCredentials()).toBe(Status.Ok);
    start();
    expect<i32>(run(State.Opening)).toBe(EventKind.None);
    accept();
    expect<string>(connected).toBe("\0\x01c\0\x09provision");
  });
});
