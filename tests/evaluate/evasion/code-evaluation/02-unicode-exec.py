source = "total = sum(range(10))"
namespace = {}
𝓮𝔁𝓮𝓬(source, namespace)
print(namespace["total"])
