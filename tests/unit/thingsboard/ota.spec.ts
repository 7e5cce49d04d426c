// Takes firmware through an update by the calls of its image slot, and answers what the application may say and when (ThingsBoard OTA updates).

import { EventField, EventKind, OtaKind, Status } from "../../../assembly/abi";
import { poll } from "../../../assembly/thingsboard/device";
import { otaApply, otaStart, otaStop } from "../../../assembly/thingsboard/ota";
import { configure, connect, eventId, eventReason, eventText, pollOn } from "../device";
import { arrive, imageCalls, putText, set_image } from "../host";

const PACKET: usize = memory.data(512, 8);

/** A PUBLISH at QoS 0 arrives; the event. */
function receive(topic: string, payload: string): i32 {
  const head = topic.length + payload.length + 2 > 0x7f ? 3 : 2;
  const text = PACKET + head + 2;
  const topicLength = putText(text, topic);
  const length = topicLength + putText(text + topicLength, payload) + 2;
  store<u8>(PACKET, 0x30);
  store<u8>(PACKET, head == 2 ? length : (length & 0x7f) | 0x80, 1);
  if (head == 3) store<u8>(PACKET, length >> 7, 2);
  store<u16>(text - 2, <u16>topicLength << 8);
  arrive(PACKET, length + head);
  return pollOn();
}

function assign(id: i32, version: string): i32 {
  const names = '"fw_title":"app","fw_version":"' + version + '","fw_size":10,"fw_checksum_algorithm":"MD5","fw_checksum":"0a1b2c3d"';
  return receive("v1/devices/me/attributes/response/" + id.toString(), '{"shared":{' + names + "}}");
}

describe("an update of firmware", () => {
  test("asks for what is assigned in its first session", () => {
    const buffers = '"send_buffer":4096,"keep_alive_s":0,"rpc":false,"session_limits":false,"ota_chunk_size":8';
    expect<i32>(configure('{"mqtt_host":"h","firmware_title":"app","firmware_version":"1.0",' + buffers + "}")).toBe(Status.Ok);
    expect<i32>(connect()).toBe(EventKind.Connected);
    pollOn();
    expect<string>(imageCalls()).toBe("");
  });
  test("knows no other kind, and nothing to apply or to stop", () => {
    expect<i32>(otaStart(OtaKind.Software)).toBe(Status.BadState);
    expect<i32>(otaStart(2)).toBe(Status.InvalidValue);
    expect<i32>(otaStart(-1)).toBe(Status.InvalidValue);
    expect<i32>(otaApply(OtaKind.Firmware, 1)).toBe(Status.BadState);
    expect<i32>(otaStop(OtaKind.Firmware)).toBe(Status.BadState);
  });
  test("tells of another version before the slot is opened", () => {
    expect<i32>(assign(1, "1.1")).toBe(EventKind.OtaAvailable);
    expect<i32>(eventId()).toBe(OtaKind.Firmware);
    expect<string>(eventText(EventField.Value)).toBe("1.1");
    expect<string>(imageCalls()).toBe("");
    poll();
    expect<string>(imageCalls()).toBe("begin 0 10 app/1.1/0a1b2c3d/ ");
  });
  test("writes each chunk once, then has the image verified", () => {
    pollOn();
    expect<i32>(receive("v2/fw/response/1/chunk/0", "01234567")).toBe(EventKind.OtaProgress);
    expect<i32>(receive("v2/fw/response/1/chunk/0", "01234567")).toBe(EventKind.None);
    expect<i32>(otaApply(OtaKind.Firmware, 1)).toBe(Status.BadState);
    expect<i32>(receive("v2/fw/response/1/chunk/1", "89")).toBe(EventKind.OtaProgress);
    expect<string>(imageCalls()).toBe("write 8 write 2 ");
    expect<i32>(pollOn()).toBe(EventKind.OtaReady);
    expect<string>(imageCalls()).toBe("verify 0 0a1b2c3d ");
  });
  test("drops an image that is vetoed, and leaves it alone until it is asked for", () => {
    expect<i32>(otaApply(OtaKind.Software, 1)).toBe(Status.BadState);
    expect<i32>(otaApply(OtaKind.Firmware, 0)).toBe(Status.Ok);
    expect<i32>(pollOn()).toBe(EventKind.OtaFailed);
    expect<i32>(eventReason()).toBe(Status.Vetoed);
    expect<string>(imageCalls()).toBe("abort ");
    expect<i32>(otaStart(OtaKind.Firmware)).toBe(Status.Ok);
    pollOn();
    expect<i32>(assign(2, "1.1")).toBe(EventKind.OtaAvailable);
  });
  test("fails when the slot does, without an image to drop", () => {
    set_image(0, Status.StoreFailed);
    expect<i32>(pollOn()).toBe(EventKind.OtaFailed);
    expect<i32>(eventReason()).toBe(Status.StoreFailed);
    expect<string>(imageCalls()).toBe("begin 0 10 app/1.1/0a1b2c3d/ ");
  });
});
