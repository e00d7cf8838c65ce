const buffer = new ArrayBuffer(16);
const view = new DataView(buffer);
view.setFloat32(0, 3.5, true);
view.setUint16(4, 65535);
const bytes = new Uint8Array(buffer);
console.log([...bytes.slice(0, 6)], Buffer.from("hello").toString("base64"));
