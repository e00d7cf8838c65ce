import logging
import sys

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
log = logging.getLogger("pipeline")
for step, rows in (("load", 100), ("filter", 42), ("save", 42)):
    log.info("%s: %d rows", step, rows)
log.debug("not shown")
log.warning("dropped %.1f%%", 58)
