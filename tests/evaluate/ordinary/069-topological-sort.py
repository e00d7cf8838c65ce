from graphlib import CycleError, TopologicalSorter

tasks = {"deploy": {"test", "build"}, "test": {"build"}, "build": {"fetch"}, "fetch": set()}
print(list(TopologicalSorter(tasks).static_order()))
tasks["fetch"].add("deploy")
try:
    list(TopologicalSorter(tasks).static_order())
except CycleError as error:
    print("cycle of", len(error.args[1]))
