// Fills the event record over one that was full.

import { EventField, EventKind } from "../../../assembly/abi";
import { raise, setPayload, setTopic } from "../../../assembly/client/event";
import { EVENT } from "../../../assembly/memory";

describe("raise", () => {
  test("returns the kind, sets size, kind, id and reason, and clears all else", () => {
    memory.fill(EVENT, 0xff, EventField.End);
    expect<i32>(raise(EventKind.Delivered, 0x12345678, -36)).toBe(EventKind.Delivered);
    expect<u16>(load<u16>(EVENT, EventField.Size)).toBe(60);
    expect<u8>(load<u8>(EVENT, EventField.Kind)).toBe(5);
    expect<u8>(load<u8>(EVENT, EventField.Flags)).toBe(0);
    expect<i32>(load<i32>(EVENT, EventField.Id)).toBe(0x12345678);
    expect<i32>(load<i32>(EVENT, EventField.Reason)).toBe(-36);
    for (let field = <i32>EventField.Topic; field < EventField.End; field += 4) expect<u32>(load<u32>(EVENT + field)).toBe(0);
  });
});

describe("setTopic and setPayload", () => {
  test("fill their two fields and no other", () => {
    raise(EventKind.Message, 0, 0);
    setTopic(4096, 3);
    setPayload(8192, 5);
    for (let field = <i32>EventField.Id; field < EventField.End; field += 4) {
      let expected = 0;
      if (field == EventField.Topic) expected = 4096;
      if (field == EventField.TopicLength) expected = 3;
      if (field == EventField.Payload) expected = 8192;
      if (field == EventField.PayloadLength) expected = 5;
      expect<u32>(load<u32>(EVENT + field)).toBe(expected);
    }
  });
});
