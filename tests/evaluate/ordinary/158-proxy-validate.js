const checked = new Proxy(
  {},
  {
    set(target, key, value) {
      if (key === "age" && !Number.isInteger(value)) throw new TypeError("age must be an integer");
      return Reflect.set(target, key, value);
    },
  }
);
checked.age = 30;
try {
  checked.age = "old";
} catch (error) {
  console.log(error.message, checked.age);
}
