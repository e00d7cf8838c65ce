import configparser

config = configparser.ConfigParser()
config.read_string("""
[server]
host = localhost
port = 8080
debug = yes

[paths]
data = ./data
""")
for section in config.sections():
    print(section, dict(config[section]))
print(config.getint("server", "port") + 1, config.getboolean("server", "debug"))
with open("out.ini", "w") as handle:
    config.write(handle)
