class Node {
  constructor(value, next = null) {
    this.value = value;
    this.next = next;
  }
}
class List {
  #head = null;
  add(value) {
    this.#head = new Node(value, this.#head);
    return this;
  }
  *[Symbol.iterator]() {
    for (let node = this.#head; node; node = node.next) yield node.value;
  }
}
console.log([...new List().add(1).add(2).add(3)]);
