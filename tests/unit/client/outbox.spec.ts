// Queues, sends, acknowledges and repeats packets in an outbox of 128 bytes (MQTT 3.1.1, 4.4 and 4.6).

import { Stat, Status } from "../../../assembly/abi";
import { moveTo, putBytes } from "../../../assembly/base/cursor";
import { overflowed } from "../../../assembly/base/cursor";
import {
  acknowledge, carveOutbox, commit, drop, isEmpty, lend, makeRoom, markSent, nextMessageId, nextRequestId, nextToSend, openRecord, poison, reject, rewind,
  subscriptionTo, takeBack,
} from "../../../assembly/client/outbox";
import { idOf, packetEnd, packetOf } from "../../../assembly/client/outbox-record";
import { carveFrom } from "../../../assembly/memory";
import { Packet } from "../../../assembly/mqtt/packet";
import { errorValue, stat } from "../device";
import { hexAt, putHex, putText } from "../host";

const CAPACITY: i32 = 128;
const WINDOW: i32 = 3;
const BLOCK: usize = heap.alloc(512);
const BYTES = memory.data(256, 8);

/** An outbox of its own for each test: the ids go on from where they were. */
function begin(): void {
  memory.fill(BLOCK, 0, 512);
  carveFrom(BLOCK);
  carveOutbox(CAPACITY);
  takeBack();
  rewind();
  // What the test before left without an acknowledgement would narrow the window.
  const id = addMessage(0);
  send();
  acknowledge(Packet.Puback, id);
  rewind();
}

/** Adds a packet; false when there is no room at once. */
function add(hex: string, id: i32): bool {
  const length = putHex(BYTES, hex);
  moveTo(packetOf(openRecord()));
  putBytes(BYTES, length);
  if (overflowed()) return false;
  commit(id, 0);
  return true;
}

/** A PUBLISH with an id of its own: what stands behind the id tells it from others. */
function addMessage(content: i32): i32 {
  const id = nextMessageId();
  const hex = "32 06 00 01 61" + id.toString(16).padStart(4, "0") + content.toString(16).padStart(2, "0");
  return add(hex, id) ? id : -1;
}

/** The last byte of the next packet, which is sent then; -1 when there is none. */
function send(): i32 {
  const record = nextToSend(WINDOW);
  if (!record) return -1;
  const last = load<u8>(packetEnd(record) - 1);
  markSent(1000);
  return last;
}

describe("messages", () => {
  test("leave in the order in which they came, as many as the window lets", () => {
    begin();
    expect<bool>(isEmpty()).toBe(true);
    for (let content = 1; content <= 5; content++) addMessage(content);
    expect<bool>(isEmpty()).toBe(false);
    expect<i32>(send()).toBe(1);
    expect<i32>(send()).toBe(2);
    expect<i32>(send()).toBe(3);
    expect<i32>(send()).toBe(-1);
  });
  test("an acknowledgement opens the window, a wrong one does not", () => {
    begin();
    const id = addMessage(1);
    for (let content = 2; content <= 4; content++) addMessage(content);
    send();
    send();
    send();
    expect<usize>(acknowledge(Packet.Puback, 0x7777)).toBe(0);
    expect<usize>(acknowledge(Packet.Suback, id)).toBe(0);
    expect<i32>(send()).toBe(-1);
    const record = acknowledge(Packet.Puback, id);
    expect<bool>(record != 0).toBe(true);
    expect<i32>(idOf(record)).toBe(id);
    expect<i32>(send()).toBe(4);
    expect<usize>(acknowledge(Packet.Puback, id)).toBe(0);
  });
  test("what was not sent is not acknowledged", () => {
    begin();
    expect<usize>(acknowledge(Packet.Puback, addMessage(1))).toBe(0);
  });
  test("at QoS 0 they are done once they were sent", () => {
    begin();
    add("30 04 00 01 61 09", 0);
    const record = nextToSend(WINDOW);
    expect<string>(hexAt(packetOf(record), <i32>(packetEnd(record) - packetOf(record)))).toBe("30 04 00 01 61 09");
    markSent(1000);
    expect<bool>(isEmpty()).toBe(true);
    rewind();
    expect<i32>(send()).toBe(-1);
  });
  test("acknowledged in another order, the rest stays", () => {
    begin();
    const one = addMessage(1);
    const two = addMessage(2);
    const three = addMessage(3);
    send();
    send();
    send();
    acknowledge(Packet.Puback, two);
    acknowledge(Packet.Puback, three);
    expect<bool>(isEmpty()).toBe(false);
    acknowledge(Packet.Puback, one);
    expect<bool>(isEmpty()).toBe(true);
  });
});

describe("ids", () => {
  test("count from 1 to 32767 and begin again, never 0 [MQTT-2.3.1-1]", () => {
    begin();
    const first = addMessage(1);
    let id = first;
    let wrong = 0;
    for (let count = 0; count < 33000; count++) {
      send();
      acknowledge(Packet.Puback, id);
      const next = addMessage(1);
      if (next != (id == 32767 ? 1 : id + 1)) wrong++;
      id = next;
    }
    expect<i32>(wrong).toBe(0);
  });
  test("of requests never meet those of messages", () => {
    let wrong = 0;
    for (let count = 0; count < 70000; count++) {
      const id = nextRequestId();
      if (id < 32768 || id > 65535) wrong++;
    }
    expect<i32>(wrong).toBe(0);
  });
});

describe("a session that ended", () => {
  test("what was sent is sent again in its order with DUP [MQTT-4.4.0-1] [MQTT-3.3.1-1], what was not without", () => {
    begin();
    const resent = stat(Stat.MessagesResent);
    const one = addMessage(1);
    addMessage(2);
    addMessage(3);
    send();
    send();
    acknowledge(Packet.Puback, one);
    rewind();
    let packet = packetOf(nextToSend(WINDOW));
    expect<u8>(load<u8>(packet)).toBe(0x3a);
    expect<i32>(send()).toBe(2);
    packet = packetOf(nextToSend(WINDOW));
    expect<u8>(load<u8>(packet)).toBe(0x32);
    expect<i32>(send()).toBe(3);
    expect<i32>(send()).toBe(-1);
    expect<bool>(stat(Stat.MessagesResent) > resent).toBe(true);
  });
  test("an acknowledgement of the session before counts only once the message was sent again", () => {
    begin();
    const id = addMessage(1);
    send();
    rewind();
    expect<usize>(acknowledge(Packet.Puback, id)).toBe(0);
    send();
    expect<bool>(acknowledge(Packet.Puback, id) != 0).toBe(true);
  });
  test("when it acknowledged nothing, the next one sends one message at a time until one is acknowledged", () => {
    begin();
    const one = addMessage(1);
    addMessage(2);
    addMessage(3);
    send();
    send();
    rewind();
    expect<i32>(send()).toBe(1);
    expect<i32>(send()).toBe(-1);
    acknowledge(Packet.Puback, one);
    expect<i32>(send()).toBe(2);
    expect<i32>(send()).toBe(3);
  });
  test("three in a row that ended on a message make it poison", () => {
    begin();
    addMessage(1);
    for (let session = 0; session < 3; session++) {
      expect<usize>(poison()).toBe(0);
      send();
      rewind();
    }
    const record = poison();
    expect<bool>(record != 0).toBe(true);
    const packet = packetOf(record);
    const was = hexAt(packet, 8);
    reject(record);
    expect<usize>(poison()).toBe(0);
    // Its event lends it until the next poll.
    const id = addMessage(2);
    expect<string>(hexAt(packet, 8)).toBe(was);
    takeBack();
    expect<i32>(send()).toBe(2);
    acknowledge(Packet.Puback, id);
    expect<bool>(isEmpty()).toBe(true);
  });
  test("one that acknowledged another message begins the count again", () => {
    begin();
    const other = addMessage(1);
    addMessage(2);
    send();
    send();
    rewind();
    send();
    acknowledge(Packet.Puback, other);
    for (let session = 0; session < 3; session++) {
      expect<i32>(send()).toBe(2);
      rewind();
      expect<usize>(poison()).toBe(0);
    }
    send();
    rewind();
    expect<bool>(poison() != 0).toBe(true);
  });
});

describe("subscriptions", () => {
  test("leave before messages, stay once acknowledged and are asserted in each session", () => {
    begin();
    addMessage(1);
    const id = nextRequestId();
    add("82 06" + id.toString(16) + "00 01 62 01", id);
    let packet = packetOf(nextToSend(WINDOW));
    expect<u8>(load<u8>(packet)).toBe(0x82);
    markSent(1000);
    expect<i32>(send()).toBe(1);
    expect<bool>(acknowledge(Packet.Suback, id) != 0).toBe(true);
    expect<i32>(send()).toBe(-1);
    rewind();
    packet = packetOf(nextToSend(WINDOW));
    expect<u8>(load<u8>(packet)).toBe(0x82);
    markSent(1000);
  });
  test("are found by their filter and no other", () => {
    begin();
    const id = nextRequestId();
    add("82 07" + id.toString(16) + "00 02 61 62 01", id);
    putText(BYTES, "abab");
    expect<i32>(idOf(subscriptionTo(BYTES, 2))).toBe(id);
    expect<usize>(subscriptionTo(BYTES, 1)).toBe(0);
    expect<usize>(subscriptionTo(BYTES, 3)).toBe(0);
    expect<usize>(subscriptionTo(BYTES + 1, 1)).toBe(0);
    drop(subscriptionTo(BYTES, 2));
    expect<usize>(subscriptionTo(BYTES, 2)).toBe(0);
  });
  test("a request to end one is forgotten with the session", () => {
    begin();
    const id = nextRequestId();
    add("a2 05" + id.toString(16) + "00 01 62", id);
    rewind();
    expect<usize>(nextToSend(WINDOW)).toBe(0);
  });
});

describe("room", () => {
  test("is what the records take, 12 bytes more than their packets", () => {
    begin();
    let count = 0;
    while (addMessage(count) > 0 && count < 20) count++;
    expect<i32>(count).toBe(CAPACITY / (12 + 8));
    for (let byte = CAPACITY; byte < 256; byte++) expect<u8>(load<u8>(BLOCK + byte)).toBe(0);
  });
  test("a packet that never fits is too large, with the bytes needed", () => {
    begin();
    expect<i32>(makeRoom(CAPACITY, false, false) == Status.TooLarge).toBe(false);
    expect<i32>(makeRoom(CAPACITY + 1, false, false)).toBe(Status.TooLarge);
    expect<i32>(errorValue()).toBe(CAPACITY + 1);
  });
  test("what was acknowledged between others makes room for more, and the others stay as they were", () => {
    begin();
    const first = addMessage(0);
    let count = 1;
    while (addMessage(count) > 0) count++;
    send();
    send();
    acknowledge(Packet.Puback, first + 1);
    expect<i32>(makeRoom(20, false, false)).toBe(Status.Ok);
    expect<bool>(addMessage(count) > 0).toBe(true);
    acknowledge(Packet.Puback, first);
    for (let content = 2; content <= count; content++) {
      expect<i32>(send()).toBe(content);
      acknowledge(Packet.Puback, first + content);
    }
    expect<bool>(isEmpty()).toBe(true);
  });
  test("nothing moves while a packet is on its way or lent", () => {
    begin();
    const first = addMessage(0);
    while (addMessage(1) > 0);
    send();
    send();
    acknowledge(Packet.Puback, first + 1);
    expect<i32>(makeRoom(20, true, false)).toBe(Status.Full);
    lend();
    expect<i32>(makeRoom(20, false, false)).toBe(Status.Full);
    takeBack();
    expect<i32>(makeRoom(20, false, false)).toBe(Status.Ok);
  });
  test("full is full, and counted; with `drop` the oldest message goes unless it is in flight", () => {
    begin();
    let count = 0;
    while (addMessage(count) > 0) count++;
    const refused = stat(Stat.MessagesRefused);
    expect<i32>(makeRoom(20, false, false)).toBe(Status.Full);
    expect<u32>(stat(Stat.MessagesRefused) - refused).toBe(1);
    const dropped = stat(Stat.MessagesDropped);
    expect<i32>(makeRoom(20, false, true)).toBe(Status.Ok);
    expect<u32>(stat(Stat.MessagesDropped) - dropped).toBe(1);
    expect<i32>(send()).toBe(1);
    makeRoom(20, false, false);
    expect<bool>(addMessage(9) > 0).toBe(true);
    expect<i32>(makeRoom(20, false, true)).toBe(Status.Full);
  });
});
