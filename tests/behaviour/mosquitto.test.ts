// The client against a broker and clients that this project did not write: mosquitto, mosquitto_pub and mosquitto_sub.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Feature } from "../../build/generated/abi.ts";
import type { Driver, Engine } from "./driver.ts";
import { behaviour, started } from "./harness.ts";
import { Mosquitto } from "./mosquitto.ts";

const RETAIN = 1;
const LAST = 16;

async function connected(t: TestContext, engine: Engine, more: object = {}): Promise<{ broker: Mosquitto; driver: Driver }> {
  const broker = await Mosquitto.open(t);
  const driver = await started(t, engine, broker.port, { rpc: false, shared_attributes: false, ...more });
  await driver.event("Connected");
  return { broker, driver };
}

/** The payload of the messages so far, of which large ones came in parts. */
const payloads = (driver: Driver): string => driver.of("Message").map(({ payload }) => payload).join("");

behaviour("mosquitto", (check) => {
  check("QoS 0 and 1 are published", Feature.Raw, async (t, engine) => {
    const { broker, driver } = await connected(t, engine);
    const { lines } = await broker.subscriber("reader", 3, "-t", "out/#", "-q", "1", "-F", "%q %r %t %p");
    assert.equal(await driver.run("publish", "out/a", "zero é", 0), 0);
    const id = await driver.run("publish", "out/b", "one", 1);
    assert.equal((await driver.event("Delivered")).id, id);
    await driver.run("telemetry", '{"not":"seen"}', 1);
    await driver.run("publish", "out/c", "", 1);
    assert.deepEqual(await lines, ["0 0 out/a zero é", "1 0 out/b one", "1 0 out/c "]);
  });

  check("wildcard filters receive what they match and nothing else, at the lower QoS", Feature.Raw, async (t, engine) => {
    const { broker, driver } = await connected(t, engine);
    for (const [filter, qos] of [["in/+/x", 1], ["deep/#", 0]] as const) {
      await driver.run("subscribe", filter, qos);
      await driver.event("Subscribed");
    }
    await broker.publish("in/1/x", "a", "-q", "1");
    await broker.publish("in/1/y", "no", "-q", "1");
    await broker.publish("in/1/2/x", "no", "-q", "1");
    await broker.publish("in/2/x", "b", "-q", "0");
    await broker.publish("deep/1/2/3", "c", "-q", "1");
    await broker.publish("deep", "d", "-q", "1");
    await driver.until("four messages", () => driver.of("Message").length >= 4);
    assert.deepEqual(driver.of("Message").map(({ topic, payload, flags }) => `${topic} ${payload} ${flags >> 1 & 3}`), [
      "in/1/x a 1", "in/2/x b 0", "deep/1/2/3 c 0", "deep d 0",
    ]);
    await driver.run("unsubscribe", "deep/#");
    await broker.logged(/Sending UNSUBACK to device/);
    await broker.publish("deep/x", "no");
    await broker.publish("in/3/x", "end");
    await driver.event("Message", ({ payload }) => payload === "end");
    assert.equal(driver.of("Message").length, 5);
  });

  check("a retained message is kept, given to newcomers with its flag, and removed by an empty one", Feature.Raw, async (t, engine) => {
    const { broker, driver } = await connected(t, engine);
    await driver.run("publish", "state/a", "kept", 1, 1);
    await driver.event("Delivered");
    const { lines } = await broker.subscriber("newcomer", 1, "-t", "state/#", "-F", "%r %p");
    assert.deepEqual(await lines, ["1 kept"]);
    await driver.run("subscribe", "state/#", 1);
    const message = await driver.event("Message");
    assert.deepEqual([message.topic, message.payload, message.flags & RETAIN], ["state/a", "kept", RETAIN]);
    await driver.run("publish", "state/a", "", 1, 1);
    await driver.event("Message", ({ total }) => total === 0);
    await driver.run("unsubscribe", "state/#");
    await broker.logged(/Sending UNSUBACK to device/);
    await driver.run("subscribe", "state/#", 1);
    await driver.until("a second Subscribed", () => driver.of("Subscribed").length === 2);
    await driver.run("publish", "state/b", "end", 0);
    await driver.event("Message", ({ topic }) => topic === "state/b");
    assert.equal(driver.of("Message").length, 3, "nothing was retained");
  });

  check("the will is delivered when the device loses its power, and not when it says goodbye", Feature.Raw, async (t, engine) => {
    const will = { client_id: "dying", will_topic: "will/dying", will_payload: "gone", will_qos: 1, will_retain: true };
    const { broker, driver } = await connected(t, engine, will);
    const { lines } = await broker.subscriber("heir", 2, "-t", "will/#", "-q", "1", "-F", "%t %p");
    const polite = await started(t, engine, broker.port, { ...will, client_id: "polite", will_topic: "will/polite", rpc: false, shared_attributes: false });
    await polite.event("Connected");
    await polite.run("disconnect");
    await polite.event("Disconnected");
    await broker.logged(/polite.* disconnected|Received DISCONNECT from polite/);
    driver.kill();
    await broker.logged(/dying.*(closed its connection|disconnected|error)/i);
    await broker.publish("will/end", "end");
    assert.deepEqual(await lines, ["will/dying gone", "will/end end"]);
  });

  check("a persistent session keeps what was published meanwhile", Feature.Raw, async (t, engine) => {
    const { broker, driver } = await connected(t, engine, { client_id: "sleeper", clean_session: false });
    await driver.run("subscribe", "inbox/#", 1);
    await driver.event("Subscribed");
    await driver.run("stop");
    await broker.logged(/Received DISCONNECT from sleeper/);
    for (const n of [1, 2, 3]) await broker.publish("inbox/a", `${n}`, "-q", "1");
    await driver.run("start");
    await driver.event("Connected", ({ reason }) => reason === 1);
    await driver.until("three messages", () => driver.of("Message").length === 3);
    assert.equal(payloads(driver), "123");
    await broker.logged(/Received PUBACK from sleeper/, 3);
  });

  check("payloads of a hundred kilobytes come in parts, and large ones leave whole", Feature.Raw, async (t, engine) => {
    const { broker, driver } = await connected(t, engine, { send_buffer: 24_000, staging_buffer: 21_000, receive_buffer: 2048 });
    const large = [...Array(100_000).keys()].map((n) => String.fromCharCode(97 + n % 26)).join("");
    await driver.run("subscribe", "big/in", 1);
    await driver.event("Subscribed");
    await broker.publish("big/in", large, "-q", "1");
    await driver.event("Message", ({ flags }) => (flags & LAST) !== 0);
    assert.equal(payloads(driver), large);
    await broker.logged(/Received PUBACK from device/);
    const { lines } = await broker.subscriber("reader", 3, "-t", "big/out", "-q", "1", "-F", "%l %p");
    const sent = large.slice(0, 20_000);
    for (let n = 0; n < 3;) {
      const answer = await driver.ask("publish", "big/out", sent, 1);
      if (answer.status === "Full") await driver.event("Delivered");
      else n += Number(answer.result > 0);
    }
    assert.deepEqual(await lines, Array(3).fill(`20000 ${sent}`));
  });

  check("the keep-alive keeps a quiet link up, and a stopped broker is survived", async (t, engine) => {
    const { broker, driver } = await connected(t, engine, { keep_alive_s: 2 });
    // mosquitto closes after one and a half intervals without a packet, so three PINGREQs are a proof.
    await broker.logged(/Received PINGREQ from device/, 3);
    assert.equal((await driver.stats()).stats.Disconnects, 0);
    const second = await started(t, engine, broker.port, { rpc: false, shared_attributes: false });
    await second.event("Connected");
    await driver.event("Disconnected");
    await driver.until("both to have been told", () => driver.of("Connected").length > 1);
    await second.run("stop");
    await driver.run("telemetry", '{"works":1}', 1);
    await driver.event("Delivered");
  });
});
