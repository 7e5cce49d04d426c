// Reads the table that `records()` points to.

import { RecordsField } from "../../../assembly/abi";
import { records } from "../../../assembly/client/records";
import { ERROR_RECORD, EVENT, JSON_VALUE, RECORDS, STATS } from "../../../assembly/memory";

describe("records", () => {
  test("names the records, and leaves the staging area to configure", () => {
    store<u32>(RECORDS, 4096, RecordsField.Staging);
    store<u32>(RECORDS, 256, RecordsField.StagingCapacity);
    const table = records();
    expect<usize>(load<u32>(table, RecordsField.Event)).toBe(EVENT);
    expect<usize>(load<u32>(table, RecordsField.Error)).toBe(ERROR_RECORD);
    expect<usize>(load<u32>(table, RecordsField.Stats)).toBe(STATS);
    expect<usize>(load<u32>(table, RecordsField.JsonValue)).toBe(JSON_VALUE);
    expect<u32>(load<u32>(table, RecordsField.Staging)).toBe(4096);
    expect<u32>(load<u32>(table, RecordsField.StagingCapacity)).toBe(256);
    expect<usize>(records()).toBe(table);
  });
});
