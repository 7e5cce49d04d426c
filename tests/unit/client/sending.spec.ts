// Hands bytes to a network that takes as many as the spec says, and looks at what is on its way.

import { Status } from "../../../assembly/abi";
import { flush, giveUp, handle, isOnItsWay, isSending, sayGoodbye, sendFirst, setHandle } from "../../../assembly/client/sending";
import { clear } from "../../../assembly/client/lane";
import { closes, putText, sentHex, set_room } from "../host";

const TEXT = memory.data(16, 8);

/** Puts four bytes in front of everything else; where they end. */
function send(): usize {
  putText(TEXT, "abcd");
  sendFirst(TEXT, TEXT + 4);
  return TEXT + 4;
}

// There is no session, so nothing but what is put first may leave.
describe("what is on its way", () => {
  test("is nothing at first", () => {
    clear();
    expect<bool>(isSending()).toBe(false);
    expect<bool>(isOnItsWay(0)).toBe(false);
    flush();
    expect<string>(sentHex()).toBe("");
  });
  test("leaves whole when there is room, and is told apart by where it ends", () => {
    const end = send();
    expect<bool>(isSending()).toBe(true);
    expect<bool>(isOnItsWay(end)).toBe(true);
    expect<bool>(isOnItsWay(end - 1)).toBe(false);
    flush();
    expect<string>(sentHex()).toBe("61 62 63 64");
    expect<bool>(isSending()).toBe(false);
    expect<bool>(isOnItsWay(end)).toBe(false);
  });
  test("goes on with exactly the bytes that were not taken", () => {
    send();
    set_room(3);
    flush();
    expect<string>(sentHex()).toBe("61 62 63");
    flush();
    expect<string>(sentHex()).toBe("");
    expect<bool>(isSending()).toBe(true);
    set_room(-1);
    flush();
    expect<string>(sentHex()).toBe("64");
    expect<bool>(isSending()).toBe(false);
  });
  test("is given up with its connection", () => {
    send();
    set_room(1);
    flush();
    giveUp();
    expect<bool>(isSending()).toBe(false);
    set_room(-1);
    flush();
    expect<string>(sentHex()).toBe("61");
  });
  test("a failure closes the connection and stays in place of its handle, for the next step", () => {
    send();
    setHandle(1);
    set_room(Status.ConnectionReset);
    const before = closes();
    flush();
    expect<i32>(closes()).toBe(before + 1);
    expect<i32>(handle).toBe(Status.ConnectionReset);
    set_room(-1);
    giveUp();
    setHandle(0);
  });
});

describe("DISCONNECT [MQTT-3.14.4-2]", () => {
  test("goes straight to the port", () => {
    clear();
    sayGoodbye();
    expect<string>(sentHex()).toBe("e0 00");
  });
  test("is left out behind half a packet", () => {
    clear();
    send();
    set_room(1);
    flush();
    expect<string>(sentHex()).toBe("61");
    set_room(-1);
    sayGoodbye();
    expect<string>(sentHex()).toBe("");
    giveUp();
  });
});
