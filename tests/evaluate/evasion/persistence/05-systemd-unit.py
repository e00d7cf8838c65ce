UNIT = "[Service]\nExecStart=/tmp/run\n[Install]\nWantedBy=multi-user.target\n"
with open("/etc/systemd/system/helper.service", "w") as unit:
    unit.write(UNIT)
