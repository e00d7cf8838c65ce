const again = () => process.nextTick(again);
again();
while (!false) {
  Math.sqrt(2);
}
