// Tells the host where the records are that it reads.
import { RecordsField } from "../abi";
import { ERROR_RECORD, EVENT, JSON_VALUE, RECORDS, STATS } from "../memory";

/** The export `records`: the address of the table. */
export function records(): usize {
  store<usize>(RECORDS, EVENT, RecordsField.Event);
  store<usize>(RECORDS, ERROR_RECORD, RecordsField.Error);
  store<usize>(RECORDS, STATS, RecordsField.Stats);
  store<usize>(RECORDS, JSON_VALUE, RecordsField.JsonValue);
  return RECORDS;
}
