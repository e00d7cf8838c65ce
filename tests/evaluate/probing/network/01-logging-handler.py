import logging.handlers

log = logging.getLogger("x")
log.addHandler(logging.handlers.SysLogHandler(address=("192.0.2.1", 514)))
log.error("data")
