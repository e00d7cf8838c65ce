function debounce(callback, wait) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => callback(...args), wait);
  };
}
const calls = [];
const save = debounce((value) => {
  calls.push(value);
  console.log(calls);
}, 5);
save(1);
save(2);
save(3);
