// Makes the generic client a ThingsBoard device: its configuration and its poll.
import { EventKind, Status } from "../abi";
import { isDue, Timer } from "../base/time";
import { configure } from "../client/configure";
import * as connection from "../client/connection";
import { setting, Setting } from "../client/settings";
import { declare, entrySize } from "../client/subscriptions";
import { carved, carveFrom, fail } from "../memory";
import { classify } from "./receive";
import { carveRequests, expire } from "./requests";
import { ATTRIBUTES, ATTRIBUTES_RESPONSE_FILTER, RPC_REQUEST_FILTER } from "./topics";

function subscribe(filter: usize): void {
  declare(filter + 1, load<u8>(filter), 1);
}

function sizeOf(filter: usize): i32 {
  return entrySize(load<u8>(filter));
}

/** The body of the export `configure`. `memoryBegin` is the first byte that the module may carve. */
export function configureDevice(text: usize, length: i32, memoryBegin: usize, memoryEnd: usize): i32 {
  if (connection.isConfigured) return Status.BadState;
  carveFrom(memoryBegin);
  let filters = sizeOf(RPC_REQUEST_FILTER);
  if (FEATURE_ATTRIBUTES) filters += sizeOf(ATTRIBUTES) + sizeOf(ATTRIBUTES_RESPONSE_FILTER);
  const status = configure(text, length, filters);
  if (status) return status;
  if (FEATURE_ATTRIBUTES) carveRequests(setting(Setting.MaxRequests));
  if (carved > memoryEnd) return fail(Status.TooLarge, <i32>carved, 0, 0);
  connection.setConfigured();
  if (setting(Setting.Rpc)) subscribe(RPC_REQUEST_FILTER);
  if (FEATURE_ATTRIBUTES && setting(Setting.SharedAttributes)) {
    subscribe(ATTRIBUTES);
    subscribe(ATTRIBUTES_RESPONSE_FILTER);
  }
  return Status.Ok;
}

/** The body of the export `poll`. */
export function poll(): i32 {
  const kind = connection.poll();
  if (kind == EventKind.Message) return classify();
  if (FEATURE_ATTRIBUTES && !kind && isDue(Timer.Request)) return expire();
  return kind;
}
