// Compares the topics with those of the ThingsBoard Device API reference (MQTT).

import {
  addressOf, ATTRIBUTES, ATTRIBUTES_REQUEST, ATTRIBUTES_RESPONSE_FILTER, CLAIM, lengthOf, prefixOf, RPC_REQUEST_FILTER, RPC_RESPONSE, RPC_RESPONSE_FILTER, TELEMETRY,
} from "../../../assembly/thingsboard/topics";
import { textAt } from "../host";

function text(topic: usize): string {
  return textAt(addressOf(topic), lengthOf(topic));
}

describe("topics", () => {
  test("are those of the Device API", () => {
    expect<string>(text(TELEMETRY)).toBe("v1/devices/me/telemetry");
    expect<string>(text(ATTRIBUTES)).toBe("v1/devices/me/attributes");
    expect<string>(text(ATTRIBUTES_REQUEST)).toBe("v1/devices/me/attributes/request/");
    expect<string>(text(ATTRIBUTES_RESPONSE_FILTER)).toBe("v1/devices/me/attributes/response/+");
    expect<string>(text(RPC_REQUEST_FILTER)).toBe("v1/devices/me/rpc/request/+");
    expect<string>(text(RPC_RESPONSE)).toBe("v1/devices/me/rpc/response/");
    expect<string>(text(RPC_RESPONSE_FILTER)).toBe("v1/devices/me/rpc/response/+");
    expect<string>(text(CLAIM)).toBe("v1/devices/me/claim");
  });
  test("a filter without its wildcard", () => {
    expect<string>(text(prefixOf(RPC_REQUEST_FILTER))).toBe("v1/devices/me/rpc/request/");
    expect<string>(text(prefixOf(ATTRIBUTES_RESPONSE_FILTER))).toBe("v1/devices/me/attributes/response/");
  });
});
