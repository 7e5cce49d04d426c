// Asks the server what it allows and reads the answer (ThingsBoard: getSessionLimits, answered by the MQTT transport itself).
import { hashes, readDigits } from "../base/text";
import { Limit, setLimit, setMaxRemainingLength, settleLimits } from "../client/limits";
import { ANY_VALUE, lengthAt, readMembers, valueAt } from "../json/members";

/** Those of client/limits.ts in their order; in the last stand those of a gateway's children under the same names. */
const LIMIT_NAMES = hashes("messages telemetryMessages telemetryDataPoints maxPayloadSize gatewayRateLimits");
const MAX_PAYLOAD_SIZE: i32 = 3;
const OF_CHILDREN: i32 = 4;
const NAME_COUNT: i32 = 5;

/**
 * Takes over what the answer says. It is known to be valid JSON; a limit that is null or empty is none, and one that is
 * absent stays as it was. The limits stand in `rateLimits`, of early servers in `rateLimit`.
 */
// @ts-ignore: decorator
@apart
export function readLimits(text: usize, textLength: i32): void {
  let first = 0;
  do {
    readMembers(text, textLength, LIMIT_NAMES, NAME_COUNT, ANY_VALUE, 0);
    let limit = 0;
    do {
      const text = valueAt(limit);
      if (text) setLimit(first + limit, text, <i32>(load<u8>(text) != 0x6e /* null */) * lengthAt(limit));
    } while (++limit < <i32>Limit.Count);
    const size = readDigits(valueAt(MAX_PAYLOAD_SIZE), lengthAt(MAX_PAYLOAD_SIZE));
    if (size > 0) setMaxRemainingLength(size);
    if (FEATURE_GATEWAY) {
      text = valueAt(OF_CHILDREN);
      textLength = lengthAt(OF_CHILDREN);
      first += Limit.ChildMessages;
    }
  } while (FEATURE_GATEWAY && text && first < 2 * <i32>Limit.Count);
  settleLimits();
}
