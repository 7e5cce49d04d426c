// Reads documents of the ThingsBoard Gateway API into the event record, and names what is wrong with others.

import { EventField, EventKind, Status } from "../../../../assembly/abi";
import { EVENT } from "../../../../assembly/memory";
import { readChild } from "../../../../assembly/thingsboard/gateway/receive";
import { eventId, eventReason, eventText } from "../../device";
import { putText } from "../../host";

const TEXT: usize = memory.data(512, 8);

function read(kind: i32, json: string): i32 {
  memory.fill(EVENT, 0, <i32>EventField.End);
  return readChild(kind, TEXT, putText(TEXT, json));
}

describe("readChild", () => {
  test("changes of attributes, with their braces", () => {
    expect<i32>(read(EventKind.ChildAttributes, '{"device":"A \\"1\\"","data":{"x":1,"device":"B"}}')).toBe(Status.Ok);
    expect<string>(eventText(EventField.Topic)).toBe('A \\"1\\"');
    expect<string>(eventText(EventField.Value)).toBe('{"x":1,"device":"B"}');
    expect<i32>(eventId()).toBe(0);
  });
  test("a request, whose members stand one level deeper, in any order", () => {
    expect<i32>(read(EventKind.ChildRpcRequest, '{"data":{"params":"now","id":7,"method":"stop"},"device":"A"}')).toBe(Status.Ok);
    expect<i32>(eventId()).toBe(7);
    expect<string>(eventText(EventField.Name)).toBe("stop");
    expect<string>(eventText(EventField.Value)).toBe('"now"');
  });
  test("an answer with one value, with several, and with none", () => {
    expect<i32>(read(EventKind.ChildAttributesResponse, '{"id":1,"device":"A","value":-2.5}')).toBe(Status.Ok);
    expect<string>(eventText(EventField.Value)).toBe("-2.5");
    expect<i32>(read(EventKind.ChildAttributesResponse, '{"id":1,"device":"A","values":{"k":[]}}')).toBe(Status.Ok);
    expect<string>(eventText(EventField.Value)).toBe('{"k":[]}');
    expect<i32>(read(EventKind.ChildAttributesResponse, '{"id":1,"device":"A"}')).toBe(Status.Ok);
    expect<u32>(load<u32>(EVENT, EventField.Value)).toBe(0);
  });
  test("a notice with the reason of the server", () => {
    expect<i32>(read(EventKind.ChildDisconnected, '{"device":"A","reason":150}')).toBe(Status.Ok);
    expect<i32>(eventReason()).toBe(150);
  });
  test("what lacks something, or has another type", () => {
    expect<i32>(read(EventKind.ChildAttributes, '{"data":{}}')).toBe(Status.MissingKey);
    expect<i32>(read(EventKind.ChildAttributes, '{"device":5,"data":{}}')).toBe(Status.WrongType);
    expect<i32>(read(EventKind.ChildAttributes, '["device"]')).toBe(Status.WrongType);
    expect<i32>(read(EventKind.ChildRpcRequest, '{"device":"A","data":{"method":"m"}}')).toBe(Status.MissingKey);
    expect<i32>(read(EventKind.ChildRpcRequest, '{"device":"A","data":{"id":"1","method":null}}')).toBe(Status.MissingKey);
    expect<i32>(read(EventKind.ChildAttributesResponse, '{"device":"A","id":-1}')).toBe(Status.MissingKey);
  });
  test("a text cut short has its fault, and the id that it began with", () => {
    expect<i32>(read(EventKind.ChildAttributesResponse, '{"id":3,"device":"A","values":{')).toBe(Status.MoreBytes);
    expect<i32>(eventId()).toBe(3);
  });
});
