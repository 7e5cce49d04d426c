// Configures devices, each in an instance of its own, and looks at what they subscribe to (ThingsBoard Device API).

import { EventKind, NetState, Status } from "../../../assembly/abi";
import { start } from "../../../assembly/client/connection";
import { isPresent, Setting } from "../../../assembly/client/settings";
import { configureDevice, poll } from "../../../assembly/thingsboard/device";
import { configure, errorText, errorValue, receive } from "../device";
import { fresh, openName, open_flags, open_port, opens, putText, sentHex, set_state, take_sent, textAt } from "../host";

const ROOM = memory.data(1024, 8);
const ROOM_SIZE: i32 = 1024;

/** Configures with so many bytes of memory, by the first word of the room; leaves the error value and text there. */
export function inFresh(length: i32): i32 {
  const status = configure(textAt(ROOM + 8, length), load<u32>(ROOM));
  store<i32>(ROOM, errorValue());
  store<i32>(ROOM, putText(ROOM + 8, errorText()), 4);
  return status;
}

function given(json: string, memorySize: i32 = 16384): i32 {
  store<i32>(ROOM, memorySize);
  return fresh(ROOM, ROOM_SIZE, putText(ROOM + 8, json));
}

describe("configureDevice", () => {
  test("a text is refused as its fault says", () => {
    expect<i32>(given('{"mqtt_hots":"h"}')).toBe(Status.UnknownKey);
    expect<string>(textAt(ROOM + 8, load<i32>(ROOM, 4))).toBe("mqtt_hots");
    expect<i32>(given("{")).toBe(Status.MoreBytes);
  });
  test("buffers that memory cannot hold: the error value is what would", () => {
    const json = '{"mqtt_host":"h","send_buffer":100000}';
    expect<i32>(given(json)).toBe(Status.TooLarge);
    expect<bool>(load<i32>(ROOM) > 100000).toBe(true);
    expect<i32>(given('{"mqtt_host":"h"}', 512)).toBe(Status.TooLarge);
  });
  test("an outbox that cannot hold the subscriptions of the platform", () => {
    expect<i32>(given('{"mqtt_host":"h","send_buffer":256}')).toBe(Status.InvalidValue);
    expect<string>(textAt(ROOM + 8, load<i32>(ROOM, 4))).toBe("send_buffer");
    expect<i32>(given('{"mqtt_host":"h","send_buffer":256,"rpc":false,"shared_attributes":false}')).toBe(Status.Ok);
    expect<i32>(given('{"mqtt_host":"h","send_buffer":256,"shared_attributes":false}')).toBe(Status.Ok);
  });
  test("a second time is a wrong state", () => {
    expect<i32>(configure('{"mqtt_host":"broker.test","tls":{}}')).toBe(Status.Ok);
    const length = putText(ROOM, '{"mqtt_host":"h"}');
    expect<i32>(configureDevice(ROOM, length, ROOM, ROOM + ROOM_SIZE)).toBe(Status.BadState);
    expect<bool>(isPresent(Setting.Tls)).toBe(true);
  });
});

describe("a session", () => {
  test("is opened with the name, the port and TLS as they were configured", () => {
    start();
    poll();
    expect<i32>(opens()).toBe(1);
    expect<string>(openName()).toBe("broker.test");
    expect<i32>(open_port()).toBe(8883);
    expect<i32>(open_flags()).toBe(1);
    set_state(NetState.Open);
    poll();
    poll();
    sentHex();
    expect<i32>(receive("20 02 00 00")).toBe(EventKind.Connected);
  });
  test("asks for its limits first, then has subscribed to RPC, shared attributes and attribute responses, as a gateway the same of its children, at QoS 1, once each", () => {
    const filters = ["v1/devices/me/rpc/request/+", "v1/devices/me/attributes", "v1/devices/me/attributes/response/+", "v1/gateway/attributes", "v1/gateway/attributes/response", "v1/gateway/rpc"];
    const length = take_sent(ROOM);
    // PUBLISH at QoS 0 without a packet id: remaining length, topic length, topic, payload.
    const topic = "v1/devices/me/rpc/request/0";
    const payload = '{"method":"getSessionLimits"}';
    expect<u8>(load<u8>(ROOM)).toBe(0x30);
    expect<i32>(load<u8>(ROOM, 1)).toBe(2 + topic.length + payload.length);
    expect<i32>(load<u8>(ROOM, 3)).toBe(topic.length);
    expect<string>(textAt(ROOM + 4, topic.length + payload.length)).toBe(topic + payload);
    let at: usize = ROOM + 4 + topic.length + payload.length;
    for (let index = 0; index < filters.length; index++) {
      expect<u8>(load<u8>(at)).toBe(0x82);
      const filterLength: i32 = load<u8>(at, 5);
      expect<string>(textAt(at + 6, filterLength)).toBe(filters[index]);
      expect<u8>(load<u8>(at + 6 + filterLength)).toBe(1);
      at += 7 + filterLength;
    }
    expect<i32>(<i32>(at - ROOM)).toBe(length);
  });
});
