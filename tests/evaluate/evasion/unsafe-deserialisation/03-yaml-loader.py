import yaml

document = """
name: demo
size: !!python/object/apply:os.getcwd []
"""
print(yaml.load(document, Loader=yaml.UnsafeLoader))
