const make = [].constructor.constructor;
const root = make("return this")();
console.log(Object.keys(root).length);
