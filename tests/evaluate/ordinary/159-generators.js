function* fibonacci() {
  let [a, b] = [0n, 1n];
  while (true) {
    yield a;
    [a, b] = [b, a + b];
  }
}
const take = (n, source) => Array.from({ length: n }, () => source.next().value);
console.log(take(15, fibonacci()).map(String).join(" "));
