const Build = (() => {}).constructor;
const add = Build("a", "b", "return a + b");
console.log(add(2, 3));
