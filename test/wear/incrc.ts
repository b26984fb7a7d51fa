/** Espruino's E.CRC32 of a byte string, as text for a page. */
export const crcInPage = `
  function crc32(bytes) {
    let c = -1;
    for (let i = 0; i < bytes.length; i++) {
      c ^= bytes.charCodeAt(i);
      for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    }
    return ~c >>> 0;
  }`;
