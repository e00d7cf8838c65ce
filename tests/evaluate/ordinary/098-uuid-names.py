import uuid

first = uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")
second = uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")
print(first == second, first.version, len(uuid.uuid4().hex))
