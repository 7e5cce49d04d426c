// Compares what an update sends with the topics and members of the ThingsBoard OTA reference (MQTT).

import { Status } from "../../../assembly/abi";
import { at } from "../../../assembly/base/cursor";
import { utf8 } from "../../../assembly/base/text";
import { compose, forget, report, unsent, want } from "../../../assembly/thingsboard/ota-messages";
import { scratch } from "../../../assembly/thingsboard/ota-package";
import { OTA_ASSIGNED, OTA_CURRENT, OTA_FAILED, OTA_REQUEST, OTA_RESPONSE, OTA_RESPONSE_FILTER, OTA_STATE } from "../../../assembly/thingsboard/topics";
import { configure } from "../device";
import { textAt } from "../host";

const WORD = utf8("\x00VERIFIED");

/** The topic, a space where it has one, and the payload. */
function written(form: usize, kind: i32): string {
  const topicLength = compose(form, kind);
  const payload = textAt(scratch + topicLength, <i32>(at - scratch) - topicLength);
  return topicLength ? textAt(scratch, topicLength) + " " + payload : payload;
}

describe("compose", () => {
  test("a device with both kinds", () => {
    const names = '"firmware_title":"a","firmware_version":"1.0","software_title":"b \\"c\\"","software_version":"2"';
    expect<i32>(configure('{"mqtt_host":"h","ota_chunk_size":4096,' + names + "}")).toBe(Status.Ok);
  });
  test("what runs, as it was written", () => {
    expect<string>(written(OTA_CURRENT, 0)).toBe('{"current_fw_title":"a","current_fw_version":"1.0"}');
    expect<string>(written(OTA_CURRENT, 1)).toBe('{"current_sw_title":"b \\"c\\"","current_sw_version":"2"}');
  });
  test("states and failures", () => {
    report(WORD);
    expect<string>(written(OTA_STATE, 0)).toBe('{"fw_state":"VERIFIED"}');
    expect<string>(written(OTA_FAILED, 1)).toBe('{"sw_state":"FAILED","sw_error":"VERIFIED"}');
  });
  test("the request of a package's attributes", () => {
    expect<string>(written(OTA_ASSIGNED, 1)).toBe('{"sharedKeys":"sw_title,sw_version,sw_size,sw_checksum,sw_checksum_algorithm,sw_url"}');
  });
  test("a chunk: its request, its answer, and the filter of all answers", () => {
    expect<string>(written(OTA_REQUEST, 0)).toBe("v2/fw/request/0/chunk/0 4096");
    expect<string>(written(OTA_RESPONSE, 1)).toBe("v2/sw/response/0/chunk/0 ");
    expect<string>(written(OTA_RESPONSE_FILTER, 0)).toBe("v2/fw/response/+/chunk/+ \0");
  });
});

test("messages are wanted and forgotten one by one", () => {
  forget(-1);
  want(5);
  want(8);
  forget(4);
  expect<i32>(unsent).toBe(9);
});
