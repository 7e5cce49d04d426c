// Asks for attributes (ThingsBoard Device API, request attribute values).
import { Status } from "../abi";
import { publishRecord } from "../client/publish";
import { Shape } from "../json/write";
import * as requests from "./requests";
import { ATTRIBUTES_REQUEST } from "./topics";

/** A request can wait as long as any interval, but not less than one round trip could take. */
const TIMEOUT_MS_MAX: u32 = 86400000;

/** The export `request_attributes`: the record holds clientKeys and sharedKeys. The request id, or a Status. */
export function requestAttributes(length: i32, timeoutMs: i32): i32 {
  if (<u32>(timeoutMs - 1) >= TIMEOUT_MS_MAX) return Status.InvalidValue;
  const entry = requests.find(0);
  if (!entry) return Status.Full;
  const id = requests.nextId();
  const status = publishRecord(ATTRIBUTES_REQUEST, id, length, Shape.Object, 0);
  if (status < 0) return status;
  requests.add(entry, id, timeoutMs);
  return id;
}
