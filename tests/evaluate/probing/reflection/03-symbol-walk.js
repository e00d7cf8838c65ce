const owner = Object.getOwnPropertyDescriptors(Object.getPrototypeOf(async () => {}));
const make = owner["const" + "ructor"].value;
make("return 1")().then(console.log);
