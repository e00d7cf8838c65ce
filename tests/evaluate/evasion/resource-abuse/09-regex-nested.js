const pattern = new RegExp("^(([a-z])+.)+[A-Z]([a-z])+$");
console.log(pattern.test("a".repeat(60)));
