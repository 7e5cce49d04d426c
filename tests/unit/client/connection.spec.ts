// Lives through a client's life by a clock that the spec sets: attempts, refusals, deadlines, an orderly end (MQTT 3.1.1; design, reliability rules).
//
// The tests of a group follow each other; each begins where the one before has ended.

import { EventKind, NetState, NO_DEADLINE_MS, ReturnCode, Stat, State, Status, Want } from "../../../assembly/abi";
import { deadlineMs, disconnect, release, start, state, stop, wants } from "../../../assembly/client/connection";
import { append, NO_NUMBER, RAW } from "../../../assembly/client/publish";
import { poll } from "../../../assembly/thingsboard/device";
import { configure, eventReason, pollOn, receive, stat } from "../device";
import { arriveHex, closes, opens, putText, sentHex, set_clock, set_random, set_receive_end, set_room, set_state } from "../host";

const TEXT = memory.data(64, 8);
const CONNACK = "20 02 00 00";

let clock: i64 = 1000;

function pass(ms: i64): void {
  clock += ms;
  set_clock(clock);
}

/** Lets the wait for the next attempt pass, which `random_u32` has made `ms` long, and not a millisecond less. */
function waitFor(ms: i32): void {
  expect<i32>(deadlineMs()).toBe(ms);
  pass(ms - 1);
  poll();
  expect<i32>(state).toBe(State.Waiting);
  pass(1);
  poll();
  expect<i32>(state).toBe(State.Opening);
}

/** From Opening on: the link opens, CONNECT leaves and is accepted, and the three subscriptions of a gateway are granted. All that was sent. */
function enter(): string {
  set_state(NetState.Open);
  poll();
  expect<i32>(state).toBe(State.Connecting);
  expect<i32>(receive(CONNACK)).toBe(EventKind.Connected);
  expect<i32>(state).toBe(State.Connected);
  arriveHex("90 03 80 01 01 90 03 80 02 01 90 03 80 03 01");
  for (let index = 0; index < 3; index++) expect<i32>(poll()).toBe(EventKind.Subscribed);
  poll();
  return sentHex();
}

/** What the server's end of a connection becomes. */
function close(): i32 {
  set_receive_end(Status.ConnectionClosed);
  const kind = pollOn();
  set_receive_end(0);
  return kind;
}

/** Publishes one byte to the topic `t`: the packet id, 0 at QoS 0. */
function publish(qos: i32): i32 {
  putText(TEXT, "tx");
  return append(0x30 | (qos << 1), TEXT, 1, NO_NUMBER, TEXT + 1, 1, RAW);
}

describe("before a session", () => {
  test("nothing can be started that was not configured", () => {
    expect<i32>(start()).toBe(Status.BadState);
    expect<i32>(wants()).toBe(0);
    expect<i32>(deadlineMs()).toBe(NO_DEADLINE_MS);
    expect<i32>(configure(
      '{"mqtt_host":"h","rpc":false,"shared_attributes":false,"session_limits":false,"keep_alive_s":40,"ack_timeout_s":4,"connect_timeout_s":5,"reconnect_min_ms":1000,"reconnect_max_ms":4000}',
    )).toBe(Status.Ok);
  });
  test("the first attempt waits for nothing", () => {
    expect<i32>(start()).toBe(Status.Ok);
    expect<i32>(state).toBe(State.Waiting);
    expect<i32>(deadlineMs()).toBe(0);
    poll();
    expect<i32>(state).toBe(State.Opening);
    expect<i32>(opens()).toBe(1);
    expect<i32>(wants()).toBe(Want.Work);
  });
  test("a second start changes nothing", () => {
    expect<i32>(start()).toBe(Status.Ok);
    expect<i32>(state).toBe(State.Opening);
    expect<i32>(opens()).toBe(1);
  });
  test("a link that does not open in time is given up", () => {
    set_random(1000);
    expect<i32>(deadlineMs()).toBe(5000);
    pass(4999);
    expect<i32>(poll()).toBe(EventKind.None);
    pass(1);
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ConnectTimeout);
    expect<i32>(closes()).toBe(1);
    expect<u32>(stat(Stat.ConnectFailures)).toBe(1);
  });
  test("the wait is any time up to a ceiling, which doubles to the largest", () => {
    waitFor(1000);
    set_random(2000);
    set_state(Status.Unreachable);
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.Unreachable);
    waitFor(2000);
    set_random(4000);
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    waitFor(4000);
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    waitFor(4000);
    set_random(4001); // one more than the ceiling is zero again
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    expect<i32>(deadlineMs()).toBe(0);
    poll();
    expect<i32>(state).toBe(State.Opening);
  });
  test("a server that does not answer CONNECT in time is given up", () => {
    set_state(NetState.Open);
    poll();
    expect<i32>(state).toBe(State.Connecting);
    expect<string>(sentHex().substr(0, 2)).toBe("10");
    pass(5000);
    expect<i32>(pollOn()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ConnackTimeout);
  });
  test("whatever a server says before CONNACK ends the connection", () => {
    poll();
    poll();
    expect<i32>(receive("d0 00")).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ProtocolError);
    expect<u32>(stat(Stat.ProtocolErrors)).toBe(1);
  });
  test("a refusal is told with its code, then the end; the next attempt waits for half of the longest time at least", () => {
    poll();
    poll();
    set_random(0);
    expect<i32>(receive("20 02 00 05")).toBe(EventKind.Refused);
    expect<i32>(eventReason()).toBe(ReturnCode.NotAuthorized);
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ConnectRefused);
    waitFor(2000);
  });
  test("an overloaded server may recover soon", () => {
    poll();
    expect<i32>(receive("20 02 00 03")).toBe(EventKind.Refused);
    expect<i32>(eventReason()).toBe(ReturnCode.ServerUnavailable);
    poll();
    expect<i32>(deadlineMs()).toBe(0);
  });
  test("no CONNACK has another return code, or other flags than session present", () => {
    const wrong = ["20 02 00 06", "20 02 02 00"];
    for (let index = 0; index < wrong.length; index++) {
      poll();
      poll();
      expect<i32>(receive(wrong[index])).toBe(EventKind.Disconnected);
      expect<i32>(eventReason()).toBe(Status.ProtocolError);
    }
  });
});

describe("a session", () => {
  test("begins with CONNACK; a second one ends it", () => {
    poll();
    enter();
    expect<i32>(wants()).toBe(Want.Readable);
    expect<i32>(receive(CONNACK)).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ProtocolError);
  });
  test("sends PINGREQ by three quarters of the keep alive, whatever else flows", () => {
    poll();
    enter();
    pass(29999);
    expect<i32>(publish(0)).toBe(0);
    poll();
    expect<string>(sentHex()).toBe("30 04 00 01 74 78");
    pass(1);
    poll();
    expect<string>(sentHex()).toBe("c0 00");
    expect<i32>(deadlineMs()).toBe(4000);
  });
  test("goes on when PINGRESP comes, and ends when it does not", () => {
    expect<i32>(receive("d0 00")).toBe(EventKind.None);
    expect<i32>(state).toBe(State.Connected);
    pass(30000);
    poll();
    expect<string>(sentHex()).toBe("c0 00");
    pass(4000);
    expect<i32>(pollOn()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.PingTimeout);
  });
  test("counts as healthy after its time and an answer: then the wait is the shortest again", () => {
    set_random(4000);
    waitFor(0);
    enter();
    pass(30000);
    poll();
    receive("d0 00");
    pass(30000);
    poll();
    receive("d0 00");
    set_random(1000);
    expect<i32>(close()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ConnectionClosed);
    waitFor(1000);
  });
  test("a second close by the server without such a session between makes it unstable", () => {
    set_random(0);
    enter();
    expect<i32>(close()).toBe(EventKind.Disconnected);
    expect<i32>(poll()).toBe(EventKind.Unstable);
    expect<i32>(eventReason()).toBe(Status.ConnectionClosed);
  });
  test("a message without its PUBACK ends it, and is repeated with DUP in the next one [MQTT-3.3.1-1]", () => {
    poll();
    enter();
    expect<i32>(publish(1)).toBe(1);
    poll();
    expect<string>(sentHex()).toBe("32 06 00 01 74 00 01 78");
    pass(4000);
    expect<i32>(pollOn()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.AcknowledgeTimeout);
    poll();
    expect<bool>(enter().endsWith("3a 06 00 01 74 00 01 78")).toBe(true);
    expect<i32>(receive("40 02 00 01")).toBe(EventKind.Delivered);
  });
  test("what the network does not take at once stays on its way, and nothing comes between", () => {
    set_room(3);
    expect<i32>(publish(0)).toBe(0);
    poll();
    expect<i32>(wants()).toBe(Want.Readable | Want.Writable);
    expect<string>(sentHex()).toBe("30 04 00");
    expect<i32>(publish(0)).toBe(0);
    set_room(-1);
    poll();
    expect<string>(sentHex()).toBe("01 74 78 30 04 00 01 74 78");
    expect<i32>(wants()).toBe(Want.Readable);
  });
  test("a network that fails while it takes bytes ends it", () => {
    set_room(Status.ConnectionReset);
    expect<i32>(publish(0)).toBe(0);
    poll();
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.ConnectionReset);
    set_room(-1);
  });
  test("a message that arrives is acknowledged by the next poll; nothing else can be released", () => {
    poll();
    enter();
    expect<i32>(release(1)).toBe(Status.BadState);
    arriveHex("32 06 00 01 74 00 09 78");
    expect<i32>(pollOn()).toBe(EventKind.Message);
    expect<string>(sentHex()).toBe("");
    expect<i32>(release(1)).toBe(Status.Ok);
    poll();
    expect<string>(sentHex()).toBe("40 02 00 09");
    expect<i32>(release(1)).toBe(Status.BadState);
  });
  test("one that is not accepted is acknowledged all the same, and counted", () => {
    arriveHex("32 06 00 01 74 00 0a 78");
    expect<i32>(pollOn()).toBe(EventKind.Message);
    expect<i32>(release(0)).toBe(Status.Ok);
    poll();
    expect<string>(sentHex()).toBe("40 02 00 0a");
    expect<u32>(stat(Stat.InboundDropped)).toBe(1);
  });
});

describe("the end", () => {
  test("an orderly one waits until the outbox is empty, then says DISCONNECT", () => {
    expect<bool>(publish(1) > 0).toBe(true);
    poll();
    sentHex();
    expect<i32>(disconnect()).toBe(Status.Ok);
    expect<i32>(state).toBe(State.Draining);
    poll();
    expect<string>(sentHex()).toBe("");
    expect<i32>(receive("40 02 00 02")).toBe(EventKind.Delivered);
    expect<i32>(pollOn()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.Requested);
    expect<string>(sentHex()).toBe("e0 00");
    expect<i32>(state).toBe(State.Stopped);
    expect<i32>(deadlineMs()).toBe(NO_DEADLINE_MS);
  });
  test("its patience has an end", () => {
    start();
    poll();
    enter();
    expect<bool>(publish(1) > 0).toBe(true);
    poll();
    sentHex();
    disconnect();
    pass(4000);
    expect<i32>(pollOn()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.Requested);
    expect<string>(sentHex()).toBe("e0 00");
  });
  test("start calls it off", () => {
    start();
    poll();
    enter();
    disconnect();
    start();
    expect<i32>(state).toBe(State.Connected);
  });
  test("stop waits for nothing and raises nothing", () => {
    sentHex();
    const before = closes();
    expect<i32>(stop()).toBe(Status.Ok);
    expect<string>(sentHex()).toBe("e0 00");
    expect<i32>(closes()).toBe(before + 1);
    expect<i32>(state).toBe(State.Stopped);
    expect<i32>(poll()).toBe(EventKind.None);
    expect<i32>(deadlineMs()).toBe(NO_DEADLINE_MS);
  });
  test("an end before there was a connection is told by the next poll", () => {
    start();
    disconnect();
    expect<i32>(state).toBe(State.Stopped);
    expect<i32>(deadlineMs()).toBe(0);
    expect<i32>(poll()).toBe(EventKind.Disconnected);
    expect<i32>(eventReason()).toBe(Status.Requested);
  });
});
