Error.prepareStackTrace = (error, frames) => frames;
const frame = new Error().stack[0];
console.log(frame.getThis(), frame.getFunction());
