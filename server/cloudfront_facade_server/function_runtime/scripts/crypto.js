// The `crypto` module of both runtimes: md5, sha1 and sha256, plain and as HMAC. Evaluates to
// `(bytes, bytesOf, wrap) => module`: `bytesOf` converts the argument of `update`, `wrap` a digest without an encoding.
(function (bytes, bytesOf, wrap) {
  'use strict';
  const BLOCK = 64;
  // References, because runtime 1.0 removes DataView.
  const View = DataView;
  const Memory = ArrayBuffer;

  function list(length, item) {
    const items = [];
    for (let i = 0; i < length; i++) {
      items.push(item(i));
    }
    return items;
  }

  function rotate(word, count) {
    return (word << count) | (word >>> (32 - count));
  }

  // Returns the padded message as 32-bit words.
  function padded(message, littleEndian) {
    const blocks = ((message.length + 8) >> 6) + 1;
    const view = new View(new Memory(blocks * BLOCK));
    for (let i = 0; i < message.length; i++) {
      view.setUint8(i, message[i]);
    }
    view.setUint8(message.length, 0x80);
    const at = blocks * BLOCK - 8;
    const low = (message.length << 3) >>> 0;
    const high = message.length >>> 29;
    view.setUint32(at, littleEndian ? low : high, littleEndian);
    view.setUint32(at + 4, littleEndian ? high : low, littleEndian);
    const words = new Int32Array(blocks * 16);
    for (let i = 0; i < words.length; i++) {
      words[i] = view.getInt32(i * 4, littleEndian);
    }
    return words;
  }

  function serialized(state, littleEndian) {
    const view = new View(new Memory(state.length * 4));
    state.forEach((word, i) => view.setInt32(i * 4, word, littleEndian));
    return list(state.length * 4, (i) => view.getUint8(i));
  }

  const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
  const MD5_SINES = list(64, (i) => Math.floor(Math.abs(Math.sin(i + 1)) * 0x100000000) | 0);

  function md5(message) {
    const state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476];
    const words = padded(message, true);
    for (let block = 0; block < words.length; block += 16) {
      let [a, b, c, d] = state;
      for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        const f = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
        const k = [i, 5 * i + 1, 3 * i + 5, 7 * i][round] & 15;
        const sum = (a + f + MD5_SINES[i] + words[block + k]) | 0;
        [a, d, c, b] = [d, c, b, (b + rotate(sum, MD5_SHIFTS[round * 4 + (i & 3)])) | 0];
      }
      [a, b, c, d].forEach((word, i) => {
        state[i] = (state[i] + word) | 0;
      });
    }
    return serialized(state, true);
  }

  const SHA1_CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc | 0, 0xca62c1d6 | 0];

  function sha1(message) {
    const state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476, 0xc3d2e1f0 | 0];
    const words = padded(message, false);
    const w = new Int32Array(80);
    for (let block = 0; block < words.length; block += 16) {
      let [a, b, c, d, e] = state;
      for (let i = 0; i < 80; i++) {
        w[i] = i < 16 ? words[block + i] : rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        const round = (i / 20) | 0;
        const f = round === 0 ? (b & c) | (~b & d) : round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
        const next = (rotate(a, 5) + f + e + w[i] + SHA1_CONSTANTS[round]) | 0;
        [e, d, c, b, a] = [d, c, rotate(b, 30), a, next];
      }
      [a, b, c, d, e].forEach((word, i) => {
        state[i] = (state[i] + word) | 0;
      });
    }
    return serialized(state, false);
  }

  // The first 32 bits of the fractional parts of the square roots and cube roots of the first primes.
  const PRIMES = [];
  for (let n = 2; PRIMES.length < 64; n++) {
    if (PRIMES.every((prime) => n % prime)) {
      PRIMES.push(n);
    }
  }
  const fraction = (number) => ((number - Math.floor(number)) * 0x100000000) | 0;
  const SHA256_CONSTANTS = PRIMES.map((prime) => fraction(Math.cbrt(prime)));
  const SHA256_START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

  function sha256(message) {
    const state = SHA256_START.slice();
    const words = padded(message, false);
    const w = new Int32Array(64);
    for (let block = 0; block < words.length; block += 16) {
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i++) {
        const x = w[i - 15];
        const y = w[i - 2];
        w[i] = i < 16 ? words[block + i]
          : w[i - 16] + (rotate(x, 25) ^ rotate(x, 14) ^ (x >>> 3)) + w[i - 7] + (rotate(y, 15) ^ rotate(y, 13) ^ (y >>> 10));
        const t1 = h + (rotate(e, 26) ^ rotate(e, 21) ^ rotate(e, 7)) + ((e & f) ^ (~e & g)) + SHA256_CONSTANTS[i] + w[i];
        const t2 = (rotate(a, 30) ^ rotate(a, 19) ^ rotate(a, 10)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = (d + t1) | 0;
        d = c;
        c = b;
        b = a;
        a = (t1 + t2) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((word, i) => {
        state[i] = (state[i] + word) | 0;
      });
    }
    return serialized(state, false);
  }

  const algorithms = { __proto__: null, md5, sha1, sha256 };

  function algorithm(name) {
    if (typeof name !== 'string' || !algorithms[name]) {
      throw new TypeError('not supported algorithm: "' + name + '"');
    }
    return algorithms[name];
  }

  function digester(finish) {
    let message = [];
    return {
      update(data, encoding) {
        if (message === null) {
          throw new Error('Digest already called');
        }
        message = message.concat(bytesOf(data, encoding));
        return this;
      },
      digest(encoding) {
        if (message === null) {
          throw new Error('Digest already called');
        }
        if (encoding !== undefined && !['hex', 'base64', 'base64url'].includes(encoding)) {
          throw new TypeError('Unknown digest encoding: "' + encoding + '"');
        }
        const digest = finish(message);
        message = null;
        return encoding === undefined ? wrap(digest) : bytes.encodings[encoding].encode(digest);
      },
    };
  }

  return {
    createHash(name) {
      return digester(algorithm(name));
    },
    createHmac(name, secret) {
      const hash = algorithm(name);
      let key = bytesOf(secret);
      key = key.length > BLOCK ? hash(key) : key;
      const pad = (byte) => list(BLOCK, (i) => (key[i] || 0) ^ byte);
      return digester((message) => hash(pad(0x5c).concat(hash(pad(0x36).concat(message)))));
    },
  };
})
