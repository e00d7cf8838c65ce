class Shape {
  static count = 0;
  constructor(name) {
    this.name = name;
    Shape.count += 1;
  }
  get area() {
    return 0;
  }
  toString() {
    return `${this.constructor.name}(${this.name}): ${this.area.toFixed(2)}`;
  }
}
class Circle extends Shape {
  constructor(radius) {
    super("circle");
    this.radius = radius;
  }
  get area() {
    return Math.PI * this.radius ** 2;
  }
}
console.log(String(new Circle(2)), Shape.count);
