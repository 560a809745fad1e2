import assert from "node:assert/strict";
import { test } from "node:test";
import { createIntervalEncoder, TRANSACTION_INTERVALS_MAX } from "./interval-elements.ts";

/** Written by `nft --debug=mnl` 1.0.6 for 1.0.0.0/8, 3.0.0.0-3.0.0.5, 255.0.0.0/8 (its list of elements). */
const NFT_ELEMENTS = `
  8800 0380
  1800 0180  0800 0300 00000001  0c00 0180 0800 0100 00000000
  1000 0180  0c00 0180 0800 0100 01000000
  1800 0180  0800 0300 00000001  0c00 0180 0800 0100 02000000
  1000 0180  0c00 0180 0800 0100 03000000
  1800 0180  0800 0300 00000001  0c00 0180 0800 0100 03000006
  1c00 0180  0c00 0180 0800 0100 ff000000  0a00 0600 0104 01000000 0000`.replaceAll(/\s/g, "");

const encoder = createIntervalEncoder(
  "seawall",
  "b4",
  {
    family: 4,
    intervals: {
      first: Uint32Array.of(0x01000000, 0x03000000, 0xff000000),
      last: Uint32Array.of(0x01ffffff, 0x03000005, 0xffffffff),
    },
  },
  TRANSACTION_INTERVALS_MAX,
);

test("intervals are encoded as nft encodes them, an open end and the gap at address 0 included", () => {
  const { bytes } = encoder.encode(0, 3);
  const elements = Buffer.from(bytes)
    .toString("hex")
    .slice(2 * (20 + 20 + 12 + 8), -2 * 20);
  assert.equal(elements, NFT_ELEMENTS);
});

test("the same encoder gives the same bytes again after other intervals", () => {
  const before = Buffer.from(encoder.encode(0, 3).bytes).toString("hex");
  encoder.encode(1, 2);
  assert.equal(Buffer.from(encoder.encode(0, 3).bytes).toString("hex"), before);
});

test("a full transaction has whole messages, each attribute within 16 bits, only the last one acknowledged", () => {
  const first = Array.from({ length: 4000 }, (_, at) => BigInt(at) << 64n);
  const six = createIntervalEncoder(
    "seawall",
    "b6",
    { family: 6, intervals: { first, last: first } },
    TRANSACTION_INTERVALS_MAX,
  );
  const { bytes, sequence } = six.encode(0, 4000);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: { size: number; acknowledged: boolean; sequence: number }[] = [];
  for (let at = 0; at < bytes.length; at += view.getUint32(at, true)) {
    const acknowledged = (view.getUint16(at + 6, true) & 4) !== 0;
    messages.push({ size: view.getUint32(at, true), acknowledged, sequence: view.getUint32(at + 8, true) });
  }
  assert.deepEqual(
    messages.map((message) => message.acknowledged),
    [false, false, false, false, true, false],
  );
  assert.equal(messages[4]?.sequence, sequence);
  assert.equal(
    messages.reduce((sum, message) => sum + message.size, 0),
    bytes.length,
  );
  assert.ok(messages.every((message) => message.size - 40 <= 0xffff));
});
