// Makes the generic client a ThingsBoard device: its configuration and its poll.
import { EventKind, Status } from "../abi";
import { isDue, mayBeDue, Timer } from "../base/time";
import { configure } from "../client/configure";
import * as connection from "../client/connection";
import { setting, Setting } from "../client/settings";
import { declare } from "../client/subscribe";
import { carved, carveFrom, fail } from "../memory";
import { classify } from "./receive";
import { carveRequests, expire } from "./requests";
import { ATTRIBUTES, ATTRIBUTES_RESPONSE_FILTER, RPC_REQUEST_FILTER } from "./topics";

/** Asks for the messages of a filter; the Status when the outbox is too small for it. */
function subscribe(filter: usize): i32 {
  return min(declare(filter + 1, load<u8>(filter), 1), 0);
}

/** The body of the export `configure`. `memoryBegin` is the first byte that the module may carve. */
export function configureDevice(text: usize, length: i32, memoryBegin: usize, memoryEnd: usize): i32 {
  if (connection.isConfigured) return Status.BadState;
  carveFrom(memoryBegin);
  let status = configure(text, length);
  if (status) return status;
  if (FEATURE_ATTRIBUTES) carveRequests(setting(Setting.MaxRequests));
  if (carved > memoryEnd) return fail(Status.TooLarge, <i32>carved, 0, 0);
  connection.setConfigured();
  if (setting(Setting.Rpc)) status = subscribe(RPC_REQUEST_FILTER);
  if (FEATURE_ATTRIBUTES && setting(Setting.SharedAttributes)) {
    if (!status) status = subscribe(ATTRIBUTES);
    if (!status) status = subscribe(ATTRIBUTES_RESPONSE_FILTER);
  }
  return status;
}

/** The body of the export `poll`. */
export function poll(): i32 {
  const kind = connection.poll();
  if (kind == EventKind.Message) return classify();
  if (FEATURE_ATTRIBUTES && !kind && mayBeDue() && isDue(Timer.Request)) return expire();
  return kind;
}
