// What an argument that says nothing stands for: the same in C and in TypeScript, to the last byte.

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Child, GatewayClient, MoteError } from "../../host/node/index.ts";
import { BareBroker } from "../behaviour/bare-broker.ts";
import { Driver } from "../behaviour/driver.ts";

const CONFIGURATION = { mqtt_host: "127.0.0.1", session_limits: false, max_requests: 16, qos: 0 } as const;

/** What left, by topic without the id of a request; or the status that refused it. */
type Outcome = { readonly topic: string; readonly payload: string } | string;
type Face = (broker: BareBroker, calls: readonly Case[]) => Promise<Outcome[]>;

interface Case {
  readonly what: string;
  /** The verb of the C driver with its arguments, where an empty text is none. */
  readonly c: readonly (string | number)[];
  readonly ts: (client: GatewayClient, child: Child) => Promise<unknown>;
  readonly outcome: Outcome;
}

const claimed = (payload: string): Outcome => ({ topic: "v1/devices/me/claim", payload });
const childClaimed = (payload: string): Outcome => ({ topic: "v1/gateway/claim", payload });
const requested = (payload: string): Outcome => ({ topic: "v1/devices/me/attributes/request", payload });

// Outcomes by the Device API and the Gateway API: an absent duration is the server's default; a scope whose keys are absent is not asked for, and
// with neither all of both are.
const CASES: readonly Case[] = [
  { what: "a claim of 0 ms", c: ["claim", "k", 0], ts: (client) => client.claim({ secretKey: "k", durationMs: 0 }), outcome: claimed('{"secretKey":"k"}') },
  { what: "a claim of nothing", c: ["claim", "", 0], ts: (client) => client.claim(), outcome: claimed("{}") },
  { what: "a claim of 1 ms", c: ["claim", "k", 1], ts: (client) => client.claim({ secretKey: "k", durationMs: 1 }), outcome: claimed('{"secretKey":"k","durationMs":1}') },
  { what: "a claim of less than 0 ms", c: ["claim", "k", -1], ts: (client) => client.claim({ secretKey: "k", durationMs: -1 }), outcome: "InvalidValue" },
  { what: "a child's claim of 0 ms", c: ["gateway_claim", "B", "k", 0], ts: (_, child) => child.claim({ secretKey: "k", durationMs: 0 }), outcome: childClaimed('{"B":{"secretKey":"k"}}') },
  { what: "a child's claim of nothing", c: ["gateway_claim", "B", "", 0], ts: (_, child) => child.claim(), outcome: childClaimed('{"B":{}}') },
  { what: "a child's claim of less than 0 ms", c: ["gateway_claim", "B", "k", -1], ts: (_, child) => child.claim({ secretKey: "k", durationMs: -1 }), outcome: "InvalidValue" },
  { what: "a request for nothing in particular", c: ["request_attributes", "", "", 5000], ts: (client) => client.requestAttributes(), outcome: requested("{}") },
  { what: "a request with no client keys", c: ["request_attributes", "", "", 5000], ts: (client) => client.requestAttributes({ client: [] }), outcome: requested("{}") },
  { what: "a request with no keys at all", c: ["request_attributes", "", "", 5000], ts: (client) => client.requestAttributes({ client: [], shared: [] }), outcome: requested("{}") },
  { what: "a request with shared keys alone", c: ["request_attributes", "", "rate", 5000], ts: (client) => client.requestAttributes({ client: [], shared: ["rate"] }), outcome: requested('{"sharedKeys":"rate"}') },
  { what: "a request with client keys alone", c: ["request_attributes", "model", "", 5000], ts: (client) => client.requestAttributes({ client: ["model"], shared: [] }), outcome: requested('{"clientKeys":"model"}') },
  { what: "a request with a key that is empty", c: ["request_attributes", ",", "", 5000], ts: (client) => client.requestAttributes({ client: [""] }), outcome: "InvalidValue" },
  { what: "a child's request with no keys", c: ["gateway_request_attributes", "B", "shared", "", 5000], ts: (_, child) => child.requestAttributes({ scope: "shared", keys: [] }), outcome: "InvalidValue" },
];

/** Makes the calls one after the other, and tells of each what it sent or why it was refused. */
async function outcomes(broker: BareBroker, calls: readonly Case[], call: (each: Case) => Promise<string | null>): Promise<Outcome[]> {
  const link = await broker.link();
  const found: Outcome[] = [];
  let count = 1; // the child was announced
  for (const each of calls) {
    const status = await call(each);
    if (status !== null) {
      found.push(status);
      continue;
    }
    const { topic, payload } = await link.packet("publish", ++count);
    found.push({ topic: topic.replace(/\/\d+$/, ""), payload: payload.toString() });
  }
  return found;
}

function throughC(t: TestContext, engine: "wasm3" | "aot"): Face {
  return async (broker, calls) => {
    const driver = new Driver(t, engine, "gateway");
    await driver.run("init", JSON.stringify({ ...CONFIGURATION, mqtt_port: broker.port }));
    await driver.run("start");
    await driver.event("Connected");
    await driver.run("gateway_connect", "B", "");
    return outcomes(broker, calls, async ({ c }) => {
      const { result, status } = await driver.ask(...c);
      return result < 0 ? status : null;
    });
  };
}

function throughTypeScript(t: TestContext): Face {
  return async (broker, calls) => {
    const client = new GatewayClient({ ...CONFIGURATION, mqtt_port: broker.port });
    t.after(() => client.stop());
    await client.connect();
    const child = await client.connectChild("B");
    return outcomes(broker, calls, async ({ ts }) => {
      // What was sent may go on waiting for its answer; what is refused is so before the next turn of the event loop.
      const refused = ts(client, child).then(() => null, (error: unknown) => (error instanceof MoteError ? error.status : Promise.reject(error)));
      return Promise.race([refused, new Promise<null>((resolve) => setImmediate(resolve, null))]);
    });
  };
}

for (const [name, face] of [
  ["C over wasm3", (t) => throughC(t, "wasm3")], ["C ahead of time", (t) => throughC(t, "aot")], ["TypeScript", throughTypeScript],
] as const satisfies readonly (readonly [string, (t: TestContext) => Face])[]) {
  test(`${name}: what says nothing is left out, and what would ask for the wrong thing is refused`, async (t) => {
    const found = await face(t)(await BareBroker.open(t), CASES);
    for (const [index, { what, outcome }] of CASES.entries()) assert.deepEqual(found[index], outcome, what);
  });
}
