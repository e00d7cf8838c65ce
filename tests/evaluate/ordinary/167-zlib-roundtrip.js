const zlib = require("zlib");
const text = "repeat ".repeat(100);
const packed = zlib.gzipSync(text);
console.log(packed.length < text.length, zlib.gunzipSync(packed).toString() === text);
